/* SPDX-License-Identifier: Apache-2.0 */
#include "build.h"

#include "ram.h"

extern const uint8_t guest_image[];
extern const uint8_t guest_image_end[];

static const uint64_t upper = PTE_P | PTE_RW;
static const uint64_t user_upper = PTE_P | PTE_RW | PTE_US;

static uint64_t table(unsigned fixed) {
  return GUEST_POOL_GPA + fixed * GUEST_PAGE;
}

static void set(const struct machine *machine, uint64_t table_gpa, uint64_t index, uint64_t entry) {
  atomic_store(ram_entry(machine, table_gpa + index * 8), entry);
}

static uint64_t slot(uint64_t va) {
  return va / GUEST_SLOT_BYTES;
}

static int load_image(struct machine *machine) {
  size_t bytes = (size_t)(guest_image_end - guest_image);
  struct guest_header *header = (struct guest_header *)(void *)machine->ram.bytes;
  if (bytes > GUEST_IMAGE_BYTES) {
    return -ENOEXEC;
  }
  memcpy(machine->ram.bytes, guest_image, bytes);
  if (header->magic != GUEST_MAGIC || header->image_end > GUEST_IMAGE_VA + GUEST_IMAGE_BYTES) {
    return -ENOEXEC;
  }
  machine->header = header;
  machine->boot = (struct guest_boot *)(void *)(machine->ram.bytes + (header->boot - GUEST_IMAGE_VA));
  machine->ram.text_bytes = header->text_end - GUEST_IMAGE_VA;
  return 0;
}

static void build_image_tables(const struct machine *machine) {
  set(machine, table(TABLE_IMAGE_PDPT), (GUEST_IMAGE_VA >> 30) % GUEST_ENTRIES, table(TABLE_IMAGE_PD) | upper);
  set(machine, table(TABLE_IMAGE_PD), (GUEST_IMAGE_VA >> 21) % GUEST_ENTRIES, table(TABLE_IMAGE_PT) | upper);
  for (uint64_t gpa = 0; gpa < GUEST_IMAGE_BYTES; gpa += GUEST_PAGE) {
    uint64_t rights = gpa < machine->ram.text_bytes ? PTE_P : PTE_P | PTE_RW | PTE_NX;
    set(machine, table(TABLE_IMAGE_PT), gpa / GUEST_PAGE, gpa | rights);
  }
}

static void build_direct_tables(const struct machine *machine) {
  set(machine, table(TABLE_DIRECT_PDPT), 0, table(TABLE_DIRECT_PD) | upper);
  for (uint64_t gpa = 0; gpa < machine->ram.size; gpa += GUEST_LARGE_PAGE) {
    set(machine, table(TABLE_DIRECT_PD), gpa / GUEST_LARGE_PAGE, gpa | PTE_P | PTE_RW | PTE_PS | PTE_NX);
  }
}

static void build_shared_tables(const struct machine *machine) {
  set(machine, table(TABLE_SHARED_PDPT), 0, table(TABLE_SHARED_PD) | user_upper);
  for (unsigned i = 0; i <= GUEST_SHARED_TABLES; i++) {
    set(machine, table(TABLE_SHARED_PD), i, table(TABLE_SHARED_PT + i) | user_upper);
  }
}

/* vCPU 0's own, and on its way nothing but the one page. */
static void build_denied_page(const struct machine *machine, uint64_t root, uint64_t frame) {
  set(machine, root, slot(GUEST_DENIED_VA), table(TABLE_DENIED_PDPT) | user_upper);
  set(machine, table(TABLE_DENIED_PDPT), 0, table(TABLE_DENIED_PD) | user_upper);
  set(machine, table(TABLE_DENIED_PD), 0, table(TABLE_DENIED_PT) | user_upper);
  set(machine, table(TABLE_DENIED_PT), (GUEST_DENIED_VA >> 12) % GUEST_ENTRIES, frame | PTE_P | PTE_US | PTE_NX);
}

static void build_vcpu(struct machine *machine, unsigned id) {
  unsigned vcpus = machine->options.vcpus;
  struct guest_boot_cpu *cpu = &machine->boot->cpu[id];
  cpu->tables_gpa = GUEST_POOL_GPA + (GUEST_FIXED_TABLES + (uint64_t)id * GUEST_CPU_TABLES) * GUEST_PAGE;
  cpu->frames_gpa = guest_frames_gpa(vcpus) + (uint64_t)id * GUEST_CPU_FRAMES * GUEST_PAGE;
  cpu->block_gpa = guest_blocks_gpa(vcpus) + id * GUEST_LARGE_PAGE;
  cpu->rounds_limit = machine->options.rounds != 0 ? machine->options.rounds : UINT64_MAX;
  cpu->cr3 = cpu->tables_gpa;
  set(machine, cpu->cr3, slot(GUEST_IMAGE_VA), table(TABLE_IMAGE_PDPT) | upper);
  set(machine, cpu->cr3, slot(GUEST_DIRECT_VA), table(TABLE_DIRECT_PDPT) | upper);
  set(machine, cpu->cr3, slot(GUEST_SHARED_VA), table(TABLE_SHARED_PDPT) | user_upper);
  machine->vcpus[id].machine = machine;
  machine->vcpus[id].id = id;
  machine->vcpus[id].view = VIEW_RESTRICTED;
  atomic_store(&machine->vcpus[id].cr3, cpu->cr3);
}

int build_domain(struct machine *machine) {
  int status = load_image(machine);
  if (status < 0) {
    return status;
  }
  machine->pool_gpa = GUEST_POOL_GPA;
  machine->pool_bytes = guest_pool_bytes(machine->options.vcpus);
  machine->boot->vcpus = machine->options.vcpus;
  machine->boot->seed = machine->options.seed;
  machine->boot->work = machine->options.work;
  machine->boot->reference = machine->reference;
  build_image_tables(machine);
  build_direct_tables(machine);
  build_shared_tables(machine);
  for (unsigned id = 0; id < machine->options.vcpus; id++) {
    build_vcpu(machine, id);
  }
  /* The denied page's frame is the first of vCPU 0's, which it leaves alone otherwise. */
  build_denied_page(machine, machine->boot->cpu[0].cr3, machine->boot->cpu[0].frames_gpa);
  return 0;
}
