/* SPDX-License-Identifier: Apache-2.0 */
/* Walks over tables that a hostile guest made, and the bounded page cache. */
#include <errno.h>

#include "guest_walk.h"
#include "rig.h"

struct walk_rig {
  struct fake_guest guest;
  struct pt_counters counters;
  struct pt_guest_memory *memory;
  struct pt_cpu cpu;
};

static struct walk_rig shared;

static int up(void **state) {
  struct pt_options options;
  struct pt_exit exit;
  fake_guest_init(&shared.guest);
  fake_guest_options(&shared.guest, 1, &options);
  shared.counters = (struct pt_counters){0};
  fake_guest_exit(&shared.guest, 0, 0, &exit);
  shared.cpu = exit.cpu;
  *state = &shared;
  return pt_guest_memory_create(&options, &shared.counters, &shared.memory);
}

static int down(void **state) {
  struct walk_rig *rig = *state;
  pt_guest_memory_destroy(rig->memory);
  assert_int_equal(rig->guest.mapped, 0);
  return 0;
}

static void four_levels(void **state) {
  struct walk_rig *rig = *state;
  uint64_t gpa = 0;
  assert_int_equal(pt_guest_walk(rig->memory, &rig->cpu, FAKE_TABLE_GVA + 0x1234, &gpa), 0);
  assert_int_equal(gpa, (FAKE_TABLE + 1) * FAKE_PAGE + 0x234);
}

static void large_pages(void **state) {
  struct walk_rig *rig = *state;
  uint64_t gpa = 0;
  *fake_guest_entry(&rig->guest, FAKE_PD, 100) = 0x40000000 | 0x81;
  assert_int_equal(pt_guest_walk(rig->memory, &rig->cpu, 100ull << 21 | 0x12345, &gpa), 0);
  assert_int_equal(gpa, 0x40012345);
  *fake_guest_entry(&rig->guest, FAKE_PDPT, 5) = 0x80000000 | 0x81;
  assert_int_equal(pt_guest_walk(rig->memory, &rig->cpu, 5ull << 30 | 0x1234567, &gpa), 0);
  assert_int_equal(gpa, 0x81234567);
}

static void five_levels(void **state) {
  struct walk_rig *rig = *state;
  uint64_t gpa = 0;
  *fake_guest_entry(&rig->guest, 20, 0) = FAKE_PML4 * FAKE_PAGE | 3;
  rig->cpu.cr3 = 20 * FAKE_PAGE;
  rig->cpu.cr4 |= 1u << 12;
  assert_int_equal(pt_guest_walk(rig->memory, &rig->cpu, FAKE_TABLE_GVA + 8, &gpa), 0);
  assert_int_equal(gpa, FAKE_TABLE * FAKE_PAGE + 8);
}

static void paging_off(void **state) {
  struct walk_rig *rig = *state;
  uint64_t gpa = 0;
  rig->cpu.cr0 = 1;
  assert_int_equal(pt_guest_walk(rig->memory, &rig->cpu, 0x12345, &gpa), 0);
  assert_int_equal(gpa, 0x12345);
}

static void walks_that_end_nowhere(void **state) {
  struct walk_rig *rig = *state;
  uint64_t gpa;
  assert_int_equal(pt_guest_walk(rig->memory, &rig->cpu, 0x7FFF00000000, &gpa), -EFAULT);
  assert_int_equal(pt_guest_walk(rig->memory, &rig->cpu, 0x800000000000, &gpa), -EFAULT);
  *fake_guest_entry(&rig->guest, FAKE_PML4, 1) = 0xFFFFFFFFFF001;
  assert_int_equal(pt_guest_walk(rig->memory, &rig->cpu, 1ull << 39, &gpa), -ENOENT);
  rig->cpu.cr3 = 0xFFFFFFFFFF000;
  assert_int_equal(pt_guest_walk(rig->memory, &rig->cpu, 0, &gpa), -ENOENT);
  rig->cpu.efer = 0;
  assert_int_equal(pt_guest_walk(rig->memory, &rig->cpu, 0, &gpa), -EOPNOTSUPP);
}

