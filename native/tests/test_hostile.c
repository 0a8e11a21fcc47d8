/* SPDX-License-Identifier: Apache-2.0 */
/* Java writes anything anywhere it can: each exit still gets one reply, and the guest loses nothing but speed. */
#include <stdlib.h>
#include <string.h>

#include "rig.h"

#define EXITS 200000u
#define ROUNDS_AT_MOST (PT_MAX_ROUNDS + 1)

static uint64_t random_state = 0x9E3779B97F4A7C15;

static uint64_t next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

static bool one_in(unsigned n) {
  return next_random() % n == 0;
}

/* A sound decision with some fields, sometimes all, overwritten. */
static void scribble(struct pt_decision *decision) {
  uint8_t *bytes = (uint8_t *)decision;
  size_t first = sizeof decision->sequence;
  if (one_in(10))
    for (size_t i = first; i < sizeof *decision; i++)
      bytes[i] = (uint8_t)next_random();
  for (unsigned flips = (unsigned)(next_random() % 4); flips > 0; flips--)
    bytes[first + next_random() % (sizeof *decision - first)] = (uint8_t)next_random();
}

static void decide_badly(struct rig *rig, const struct pt_exit_record *exit) {
  struct pt_decision *decision = fake_java_decision(&rig->java, exit->head.vcpu);
  uint32_t action = (uint32_t)(next_random() % (PT_ACTION_MORE + 2));
  fake_java_decide(&rig->java, exit, action, (uint32_t)(next_random() % 18), decision);
  uint64_t value = next_random();
  unsigned offset = (unsigned)(exit->gpa & 7);
  memcpy(decision->bytes + offset, &value, sizeof value);
  decision->mask = (0xFFu << offset) & ~exit->done;
  if (action == PT_ACTION_MORE && one_in(2)) {
    decision->needs = (uint32_t)next_random() & (PT_MORE_SOURCE | PT_MORE_XMM);
    decision->source_bytes = (uint32_t)(next_random() % (PT_SOURCE_BYTES + 2));
    decision->source_gla = one_in(2) ? value : FAKE_CODE_GVA + value % (3 * FAKE_PAGE);
    decision->xmm_register = (uint32_t)(next_random() % (PT_XMM_COUNT + 1));
  }
  if (one_in(3))
    scribble(decision);
  fake_java_publish(&rig->java, decision, exit->head.sequence);
}

static void check_reply(const struct pt_reply *reply, const struct pt_exit_record *exit) {
  uint64_t advance = reply->cpu.rip - exit->cpu.rip;
  assert_int_equal(reply->vcpu, exit->head.vcpu);
  assert_true(reply->kind >= PT_REPLY_RESUME && reply->kind <= PT_REPLY_STEP);
  if (reply->kind != PT_REPLY_REGISTERS) {
    assert_memory_equal(&reply->cpu, &exit->cpu, sizeof reply->cpu);
    return;
  }
  assert_true(advance <= 15);
  assert_int_equal((reply->cpu.rflags ^ exit->cpu.rflags) & ~0xCD5ull, 0);
  assert_int_equal(reply->cpu.cr3, exit->cpu.cr3);
}

/* Everything but the window that the exit is about. */
static void check_memory(const struct rig *rig, const struct fake_guest *before, const struct pt_exit_record *exit) {
  uint64_t start = exit->gpa & ~7ull, end = start + exit->window_count;
  const uint8_t *now = &rig->guest.ram[0][0], *then = &before->ram[0][0];
  assert_memory_equal(now, then, start);
  assert_memory_equal(now + end, then + end, sizeof before->ram - end);
}

static void drain_outcomes(struct rig *rig, struct pt_exit_record *exit) {
  const struct pt_record_head *head;
  while ((head = fake_java_take(&rig->java)) != NULL) {
    if (head->kind == PT_RECORD_EXIT)
      memcpy(exit, head, sizeof *exit);
    fake_java_consumed(&rig->java);
  }
}

static void nothing_from_java_is_trusted_and_each_exit_gets_one_reply(void **state) {
  struct rig *rig = *state;
  struct fake_guest *before = aligned_alloc(4096, sizeof *before);
  for (unsigned i = 0; i < EXITS; i++) {
    struct pt_exit_record exit;
    struct pt_reply replies[2];
    size_t count = 0;
    rig_submit(rig, i & 1, (uint32_t)(next_random() % FAKE_PAGE));
    bool checked = i % 64 == 0;
    if (checked)
      memcpy(before, &rig->guest, sizeof *before);
    drain_outcomes(rig, &exit);
    for (unsigned round = 0; count == 0 && round < ROUNDS_AT_MOST; round++) {
      if (one_in(8)) /* the page walker, or another vCPU */
        rig->guest.ram[FAKE_TABLE][(exit.gpa & 0xFFF) | 7] ^= 0x20;
      decide_badly(rig, &exit);
      count = pt_poll(rig->monitor, replies, 2);
      if (count == 0)
        drain_outcomes(rig, &exit);
    }
    assert_int_equal(count, 1);
    check_reply(&replies[0], &exit);
    if (checked)
      check_memory(rig, before, &exit);
    assert_int_equal(pt_poll(rig->monitor, replies + 1, 1), 0);
    assert_int_equal(pt_outcome(rig->monitor, replies[0].vcpu), 0);
    drain_outcomes(rig, &exit);
  }
  const struct pt_counters *counters = pt_counters(rig->monitor);
  assert_int_equal(counters->exits, EXITS);
  assert_int_equal(counters->replies, EXITS);
  assert_int_equal(counters->emulated + counters->denied + counters->stepped + counters->fail_policy, EXITS);
  assert_true(counters->refused > EXITS / 100 && counters->emulated > EXITS / 100 && counters->denied > EXITS / 100);
  assert_true(counters->more > EXITS / 100);
  free(before);
}

/* The rest of what Java can write to: header and commands. */
static void whatever_java_writes_elsewhere_the_native_side_lives(void **state) {
  struct rig *rig = *state;
  uint8_t *header = (uint8_t *)rig->java.decisions;
  for (unsigned i = 0; i < 20000; i++) {
    struct pt_reply replies[2];
    for (unsigned n = 0; n < 16; n++)
      header[next_random() % PT_DECISIONS_BYTES] = (uint8_t)next_random();
    rig->java.decisions->commands_published = next_random() % 512;
    pt_ready(rig->monitor);
    if (pt_prepare_sleep(rig->monitor))
      pt_awake(rig->monitor);
    struct pt_exit exit;
    fake_guest_exit(&rig->guest, i & 1, (uint32_t)(next_random() % FAKE_PAGE), &exit);
    exit.taken_ns = 0; /* its deadline is over */
    assert_int_equal(pt_submit(rig->monitor, &exit), 0);
    assert_int_equal(pt_poll(rig->monitor, replies, 2), 1);
    assert_int_equal(pt_outcome(rig->monitor, i & 1), 0);
  }
  assert_int_equal(pt_counters(rig->monitor)->replies, 20000);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_up, rig_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_RIG(nothing_from_java_is_trusted_and_each_exit_gets_one_reply),
      WITH_RIG(whatever_java_writes_elsewhere_the_native_side_lives),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
