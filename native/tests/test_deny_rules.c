/* SPDX-License-Identifier: Apache-2.0 */
/* Denied bits stay as they are on every rung, and what was put back is told truthfully. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "clock.h"
#include "memory_order.h"
#include "monitor.h"
#include "rig.h"

#define RW 2ull
#define DIRTY 0x40ull
#define HELD 0x1001ull /* of the denied entry: present, not writable */
#define DENIED 1u      /* its number */
#define LAST 511u

static uint64_t gpa_of(unsigned frame, unsigned index) {
  return frame * FAKE_PAGE + index * 8;
}

static uint64_t *entry(struct rig *rig, unsigned index) {
  return fake_guest_entry(&rig->guest, FAKE_TABLE, index);
}

static uint64_t rule(struct rig *rig, uint32_t kind, uint64_t gpa, uint64_t mask) {
  fake_java_rule(&rig->java, 77, kind, gpa, mask);
  rig_no_reply(rig);
  struct pt_completion_record completion = rig_completion(rig);
  uint64_t value = 0;
  assert_int_equal(completion.status, 0);
  memcpy(&value, completion.data, completion.length);
  return value;
}

static void deny(struct rig *rig) {
  *entry(rig, DENIED) = HELD;
  assert_int_equal(rule(rig, PT_COMMAND_DENY, gpa_of(FAKE_TABLE, DENIED), RW), HELD);
}

static uint64_t value_of(const uint8_t *window, unsigned index) {
  uint64_t value;
  memcpy(&value, window + index * 8, 8);
  return value;
}

static void decide(struct rig *rig, uint32_t vcpu, unsigned offset, uint32_t action) {
  rig_submit(rig, vcpu, offset);
  struct pt_exit_record exit = rig_exit(rig);
  struct pt_decision *decision = fake_java_decision(&rig->java, vcpu);
  fake_java_decide(&rig->java, &exit, action, 0, decision);
  fake_java_publish(&rig->java, decision, exit.head.sequence);
}

/* The vCPU sets R/W of the denied entry in a step that is the reply to it; then the step ends. */
static void step_over(struct rig *rig, uint32_t vcpu) {
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  *entry(rig, DENIED) = HELD | RW;
  assert_int_equal(pt_outcome(rig->monitor, vcpu), 0);
  assert_int_equal(*entry(rig, DENIED), HELD);
}

/* Told: the entry was put back, and nothing else changed. */
static void expect_put_back(struct rig *rig, enum pt_cause cause) {
  struct pt_outcome_record late = rig_outcome(rig), end = rig_outcome(rig);
  assert_int_equal(late.result, PT_RESULT_LATE_DENIED);
  assert_int_equal(late.cause, cause);
  assert_int_equal(late.gpa, gpa_of(FAKE_TABLE, DENIED));
  assert_int_equal(late.mask, 1);
  assert_int_equal(value_of(late.replaced, 0), HELD | RW);
  assert_int_equal(value_of(late.bytes, 0), HELD);
  assert_int_equal(late.stores, 0);
  assert_int_equal(late.more, 1);
  assert_int_equal(end.result, PT_RESULT_STEPPED);
  assert_int_equal(end.exit, late.exit);
  assert_int_equal(end.mask, 0);
  assert_int_equal(end.stores, 1);
  assert_int_equal(end.more, 0);
}

static void deny_rule_holds_when_stepped(void **state) {
  struct rig *rig = *state;
  deny(rig);
  decide(rig, 0, DENIED * 8, PT_ACTION_STEP);
  step_over(rig, 0);
  expect_put_back(rig, PT_CAUSE_DECIDED);
  assert_int_equal(pt_counters(rig->monitor)->late_denied, 1);
  assert_int_equal(pt_counters(rig->monitor)->stepped, 1);
}

static void deny_rule_holds_when_the_hypervisor_emulates(void **state) {
  struct rig *rig = *state;
  deny(rig);
  rig->monitor->options.hv_emulate = true;
  decide(rig, 0, DENIED * 8, PT_ACTION_HV_EMULATE);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_HV_EMULATE);
  *entry(rig, DENIED) = HELD | RW;
  pt_outcome(rig->monitor, 0);
  assert_int_equal(*entry(rig, DENIED), HELD);
  assert_int_equal(rig_outcome(rig).result, PT_RESULT_LATE_DENIED);
  assert_int_equal(rig_outcome(rig).result, PT_RESULT_HV_EMULATED);
}