static void a_table_that_maps_itself_ends_after_four_levels(void **state) {
  struct walk_rig *rig = *state;
  uint64_t gpa = 0;
  for (unsigned i = 0; i < 512; i++)
    *fake_guest_entry(&rig->guest, 30, i) = 30 * FAKE_PAGE | 3;
  rig->cpu.cr3 = 30 * FAKE_PAGE;
  assert_int_equal(pt_guest_walk(rig->memory, &rig->cpu, 0x123456789ABC & 0x7FFFFFFFFFFF, &gpa), 0);
  assert_int_equal(gpa, 30 * FAKE_PAGE + 0xABC);
}

static void reads_stay_inside_one_frame(void **state) {
  struct walk_rig *rig = *state;
  uint8_t bytes[16];
  assert_int_equal(pt_guest_read(rig->memory, FAKE_PAGE - 8, bytes, 9), -EINVAL);
  assert_int_equal(pt_guest_read(rig->memory, FAKE_PAGE - 8, bytes, 8), 0);
  assert_int_equal(pt_guest_read(rig->memory, (uint64_t)FAKE_FRAMES * FAKE_PAGE, bytes, 1), -ENOENT);
  assert_int_equal(pt_guest_read(rig->memory, UINT64_MAX - 7, bytes, 1), -ENOENT);
  for (unsigned i = 0; i < 16; i++)
    rig->guest.ram[FAKE_CODE][i + 3] = (uint8_t)(0xA0 + i);
  assert_int_equal(pt_guest_read(rig->memory, FAKE_CODE * FAKE_PAGE + 3, bytes, 16), 0);
  assert_memory_equal(bytes, &rig->guest.ram[FAKE_CODE][3], 16);
}

/* More frames than the cache has ways for one set: mappings are given back, contents stay right. */
static void the_cache_is_bounded(void **state) {
  struct walk_rig *rig = *state;
  uint8_t byte;
  for (unsigned round = 0; round < 3; round++)
    for (unsigned gfn = 0; gfn < FAKE_FRAMES; gfn++) {
      rig->guest.ram[gfn][0] = (uint8_t)(gfn + round);
      assert_int_equal(pt_guest_read(rig->memory, (uint64_t)gfn * FAKE_PAGE, &byte, 1), 0);
      assert_int_equal(byte, (uint8_t)(gfn + round));
    }
  assert_int_equal(rig->counters.page_cache_misses, FAKE_FRAMES);
  assert_int_equal(rig->counters.page_cache_hits, 2 * FAKE_FRAMES);
}

static void the_table_of_protections_survives_growth_and_removal(void **state) {
  struct walk_rig *rig = *state;
  assert_int_equal(pt_frames_protect(rig->memory, 0, FAKE_FRAMES), 0);
  for (unsigned gfn = 0; gfn < FAKE_FRAMES; gfn += 3)
    assert_int_equal(pt_frame_release(rig->memory, gfn), 0);
  for (unsigned gfn = 0; gfn < FAKE_FRAMES; gfn++) {
    struct pt_frame *frame = pt_frame_find(rig->memory, gfn);
    assert_int_equal(frame != NULL, gfn % 3 != 0);
    assert_int_equal(rig->guest.restricted[gfn], gfn % 3 != 0);
    if (frame)
      assert_ptr_equal(frame->bytes, rig->guest.ram[gfn]);
  }
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, up, down)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_RIG(four_levels),
      WITH_RIG(large_pages),
      WITH_RIG(five_levels),
      WITH_RIG(paging_off),
      WITH_RIG(walks_that_end_nowhere),
      WITH_RIG(a_table_that_maps_itself_ends_after_four_levels),
      WITH_RIG(reads_stay_inside_one_frame),
      WITH_RIG(the_cache_is_bounded),
      WITH_RIG(the_table_of_protections_survives_growth_and_removal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
