/* SPDX-License-Identifier: Apache-2.0 */
/* A stepped write is seen, and nobody else writes to the frame meanwhile. */
#include <string.h>

#include "rig.h"

static void step(struct rig *rig, uint32_t vcpu, uint32_t offset) {
  rig_submit(rig, vcpu, offset);
  struct pt_exit_record exit = rig_exit(rig);
  struct pt_decision *decision = fake_java_decision(&rig->java, vcpu);
  fake_java_decide(&rig->java, &exit, PT_ACTION_STEP, 0, decision);
  fake_java_publish(&rig->java, decision, exit.head.sequence);
}

static void a_stepped_write_is_seen(void **state) {
  struct rig *rig = *state;
  *fake_guest_entry(&rig->guest, FAKE_TABLE, 2) = 0x2000;
  step(rig, 0, 16);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  *fake_guest_entry(&rig->guest, FAKE_TABLE, 2) = 0x2001;
  pt_outcome(rig->monitor, 0);
  struct pt_outcome_record outcome = rig_outcome(rig);
  assert_int_equal(outcome.result, PT_RESULT_STEPPED);
  assert_int_equal(outcome.cause, PT_CAUSE_DECIDED);
  assert_int_equal(outcome.gpa, FAKE_TABLE * FAKE_PAGE + 16);
  assert_int_equal(outcome.mask, 1);
  assert_int_equal(outcome.replaced[0], 0);
  assert_int_equal(outcome.bytes[0], 1);
  assert_int_equal(outcome.stores, 1);
  assert_int_equal(outcome.more, 0);
  assert_int_equal(pt_counters(rig->monitor)->stepped, 1);
}

static void a_step_that_changes_nothing_is_told_too(void **state) {
  struct rig *rig = *state;
  step(rig, 0, 16);
  rig_reply(rig);
  pt_outcome(rig->monitor, 0);
  struct pt_outcome_record outcome = rig_outcome(rig);
  assert_int_equal(outcome.mask, 0);
  assert_int_equal(outcome.stores, 1);
}

static void distant_changes_are_told_one_after_the_other(void **state) {
  struct rig *rig = *state;
  const unsigned changed[] = {0, 1, 5, 200, 511};
  uint64_t seen = 0;
  unsigned records = 0;
  step(rig, 0, 0);
  rig_reply(rig);
  for (unsigned i = 0; i < 5; i++)
    *fake_guest_entry(&rig->guest, FAKE_TABLE, changed[i]) = 0xFF00 + changed[i];
  pt_outcome(rig->monitor, 0);
  for (bool more = true; more; records++) {
    struct pt_outcome_record outcome = rig_outcome(rig);
    more = outcome.more;
    assert_int_equal(outcome.stores, more ? 0 : 1);
    for (unsigned i = 0; i < 4; i++) {
      if (!(outcome.mask >> (i * 8) & 0xFF))
        continue;
      uint64_t index = (outcome.gpa - FAKE_TABLE * FAKE_PAGE) / 8 + i, value;
      memcpy(&value, outcome.bytes + i * 8, 8);
      assert_int_equal(value, 0xFF00 + index);
      seen++;
    }
  }
  assert_int_equal(seen, 5);
  assert_int_equal(records, 4);
}

static void no_other_write_is_applied_while_a_step_is_in_flight(void **state) {
  struct rig *rig = *state;
  step(rig, 0, 16);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  rig_submit(rig, 1, 64);
  struct pt_exit_record exit = rig_exit(rig);
  rig_write(rig, &exit, 0, 8, 0x5555);
  rig_no_reply(rig);
  rig_no_reply(rig);
  assert_int_equal(*fake_guest_entry(&rig->guest, FAKE_TABLE, 8), 0);
  pt_outcome(rig->monitor, 0);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_REGISTERS);
  assert_int_equal(*fake_guest_entry(&rig->guest, FAKE_TABLE, 8), 0x5555);
}