static void deny_rule_holds_when_the_deadline_passes(void **state) {
  struct rig *rig = *state;
  deny(rig);
  rig_submit(rig, 0, DENIED * 8);
  rig_exit(rig);
  rig_pass_deadline(rig);
  step_over(rig, 0);
  expect_put_back(rig, PT_CAUSE_DEADLINE);
}

static void deny_rule_holds_with_no_jvm(void **state) {
  struct rig *rig = *state;
  deny(rig);
  pt_detach_jvm(rig->monitor);
  rig_submit(rig, 0, DENIED * 8);
  step_over(rig, 0);
  assert_int_equal(pt_counters(rig->monitor)->late_denied, 1);
  assert_int_equal(pt_counters(rig->monitor)->fail_policy, 1);
}

static void deny_rule_holds_when_java_decides_write(void **state) {
  struct rig *rig = *state;
  deny(rig);
  rig_submit(rig, 0, DENIED * 8);
  struct pt_exit_record exit = rig_exit(rig);
  rig_write(rig, &exit, 0, 8, HELD | RW);
  step_over(rig, 0);
  expect_put_back(rig, PT_CAUSE_REFUSED);
  assert_int_equal(pt_counters(rig->monitor)->refused, 1);
  assert_int_equal(pt_counters(rig->monitor)->emulated, 0);
}

/* A hostile Java claims that memory holds what it wants to write. */
static void deny_rule_holds_when_java_lies_about_memory(void **state) {
  struct rig *rig = *state;
  deny(rig);
  rig_submit(rig, 0, DENIED * 8);
  struct pt_exit_record exit = rig_exit(rig);
  exit.window[0] |= RW;
  rig_write(rig, &exit, 0, 8, HELD | RW);
  rig_no_reply(rig);
  assert_int_equal(*entry(rig, DENIED), HELD);
  assert_int_equal(rig_outcome(rig).result, PT_RESULT_LOST_SWAP);
}

static void a_write_that_leaves_the_denied_bits_is_applied(void **state) {
  struct rig *rig = *state;
  deny(rig);
  rig_submit(rig, 0, DENIED * 8);
  struct pt_exit_record exit = rig_exit(rig);
  rig_write(rig, &exit, 0, 8, 0x5001);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_REGISTERS);
  assert_int_equal(*entry(rig, DENIED), 0x5001);
  pt_outcome(rig->monitor, 0);
  rig_submit(rig, 0, 0); /* and one on its neighbour may set the bit there */
  exit = (rig_outcome(rig), rig_exit(rig));
  rig_write(rig, &exit, 0, 8, HELD | RW);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_REGISTERS);
  assert_int_equal(*entry(rig, 0), HELD | RW);
}

/* The first entry of an unaligned store is in memory; the rest would set denied bits of the second. */
static void deny_rule_holds_for_the_forced_rest(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 4);
  struct pt_exit_record exit = rig_exit(rig);
  *entry(rig, DENIED) = HELD | DIRTY;
  rig_write(rig, &exit, 4, 8, 0x00005003AABBCCDD);
  rig_no_reply(rig);
  assert_int_equal(rig_outcome(rig).mask, 0xF0);
  rig_exit(rig);
  *entry(rig, DENIED) = HELD;
  assert_int_equal(rule(rig, PT_COMMAND_DENY, gpa_of(FAKE_TABLE, DENIED), RW), HELD);
  rig_pass_deadline(rig);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_REGISTERS);
  assert_int_equal(*entry(rig, 0), 0xAABBCCDD00000000);
  assert_int_equal(*entry(rig, DENIED), 0x5001);
  pt_outcome(rig->monitor, 0);
  struct pt_outcome_record late = rig_outcome(rig), end = rig_outcome(rig);
  assert_int_equal(late.result, PT_RESULT_LATE_DENIED);
  assert_int_equal(late.gpa, gpa_of(FAKE_TABLE, 0));
  assert_int_equal(late.mask, 0x100);
  assert_int_equal(value_of(late.replaced, 1), 0x5001);
  assert_int_equal(value_of(late.bytes, 1), 0x5001);
  assert_int_equal(late.more, 1);
  assert_int_equal(end.result, PT_RESULT_APPLIED);
  assert_int_equal(value_of(end.replaced, 1), HELD);
  assert_int_equal(value_of(end.bytes, 1), 0x5001);
  assert_int_equal(pt_counters(rig->monitor)->late_denied, 1);
  rig_submit(rig, 0, 64); /* nothing of it is left for the next exit */
  exit = rig_exit(rig);
  rig_write(rig, &exit, 0, 8, 1);
  rig_reply(rig);
  pt_outcome(rig->monitor, 0);
  assert_int_equal(rig_outcome(rig).result, PT_RESULT_APPLIED);
}

