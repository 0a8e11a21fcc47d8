/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page tables made of the input: loops, self-maps, large pages anywhere, frames outside the guest. The walk gives what
 * a plain walk over the same memory gives, in at most one read a level, and an exit's instruction bytes are those that
 * lie there.
 */
#include <errno.h>

#include "check.h"
#include "guest_walk.h"
#include "input.h"
#include "world.h"

#define LEVELS_AT_MOST 5
#define WALKS_AT_MOST 64
#define TABLE_FRAMES 16
#define ALIAS 256 /* frames so far apart show the same memory, and share a set of the library's cache */
#define FRAMES (5 * ALIAS + 8u)

static int map_frame(void *context, uint64_t gfn, void **frame) {
  struct world *world = context;
  CHECK(gfn < FRAMES);
  world->guest.mapped++;
  *frame = world->guest.ram[gfn % FAKE_FRAMES];
  return 0;
}

static void unmap_frame(void *context, uint64_t gfn, void *frame) {
  struct world *world = context;
  CHECK(gfn < FRAMES && frame == world->guest.ram[gfn % FAKE_FRAMES] && world->guest.mapped > 0);
  world->guest.mapped--;
}

static int set_access(void *context, const uint64_t *gfns, size_t count, bool restricted) {
  (void)context, (void)restricted;
  for (size_t i = 0; i < count; i++)
    CHECK(gfns[i] < FRAMES);
  return 0;
}

static uint64_t choose_frame(struct input *input) {
  uint8_t frame = input_u8(input);
  return (frame % TABLE_FRAMES + (uint64_t)(frame / TABLE_FRAMES % 8) * ALIAS) << 12; /* some do not exist */
}

/* Entries as few bytes: frame, flags, and now and then high bits. */
static void fill_tables(struct fake_guest *guest, struct input *input) {
  unsigned count = input_u8(input);
  for (unsigned i = 0; i < count && input_more(input); i++) {
    unsigned frame = input_u8(input) % TABLE_FRAMES;
    uint16_t index = input_u16(input);
    uint64_t entry = choose_frame(input);
    uint8_t flags = input_u8(input);
    entry |= flags & 0x7F;
    if (flags & 0x80)
      entry ^= input_u64(input);
    if (index & 0x8000) /* all of them, each by another of the frame's aliases */
      for (unsigned each = 0; each < 512; each++)
        *fake_guest_entry(guest, frame, each) = entry + (uint64_t)(each % 6) * ALIAS * FAKE_PAGE;
    else
      *fake_guest_entry(guest, frame, index & 511) = entry;
  }
}

static void choose_mode(struct pt_cpu *cpu, struct input *input) {
  uint8_t mode = input_u8(input);
  *cpu = (struct pt_cpu){.cr0 = mode & 1 ? 1 : 0x80000001u, .cr4 = mode & 2 ? 0x1020 : 0x20};
  cpu->efer = mode & 4 ? 0x100 : 0xD00;
  cpu->cr3 = choose_frame(input) | (mode & 8 ? 0x18 : 0);
  if (mode & 16)
    cpu->cr3 ^= input_u64(input);
}

/* Linear addresses whose indexes repeat are the ones that run in circles. */
static uint64_t choose_address(struct input *input) {
  uint8_t how = input_u8(input);
  uint64_t gla = 0;
  if (how & 1)
    return input_u64(input);
  for (unsigned level = 0; level < LEVELS_AT_MOST; level++)
    gla = gla << 9 | (how & 2 ? 511 : input_u16(input) & 511);
  gla = gla << 12 | (input_u16(input) & 4095);
  if (how & 4) /* canonical for four levels */
    gla = (uint64_t)((int64_t)(gla << 16) >> 16);
  else
    gla = (uint64_t)((int64_t)(gla << 7) >> 7);
  return gla;
}

static bool canonical(uint64_t gla, unsigned bits) {
  uint64_t top = gla >> (bits - 1);
  return top == 0 || top == UINT64_MAX >> (bits - 1);
}