/* Nor the rest of one that is half done and is finished without Java. */
static void no_rest_is_forced_while_a_step_is_in_flight(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 1, 68);
  struct pt_exit_record exit = rig_exit(rig);
  *fake_guest_entry(&rig->guest, FAKE_TABLE, 9) = 0x40; /* the second swap is lost */
  rig_write(rig, &exit, 4, 8, 0x1122334455667788);
  rig_no_reply(rig);
  rig_outcome(rig);
  rig_exit(rig);
  step(rig, 0, 16);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  rig_pass_deadline(rig);
  rig_no_reply(rig);
  rig_no_reply(rig);
  assert_int_equal(*fake_guest_entry(&rig->guest, FAKE_TABLE, 9), 0x40);
  pt_outcome(rig->monitor, 0);
  assert_int_equal(rig_outcome(rig).mask, 0);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_REGISTERS);
  assert_int_equal(*fake_guest_entry(&rig->guest, FAKE_TABLE, 9), 0x11223344);
}

static void two_steps_on_a_frame_come_one_after_the_other(void **state) {
  struct rig *rig = *state;
  step(rig, 0, 16);
  step(rig, 1, 24);
  struct pt_reply replies[4];
  assert_int_equal(pt_poll(rig->monitor, replies, 4), 1);
  assert_int_equal(replies[0].vcpu, 0);
  *fake_guest_entry(&rig->guest, FAKE_TABLE, 2) = 1;
  pt_outcome(rig->monitor, 0);
  assert_int_equal(rig_reply(rig).vcpu, 1);
  *fake_guest_entry(&rig->guest, FAKE_TABLE, 3) = 1;
  pt_outcome(rig->monitor, 1);
  assert_int_equal(rig_outcome(rig).gpa, FAKE_TABLE * FAKE_PAGE + 16);
  assert_int_equal(rig_outcome(rig).gpa, FAKE_TABLE * FAKE_PAGE + 24);
}

static void a_store_into_the_next_protected_page_is_seen(void **state) {
  struct rig *rig = *state;
  fake_java_command(&rig->java, 2, PT_COMMAND_PROTECT_READ, (FAKE_TABLE + 1) * FAKE_PAGE, 8);
  rig_no_reply(rig);
  rig_completion(rig);
  step(rig, 0, FAKE_PAGE - 4);
  rig_reply(rig);
  *fake_guest_entry(&rig->guest, FAKE_TABLE, 511) = 0x0100000000000000;
  *fake_guest_entry(&rig->guest, FAKE_TABLE + 1, 0) = 0x02;
  pt_outcome(rig->monitor, 0);
  struct pt_outcome_record first = rig_outcome(rig), second = rig_outcome(rig);
  assert_int_equal(first.more, 1);
  assert_int_equal(first.gpa, FAKE_TABLE * FAKE_PAGE + FAKE_PAGE - 8);
  assert_int_equal(first.mask, 0x80);
  assert_int_equal(second.gpa, (FAKE_TABLE + 1) * FAKE_PAGE);
  assert_int_equal(second.mask, 1);
}

static void a_release_waits_for_the_step(void **state) {
  struct rig *rig = *state;
  step(rig, 0, 16);
  rig_reply(rig);
  fake_java_command(&rig->java, 9, PT_COMMAND_RELEASE, FAKE_TABLE * FAKE_PAGE, 0);
  rig_no_reply(rig);
  assert_true(rig->guest.restricted[FAKE_TABLE]);
  pt_outcome(rig->monitor, 0);
  rig_outcome(rig);
  rig_no_reply(rig);
  assert_int_equal(rig_completion(rig).command, 9);
  assert_false(rig->guest.restricted[FAKE_TABLE]);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_up, rig_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_RIG(a_stepped_write_is_seen),
      WITH_RIG(a_step_that_changes_nothing_is_told_too),
      WITH_RIG(distant_changes_are_told_one_after_the_other),
      WITH_RIG(no_other_write_is_applied_while_a_step_is_in_flight),
      WITH_RIG(no_rest_is_forced_while_a_step_is_in_flight),
      WITH_RIG(two_steps_on_a_frame_come_one_after_the_other),
      WITH_RIG(a_store_into_the_next_protected_page_is_seen),
      WITH_RIG(a_release_waits_for_the_step),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
