/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/user.h"

/* Where in a page its content is looked at: first, last, and one word between. */
static const uint64_t offsets[] = {0, 1608, GUEST_PAGE - 8};
enum { OFFSETS = sizeof(offsets) / sizeof(offsets[0]) };

static uint64_t content(uint64_t tag, uint64_t offset) {
  uint64_t mixed = (tag + offset) * 0xd6e8feb86659fd93ull;
  return mixed ^ (mixed >> 32);
}

void user_invalidate(struct cpu *cpu, uint64_t va) {
  if (!cpu->reference) {
    invalidate_page(va);
  }
}

void user_switch(struct cpu *cpu, const struct space *space) {
  if (!cpu->reference) {
    load_root(space->root);
  }
}

void user_expect_load(struct cpu *cpu, uint64_t va, uint64_t error) {
  if (!cpu->reference) {
    check_equal(cpu, CHECK_FAULT, error, user_load(va).error);
  }
}

void user_expect_store(struct cpu *cpu, uint64_t va, uint64_t error) {
  if (!cpu->reference) {
    check_equal(cpu, CHECK_FAULT, error, user_store(va, 0x5bad5bad5bad5badull));
  }
}

void user_write_page(struct cpu *cpu, uint64_t va, uint64_t tag) {
  if (cpu->reference) {
    return;
  }
  for (unsigned i = 0; i < OFFSETS; i++) {
    check_equal(cpu, CHECK_FAULT, 0, user_store(va + offsets[i], content(tag, offsets[i])));
  }
}

void user_read_page(struct cpu *cpu, uint64_t va, uint64_t tag) {
  if (cpu->reference) {
    return;
  }
  for (unsigned i = 0; i < OFFSETS; i++) {
    struct user_result got = user_load(va + offsets[i]);
    if (got.error != 0) {
      check_failed(cpu, CHECK_FAULT, 0, got.error);
    } else {
      check_equal(cpu, CHECK_DATA, content(tag, offsets[i]), got.value);
    }
  }
}

void frame_write(struct cpu *cpu, uint64_t gpa, uint64_t tag) {
  for (unsigned i = 0; i < OFFSETS && !cpu->reference; i++) {
    *direct(gpa + offsets[i]) = content(tag, offsets[i]);
  }
}

void frame_read(struct cpu *cpu, uint64_t gpa, uint64_t tag) {
  for (unsigned i = 0; i < OFFSETS && !cpu->reference; i++) {
    check_equal(cpu, CHECK_DATA, content(tag, offsets[i]), *direct(gpa + offsets[i]));
  }
}

void frame_scrub(struct cpu *cpu, uint64_t gpa) {
  for (unsigned i = 0; i < OFFSETS && !cpu->reference; i++) {
    *direct(gpa + offsets[i]) = 0xdeadull << 48 | gpa;
  }
}
