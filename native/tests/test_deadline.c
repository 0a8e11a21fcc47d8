/* SPDX-License-Identifier: Apache-2.0 */
/* No decision in time, or nobody to decide: fail-open steps, fail-closed holds. */
#include "clock.h"
#include "monitor.h"
#include "rig.h"

#define RW 2ull

static uint64_t *entry(struct rig *rig, unsigned index) {
  return fake_guest_entry(&rig->guest, FAKE_TABLE, index);
}

static int closed_up(void **state) {
  int error = rig_up(state);
  struct rig *rig = *state;
  rig->monitor->options.fail_closed = true;
  return error;
}

/* The exit of that vCPU is published, nobody decides, the deadline passes. */
static struct pt_exit_record miss(struct rig *rig, uint32_t vcpu, uint32_t offset) {
  rig_submit(rig, vcpu, offset);
  struct pt_exit_record exit = rig_exit(rig);
  rig_pass_deadline(rig);
  return exit;
}

static void next_generation(struct rig *rig) {
  fake_java_detach(&rig->java);
  assert_int_equal(pt_attach_jvm(rig->monitor, &rig->channel), 0);
  assert_int_equal(fake_java_attach(&rig->java, &rig->channel), 0);
}

static void fail_open_steps_at_the_deadline(void **state) {
  struct rig *rig = *state;
  miss(rig, 0, 0);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  assert_int_equal(pt_held(rig->monitor), 0);
  pt_outcome(rig->monitor, 0);
  assert_int_equal(rig_outcome(rig).cause, PT_CAUSE_DEADLINE);
  assert_int_equal(pt_counters(rig->monitor)->held, 0);
}

static void fail_closed_holds_the_domain(void **state) {
  struct rig *rig = *state;
  miss(rig, 0, 0);
  for (unsigned i = 0; i < 3; i++) {
    rig_no_reply(rig);
    assert_int_equal(pt_held(rig->monitor), 1);
  }
  assert_false(pt_idle(rig->monitor));
  assert_true(pt_next_deadline(rig->monitor) == UINT64_MAX);
  assert_true(pt_prepare_sleep(rig->monitor)); /* nothing to be busy with */
  assert_int_equal(pt_counters(rig->monitor)->held, 1);
  assert_int_equal(pt_counters(rig->monitor)->timed_out, 1);
  assert_int_equal(pt_counters(rig->monitor)->replies, 0);
}

static void fail_closed_holds_without_a_jvm_too(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 0); /* published to the one that is about to go */
  pt_detach_jvm(rig->monitor);
  rig_submit(rig, 1, 8); /* and to none */
  rig_no_reply(rig);
  assert_int_equal(pt_held(rig->monitor), 2);
  assert_int_equal(pt_counters(rig->monitor)->timed_out, 0);
}

/* What no JVM could decide is no reason to hold. */
static void fail_closed_steps_what_java_cannot_be_asked_about(void **state) {
  struct rig *rig = *state;
  struct pt_exit exit;
  fake_guest_exit(&rig->guest, 0, 0, &exit);
  exit.access &= ~(uint32_t)PT_ACCESS_GLA_VALID;
  assert_int_equal(pt_submit(rig->monitor, &exit), 0);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  assert_int_equal(pt_counters(rig->monitor)->held, 0);
}

static void resume_lifts_a_hold(void **state) {
  struct rig *rig = *state;
  *entry(rig, 0) = 1;
  fake_java_rule(&rig->java, 2, PT_COMMAND_DENY, FAKE_TABLE * FAKE_PAGE, RW);
  rig_no_reply(rig);
  rig_completion(rig);
  miss(rig, 0, 0);
  rig_no_reply(rig);
  pt_lift_hold(rig->monitor);
  assert_int_equal(pt_held(rig->monitor), 0);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  *entry(rig, 0) |= RW;
  pt_outcome(rig->monitor, 0);
  assert_int_equal(*entry(rig, 0), 1); /* by the open policy, with the rules in force */
  assert_int_equal(rig_outcome(rig).result, PT_RESULT_LATE_DENIED);
  assert_int_equal(rig_outcome(rig).cause, PT_CAUSE_DEADLINE);
  miss(rig, 0, 0);
  rig_no_reply(rig);
  assert_int_equal(pt_held(rig->monitor), 1); /* the next one is held again */
}

static void a_late_decision_lifts_a_hold(void **state) {
  struct rig *rig = *state;
  struct pt_exit_record exit = miss(rig, 0, 0);
  rig_no_reply(rig);
  rig_write(rig, &exit, 0, 8, 0x1003);
  assert_false(pt_prepare_sleep(rig->monitor));
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_REGISTERS);
  assert_int_equal(pt_held(rig->monitor), 0);
  assert_int_equal(*entry(rig, 0), 0x1003);
  pt_outcome(rig->monitor, 0);
  assert_int_equal(rig_outcome(rig).cause, PT_CAUSE_DECIDED);
  assert_int_equal(pt_counters(rig->monitor)->emulated, 1);
  assert_int_equal(pt_counters(rig->monitor)->fail_policy, 0);
}