static void next_generation(struct rig *rig) {
  fake_java_detach(&rig->java);
  assert_int_equal(pt_attach_jvm(rig->monitor, &rig->channel), 0);
  assert_int_equal(fake_java_attach(&rig->java, &rig->channel), 0);
}

static void deny_rule_holds_over_a_jvm_restart(void **state) {
  struct rig *rig = *state;
  deny(rig);
  next_generation(rig);
  rig_submit(rig, 0, DENIED * 8); /* the new one is starting, and neither waited for nor told */
  step_over(rig, 0);
  fake_java_rule(&rig->java, 5, PT_COMMAND_ALLOW, gpa_of(FAKE_TABLE, DENIED), RW); /* not its own */
  rig_no_reply(rig);
  assert_int_equal(rig_completion(rig).status, -2);
  rig_submit(rig, 0, DENIED * 8);
  step_over(rig, 0);
  expect_put_back(rig, PT_CAUSE_NO_JVM);
  rule(rig, PT_COMMAND_DENY, gpa_of(FAKE_TABLE, DENIED), RW);
  fake_java_ready(&rig->java);
  rig_no_reply(rig);
  decide(rig, 0, DENIED * 8, PT_ACTION_STEP);
  step_over(rig, 0);
  assert_true(rig->guest.restricted[FAKE_TABLE]);
}

static void a_rule_that_the_next_generation_does_not_ask_for_ends_when_it_is_ready(void **state) {
  struct rig *rig = *state;
  deny(rig);
  next_generation(rig);
  fake_java_command(&rig->java, 1, PT_COMMAND_PROTECT_READ, FAKE_TABLE * FAKE_PAGE, 8);
  fake_java_ready(&rig->java);
  rig_no_reply(rig);
  rig_completion(rig);
  rig_no_reply(rig);
  decide(rig, 0, DENIED * 8, PT_ACTION_STEP);
  rig_reply(rig);
  *entry(rig, DENIED) = HELD | RW;
  pt_outcome(rig->monitor, 0);
  assert_int_equal(*entry(rig, DENIED), HELD | RW);
  assert_int_equal(rig_outcome(rig).result, PT_RESULT_STEPPED);
}

/* Only the denied bits go back: the rest of the same store, and what the walker sets, stays and is told. */
static void other_changes_of_the_same_step_are_told_as_stepped(void **state) {
  struct rig *rig = *state;
  deny(rig);
  decide(rig, 0, DENIED * 8, PT_ACTION_STEP);
  rig_reply(rig);
  *entry(rig, DENIED) = 0x7001 | RW | DIRTY;
  *entry(rig, 2) = 0x9003;
  pt_outcome(rig->monitor, 0);
  assert_int_equal(*entry(rig, DENIED), 0x7001 | DIRTY);
  struct pt_outcome_record late = rig_outcome(rig), end = rig_outcome(rig);
  assert_int_equal(value_of(late.replaced, 0), 0x7001 | RW | DIRTY);
  assert_int_equal(value_of(late.bytes, 0), 0x7001 | DIRTY);
  assert_int_equal(end.gpa, gpa_of(FAKE_TABLE, DENIED));
  assert_int_equal(value_of(end.replaced, 0), HELD);
  assert_int_equal(value_of(end.bytes, 0), 0x7001 | DIRTY);
  assert_int_equal(value_of(end.bytes, 1), 0x9003);
}