/* The walk as the manual describes it (SDM vol. 3A 4.5), over the array. */
static int walk(const struct fake_guest *guest, const struct pt_cpu *cpu, uint64_t gla, uint64_t *gpa) {
  const uint64_t frame_bits = 0xFFFFFFFFFF000ull;
  if (!(cpu->cr0 >> 31 & 1)) {
    *gpa = gla & 0xFFFFFFFFu;
    return 0;
  }
  if (!(cpu->efer >> 10 & 1))
    return -EOPNOTSUPP;
  int level = cpu->cr4 >> 12 & 1 ? 5 : 4;
  if (!canonical(gla, level == 5 ? 57 : 48))
    return -EFAULT;
  uint64_t entry, at = cpu->cr3 & frame_bits;
  for (; level > 0; level--) {
    uint64_t low = ((uint64_t)1 << (12 + 9 * (level - 1))) - 1;
    if (at >> 12 >= FRAMES)
      return -ENOENT;
    memcpy(&entry, &guest->ram[(at >> 12) % FAKE_FRAMES][(gla / (low + 1) % 512) * 8], sizeof entry);
    if (entry % 2 == 0)
      return -EFAULT;
    at = entry & frame_bits;
    if (level == 1 || (level < 4 && entry & 0x80)) {
      *gpa = (at & ~low) + (gla & low);
      return 0;
    }
  }
  return -EFAULT;
}

/* Byte by byte, each with a walk of its own. */
static uint32_t fetch(const struct fake_guest *guest, const struct pt_cpu *cpu, uint64_t linear, uint8_t *insn) {
  uint32_t count = 0;
  uint64_t gpa;
  memset(insn, 0, PT_INSN_BYTES);
  while (count < PT_INSN_BYTES && walk(guest, cpu, linear + count, &gpa) == 0 && gpa >> 12 < FRAMES)
    insn[count++] = guest->ram[(gpa >> 12) % FAKE_FRAMES][gpa & 4095];
  return count;
}

static void check_walks(struct world *world, struct pt_guest_memory *memory, struct pt_counters *counters,
                        struct input *input) {
  struct pt_cpu cpu;
  choose_mode(&cpu, input);
  for (unsigned i = 0; i < WALKS_AT_MOST && input_more(input); i++) {
    uint64_t gla = choose_address(input), gpa = 0, expected_gpa = 0;
    uint64_t reads = counters->page_cache_hits + counters->page_cache_misses;
    int expected = walk(&world->guest, &cpu, gla, &expected_gpa);
    CHECK(pt_guest_walk(memory, &cpu, gla, &gpa) == expected);
    CHECK(expected < 0 || gpa == expected_gpa);
    CHECK(counters->page_cache_hits + counters->page_cache_misses - reads <= LEVELS_AT_MOST);
  }
}

static void check_fetch(struct world *world, struct input *input) {
  struct pt_exit exit;
  uint8_t insn[PT_INSN_BYTES];
  fake_guest_exit(&world->guest, 0, 8, &exit);
  choose_mode(&exit.cpu, input);
  exit.cpu.code_bits = exit.cpu.cr0 >> 31 ? 64 : 32;
  exit.cpu.rip = choose_address(input);
  uint64_t linear = exit.cpu.code_bits == 64 ? exit.cpu.rip : (uint32_t)exit.cpu.rip;
  uint32_t count = fetch(&world->guest, &exit.cpu, linear, insn);
  CHECK(pt_submit(world->monitor, &exit) == 0);
  const struct pt_exit_record *record = (const void *)fake_java_take(&world->java);
  CHECK((record != NULL) == (count > 0));
  if (record) {
    CHECK(record->insn_count == count && memcmp(record->insn, insn, sizeof insn) == 0);
    fake_java_consumed(&world->java);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct world *world;
  struct input input = {data, size};
  struct pt_options options;
  struct pt_counters counters = {0};
  struct pt_guest_memory *memory;
  if (!world)
    world = aligned_alloc(FAKE_PAGE, (sizeof *world + FAKE_PAGE - 1) & ~(size_t)(FAKE_PAGE - 1));
  CHECK(world);
  world_options(world, &options);
  options.frames = FRAMES;
  options.host.context = world;
  options.host.map_frame = map_frame;
  options.host.unmap_frame = unmap_frame;
  options.host.set_access = set_access;
  bool whole = input_u8(&input) & 1;
  fill_tables(&world->guest, &input);
  if (whole) {
    world_open(world, &options);
    world_attach(world);
    world_begin(world, FAKE_TABLE);
    check_fetch(world, &input);
    world_close(world);
    return 0;
  }
  CHECK(pt_guest_memory_create(&options, &counters, &memory) == 0);
  check_walks(world, memory, &counters, &input);
  pt_guest_memory_destroy(memory);
  CHECK(world->guest.mapped == 0);
  return 0;
}