static void a_late_decision_that_makes_no_sense_is_refused_while_held(void **state) {
  struct rig *rig = *state;
  struct pt_exit_record exit = miss(rig, 0, 0);
  rig_no_reply(rig);
  exit.cpu.rip += 1000;
  rig_write(rig, &exit, 0, 8, 0x1003);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  pt_outcome(rig->monitor, 0);
  assert_int_equal(rig_outcome(rig).cause, PT_CAUSE_REFUSED);
}

static void a_new_jvm_lifts_a_hold(void **state) {
  struct rig *rig = *state;
  struct pt_exit_record old = miss(rig, 0, 0);
  rig_no_reply(rig);
  next_generation(rig);
  struct pt_decision *decision = fake_java_decision(&rig->java, 0); /* to the exit that its predecessor was given */
  fake_java_decide(&rig->java, &old, PT_ACTION_WRITE, 3, decision);
  fake_java_publish(&rig->java, decision, old.head.sequence);
  rig_no_reply(rig);
  assert_int_equal(pt_held(rig->monitor), 1); /* attached is not ready */
  assert_null(fake_java_take(&rig->java));
  fake_java_ready(&rig->java);
  assert_false(pt_prepare_sleep(rig->monitor));
  uint64_t before = pt_now_ns();
  rig_no_reply(rig);
  assert_int_equal(pt_held(rig->monitor), 0);
  struct pt_exit_record exit = rig_exit(rig);
  assert_true(exit.head.sequence > old.head.sequence);
  assert_int_equal(exit.first, exit.head.sequence);
  assert_true(pt_next_deadline(rig->monitor) >= before + rig->monitor->options.deadline_ns);
  rig_write(rig, &exit, 0, 8, 0x1003);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_REGISTERS);
  assert_int_equal(*entry(rig, 0), 0x1003);
  pt_outcome(rig->monitor, 0);
  assert_int_equal(rig_outcome(rig).exit, exit.head.sequence);
}

/* What is in memory already is not done again. */
static void a_half_done_write_is_held_and_goes_on_with_the_new_jvm(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 4);
  struct pt_exit_record exit = rig_exit(rig);
  *entry(rig, 1) = 0x40; /* the second swap is lost */
  rig_write(rig, &exit, 4, 8, 0x1122334455667788);
  rig_no_reply(rig);
  rig_outcome(rig);
  rig_exit(rig);
  rig_pass_deadline(rig);
  rig_no_reply(rig);
  next_generation(rig);
  fake_java_ready(&rig->java);
  rig_no_reply(rig);
  exit = rig_exit(rig);
  assert_int_equal(exit.done, 0xF0);
  rig_write(rig, &exit, 4, 8, 0x1122334455667788);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_REGISTERS);
  assert_int_equal(*entry(rig, 0), 0x5566778800000000);
  assert_int_equal(*entry(rig, 1), 0x11223344);
}

/* The domain is paused, so nothing else misses a deadline: the one exit has to tell that the JVM is gone. */
static void a_jvm_that_stays_away_while_an_exit_is_held_is_found_stalled(void **state) {
  struct rig *rig = *state;
  miss(rig, 0, 0);
  uint64_t end = pt_now_ns() + 1000000000u;
  while (!pt_stalled_since(rig->monitor)) {
    rig_no_reply(rig);
    assert_true(pt_now_ns() < end);
  }
  assert_int_equal(pt_held(rig->monitor), 1);
  assert_int_equal(pt_counters(rig->monitor)->timed_out, 1);
}

static void a_stop_while_held_answers_everything(void **state) {
  struct rig *rig = *state;
  miss(rig, 0, 0);
  rig_no_reply(rig);
  pt_lift_protections(rig->monitor);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  pt_outcome(rig->monitor, 0);
  pt_detach_jvm(rig->monitor);
  rig_submit(rig, 1, 0); /* was on its way when the protections were lifted */
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  pt_outcome(rig->monitor, 1);
  assert_true(pt_idle(rig->monitor));
  assert_int_equal(pt_counters(rig->monitor)->exits, 2);
  assert_int_equal(pt_counters(rig->monitor)->replies, 2);
}

#define OPEN(test) cmocka_unit_test_setup_teardown(test, rig_up, rig_down)
#define CLOSED(test) cmocka_unit_test_setup_teardown(test, closed_up, rig_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      OPEN(fail_open_steps_at_the_deadline),
      CLOSED(fail_closed_holds_the_domain),
      CLOSED(fail_closed_holds_without_a_jvm_too),
      CLOSED(fail_closed_steps_what_java_cannot_be_asked_about),
      CLOSED(resume_lifts_a_hold),
      CLOSED(a_late_decision_lifts_a_hold),
      CLOSED(a_late_decision_that_makes_no_sense_is_refused_while_held),
      CLOSED(a_new_jvm_lifts_a_hold),
      CLOSED(a_half_done_write_is_held_and_goes_on_with_the_new_jvm),
      CLOSED(a_jvm_that_stays_away_while_an_exit_is_held_is_found_stalled),
      CLOSED(a_stop_while_held_answers_everything),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
