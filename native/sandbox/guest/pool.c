/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/pool.h"

#include "guest/user.h"

void pool_init(struct cpu *cpu) {
  /* The first table is the root, the first frame the denied page's. */
  for (unsigned i = GUEST_CPU_TABLES - 1; i >= 1; i--) {
    cpu->tables[cpu->table_count++] = cpu->boot->tables_gpa + i * GUEST_PAGE;
  }
  for (unsigned i = GUEST_CPU_FRAMES - 1; i >= 1; i--) {
    cpu->frames[cpu->frame_count++] = (uint16_t)i;
  }
}

uint64_t table_take(struct cpu *cpu) {
  if (cpu->table_count == 0) {
    check_failed(cpu, CHECK_EXHAUSTED, 1, 0);
    return 0;
  }
  return cpu->tables[--cpu->table_count];
}

void table_give(struct cpu *cpu, uint64_t gpa) {
  cpu->tables[cpu->table_count++] = gpa;
}

static uint64_t number_of(const struct cpu *cpu, uint64_t gpa) {
  return (gpa - cpu->boot->frames_gpa) / GUEST_PAGE;
}

uint64_t frame_take(struct cpu *cpu) {
  if (cpu->frame_count == 0) {
    check_failed(cpu, CHECK_EXHAUSTED, 2, 0);
    return 0;
  }
  uint16_t number = cpu->frames[--cpu->frame_count];
  cpu->frame_users[number] = 1;
  return cpu->boot->frames_gpa + number * GUEST_PAGE;
}

void frame_share(struct cpu *cpu, uint64_t gpa) {
  cpu->frame_users[number_of(cpu, gpa)]++;
}

void frame_drop(struct cpu *cpu, uint64_t gpa) {
  uint64_t number = number_of(cpu, gpa);
  if (--cpu->frame_users[number] == 0) {
    frame_scrub(cpu, gpa);
    cpu->frames[cpu->frame_count++] = (uint16_t)number;
  }
}

unsigned frame_users(const struct cpu *cpu, uint64_t gpa) {
  return cpu->frame_users[number_of(cpu, gpa)];
}
