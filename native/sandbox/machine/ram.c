/* SPDX-License-Identifier: Apache-2.0 */
#include "ram.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "tlb.h"

int ram_open(struct machine *machine, int fd) {
  struct ram *ram = &machine->ram;
  ram->fd = fd;
  ram->size = guest_ram_bytes(machine->options.vcpus);
  ram->restricted = calloc((ram->size / GUEST_PAGE + 63) / 64, sizeof(uint64_t));
  if (ram->restricted == NULL) {
    return -ENOMEM;
  }
  void *bytes = mmap(NULL, ram->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (bytes == MAP_FAILED) {
    return -errno;
  }
  ram->bytes = bytes;
  return 0;
}

static int map_at(const struct ram *ram, uint64_t va, uint64_t bytes, int rights, uint64_t gpa) {
  void *got = mmap((void *)va, bytes, rights, MAP_SHARED | MAP_FIXED, ram->fd, (off_t)gpa);
  return got == MAP_FAILED ? -errno : 0;
}

int ram_map_guest(struct machine *machine) {
  const struct ram *ram = &machine->ram;
  int status = map_at(ram, GUEST_IMAGE_VA, ram->text_bytes, PROT_READ | PROT_EXEC, 0);
  if (status == 0) {
    status = map_at(ram, GUEST_IMAGE_VA + ram->text_bytes, GUEST_IMAGE_BYTES - ram->text_bytes, PROT_READ | PROT_WRITE,
                    ram->text_bytes);
  }
  return status < 0 ? status : map_at(ram, GUEST_DIRECT_VA, ram->size, PROT_READ | PROT_WRITE, 0);
}

bool ram_kernel_address(const struct machine *machine, uint64_t va, uint64_t *gpa) {
  if (va - GUEST_DIRECT_VA < machine->ram.size) {
    *gpa = va - GUEST_DIRECT_VA;
    return true;
  }
  if (va - GUEST_IMAGE_VA < GUEST_IMAGE_BYTES) {
    *gpa = va - GUEST_IMAGE_VA;
    return true;
  }
  return false;
}

static _Atomic uint64_t *restricted_word(const struct machine *machine, uint64_t gfn) {
  return (_Atomic uint64_t *)&machine->ram.restricted[gfn / 64];
}

bool ram_is_restricted(const struct machine *machine, uint64_t gfn) {
  return (atomic_load(restricted_word(machine, gfn)) >> (gfn % 64)) & 1;
}

/* Every mapping of the frames that guest code writes through. */
static int set_writable(struct machine *machine, uint64_t gfn, uint64_t count, bool writable) {
  int rights = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  uint64_t text_frames = machine->ram.text_bytes / GUEST_PAGE;
  uint64_t image_frames = GUEST_IMAGE_BYTES / GUEST_PAGE;
  for (uint64_t frame = gfn; frame < gfn + count && frame < image_frames; frame++) {
    if (frame >= text_frames && mprotect((void *)(GUEST_IMAGE_VA + frame * GUEST_PAGE), GUEST_PAGE, rights) < 0) {
      return -errno;
    }
  }
  for (uint64_t frame = gfn; frame < gfn + count; frame++) {
    tlb_drop_frame(machine, frame);
  }
  return mprotect((void *)(GUEST_DIRECT_VA + gfn * GUEST_PAGE), count * GUEST_PAGE, rights) < 0 ? -errno : 0;
}

static void mark(struct machine *machine, uint64_t gfn, bool restricted) {
  if (restricted) {
    atomic_fetch_or(restricted_word(machine, gfn), 1ull << (gfn % 64));
  } else {
    atomic_fetch_and(restricted_word(machine, gfn), ~(1ull << (gfn % 64)));
  }
}

bool ram_is_lifted(const struct machine *machine, uint64_t gfn) {
  for (unsigned i = 0; i < machine->options.vcpus; i++) {
    const struct vcpu *vcpu = &machine->vcpus[i];
    for (unsigned k = 0; k < vcpu->lifted_count; k++) {
      if (vcpu->lifted[k] == gfn) {
        return true;
      }
    }
  }
  return false;
}

/* A lifted frame is only marked: it becomes read-only when the step is over. */
int ram_restrict(struct machine *machine, const uint64_t *gfns, size_t count, bool restricted) {
  int status = 0;
  futex_lock(&machine->ram.lock);
  for (size_t i = 0, run; i < count && status == 0; i += run) {
    for (run = 0;
         i + run < count && gfns[i + run] == gfns[i] + run && !(restricted && ram_is_lifted(machine, gfns[i + run]));
         run++) {
      mark(machine, gfns[i + run], restricted);
    }
    if (run > 0) {
      status = set_writable(machine, gfns[i], run, !restricted);
    } else {
      mark(machine, gfns[i], restricted);
      run = 1;
    }
  }
  futex_unlock(&machine->ram.lock);
  return status;
}

void ram_unrestrict(struct machine *machine) {
  for (uint64_t gfn = 0; gfn < machine->ram.size / GUEST_PAGE; gfn++) {
    if (ram_is_restricted(machine, gfn)) {
      ram_restrict(machine, &gfn, 1, false);
    }
  }
}

bool ram_lift(struct vcpu *vcpu, uint64_t gfn) {
  struct machine *machine = vcpu->machine;
  futex_lock(&machine->ram.lock);
  bool room = vcpu->lifted_count < LIFTED_FRAMES;
  if (room && !ram_is_lifted(machine, gfn)) {
    vcpu->lifted[vcpu->lifted_count++] = gfn;
    set_writable(machine, gfn, 1, true);
  }
  futex_unlock(&machine->ram.lock);
  return room;
}

void ram_lower(struct vcpu *vcpu) {
  struct machine *machine = vcpu->machine;
  futex_lock(&machine->ram.lock);
  for (; vcpu->lifted_count > 0; vcpu->lifted_count--) {
    uint64_t gfn = vcpu->lifted[vcpu->lifted_count - 1];
    if (ram_is_restricted(machine, gfn)) {
      set_writable(machine, gfn, 1, false);
    }
  }
  futex_unlock(&machine->ram.lock);
}