/* A store that crosses a page, and one that writes a third frame besides, as a scatter does. */
static void deny_rule_holds_in_every_frame_that_a_step_writes_to(void **state) {
  struct rig *rig = *state;
  const uint64_t gpas[] = {gpa_of(FAKE_TABLE, LAST), gpa_of(FAKE_TABLE + 1, 0), gpa_of(FAKE_TABLE + 20, 7)};
  for (unsigned i = 0; i < 3; i++)
    rule(rig, PT_COMMAND_DENY, gpas[i], ~0x60ull);
  decide(rig, 0, FAKE_PAGE - 4, PT_ACTION_STEP);
  rig_reply(rig);
  *entry(rig, LAST) = 0xFFFFFFFF00000000;
  *fake_guest_entry(&rig->guest, FAKE_TABLE + 1, 0) = 0xFFFFFFFF;
  *fake_guest_entry(&rig->guest, FAKE_TABLE + 20, 7) = 0x3;
  pt_outcome(rig->monitor, 0);
  assert_int_equal(*entry(rig, LAST), 0);
  assert_int_equal(*fake_guest_entry(&rig->guest, FAKE_TABLE + 1, 0), 0x60); /* A and D are nobody's to deny */
  assert_int_equal(*fake_guest_entry(&rig->guest, FAKE_TABLE + 20, 7), 0);
  for (unsigned i = 0; i < 3; i++)
    assert_int_equal(rig_outcome(rig).gpa, gpas[i]);
  assert_int_equal(pt_counters(rig->monitor)->late_denied, 3);
}

static void a_repeated_store_is_put_back_entry_by_entry(void **state) {
  struct rig *rig = *state;
  for (unsigned i = 3; i < 8; i += 2)
    rule(rig, PT_COMMAND_DENY, gpa_of(FAKE_TABLE, i), RW);
  decide(rig, 0, 0, PT_ACTION_STEP);
  rig_reply(rig);
  for (unsigned i = 0; i < 10; i++)
    *entry(rig, i) = 0x3003;
  pt_outcome(rig->monitor, 0);
  for (unsigned i = 0; i < 10; i++)
    assert_int_equal(*entry(rig, i), i == 3 || i == 5 || i == 7 ? 0x3001 : 0x3003);
  assert_int_equal(pt_counters(rig->monitor)->late_denied, 3);
}

struct walker {
  uint64_t *entry;
  atomic_bool stop;
};

/* A page walker that never rests: each swap of the entry may fail, the bits go back all the same. */
static void *walk(void *argument) {
  struct walker *walker = argument;
  while (!atomic_load_explicit(&walker->stop, memory_order_relaxed))
    __atomic_fetch_xor(walker->entry, DIRTY, __ATOMIC_RELAXED);
  return NULL;
}

static void a_busy_page_walker_does_not_keep_denied_bits_from_going_back(void **state) {
  struct rig *rig = *state;
  pthread_t thread;
  deny(rig);
  struct walker walker = {.entry = entry(rig, DENIED)};
  pthread_create(&thread, NULL, walk, &walker);
  for (unsigned i = 0; i < 400; i++) {
    decide(rig, 0, DENIED * 8, PT_ACTION_STEP);
    rig_reply(rig);
    __atomic_fetch_or(entry(rig, DENIED), RW, __ATOMIC_RELAXED);
    pt_outcome(rig->monitor, 0);
    assert_int_equal(pt_load_relaxed(entry(rig, DENIED)) & ~DIRTY, HELD);
    while (rig_outcome(rig).more)
      ;
  }
  atomic_store(&walker.stop, true);
  pthread_join(thread, NULL);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_up, rig_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_RIG(deny_rule_holds_when_stepped),
      WITH_RIG(deny_rule_holds_when_the_hypervisor_emulates),
      WITH_RIG(deny_rule_holds_when_the_deadline_passes),
      WITH_RIG(deny_rule_holds_with_no_jvm),
      WITH_RIG(deny_rule_holds_when_java_decides_write),
      WITH_RIG(deny_rule_holds_when_java_lies_about_memory),
      WITH_RIG(a_write_that_leaves_the_denied_bits_is_applied),
      WITH_RIG(deny_rule_holds_for_the_forced_rest),
      WITH_RIG(deny_rule_holds_over_a_jvm_restart),
      WITH_RIG(a_rule_that_the_next_generation_does_not_ask_for_ends_when_it_is_ready),
      WITH_RIG(other_changes_of_the_same_step_are_told_as_stepped),
      WITH_RIG(deny_rule_holds_in_every_frame_that_a_step_writes_to),
      WITH_RIG(a_repeated_store_is_put_back_entry_by_entry),
      WITH_RIG(a_busy_page_walker_does_not_keep_denied_bits_from_going_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
