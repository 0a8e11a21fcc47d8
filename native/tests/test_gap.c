/* SPDX-License-Identifier: Apache-2.0 */
/* Java lets its stream run full: it is told so once it has caught up, and the guest does not wait for it. */
#include <unistd.h>

#include "monitor.h"
#include "rig.h"

static void fill(struct rig *rig) {
  uint64_t room = PT_SLOT_COUNT - (rig->java.stream->cursor - rig->java.decisions->consumed);
  for (uint64_t i = 0; i < room; i++) {
    fake_java_command(&rig->java, 7, PT_COMMAND_READ, FAKE_TABLE * FAKE_PAGE, 8);
    rig_no_reply(rig);
  }
  assert_int_equal(rig->java.stream->cursor - rig->java.decisions->consumed, PT_SLOT_COUNT);
}

static void by_policy_at_once(struct rig *rig) {
  rig_submit(rig, 0, 8);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  *fake_guest_entry(&rig->guest, FAKE_TABLE, 1) += 0x1000;
  assert_int_equal(pt_outcome(rig->monitor, 0), 0);
}

static void read_all(struct rig *rig) {
  while (fake_java_take(&rig->java))
    fake_java_consumed(&rig->java);
}

static void a_full_stream_takes_no_record_and_no_command(void **state) {
  struct rig *rig = *state;
  fill(rig);
  uint64_t cursor = rig->java.stream->cursor, commands = pt_counters(rig->monitor)->commands;
  fake_java_command(&rig->java, 8, PT_COMMAND_READ, FAKE_TABLE * FAKE_PAGE, 8);
  rig_no_reply(rig);
  by_policy_at_once(rig);
  assert_int_equal(rig->java.stream->cursor, cursor);
  assert_int_equal(pt_counters(rig->monitor)->commands, commands);
  assert_int_equal(pt_counters(rig->monitor)->outcomes_dropped, 1);
}

static void a_jvm_that_lets_its_stream_run_full_is_stalled_and_stays(void **state) {
  struct rig *rig = *state;
  fill(rig);
  assert_int_equal(pt_stalled_since(rig->monitor), 0);
  by_policy_at_once(rig);
  assert_true(pt_stalled_since(rig->monitor) > 0);
  assert_true(pt_attached(rig->monitor));
  assert_int_equal(pt_counters(rig->monitor)->stalls, 1);
  for (unsigned i = 0; i < 100; i++)
    by_policy_at_once(rig);
  assert_int_equal(pt_counters(rig->monitor)->timed_out, 0);
  assert_int_equal(pt_counters(rig->monitor)->outcomes_dropped, 101);
}

static void what_was_not_told_is_said_to_be_missing_before_anything_else_is_told(void **state) {
  struct rig *rig = *state;
  fill(rig);
  by_policy_at_once(rig);
  read_all(rig);
  by_policy_at_once(rig); /* there is room, but it is not trusted yet: this one is not told either */
  assert_null(fake_java_take(&rig->java));
  usleep(PT_STALL_TRIAL_NS / 1000);
  rig_no_reply(rig);
  const struct pt_record_head *head = fake_java_take(&rig->java);
  assert_non_null(head);
  assert_int_equal(head->kind, PT_RECORD_GAP);
  fake_java_consumed(&rig->java);
  rig_submit(rig, 0, 8);
  struct pt_exit_record exit = rig_exit(rig); /* and it is asked again */
  rig_write(rig, &exit, 0, 8, 0xABC);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_REGISTERS);
  assert_int_equal(pt_outcome(rig->monitor, 0), 0);
  assert_int_equal(rig_outcome(rig).result, PT_RESULT_APPLIED);
  assert_int_equal(pt_counters(rig->monitor)->outcomes_dropped, 2);
}

static void a_jvm_that_answers_but_says_it_reads_nothing_stays_stalled(void **state) {
  struct rig *rig = *state;
  fill(rig);
  by_policy_at_once(rig);
  usleep(PT_STALL_TRIAL_NS / 1000);
  rig->java.decisions->consumed++;
  rig_no_reply(rig);
  assert_true(pt_stalled_since(rig->monitor) > 0);
  by_policy_at_once(rig);
  assert_int_equal(pt_counters(rig->monitor)->stalls, 1);
}

static void the_next_jvm_has_missed_nothing(void **state) {
  struct rig *rig = *state;
  fill(rig);
  by_policy_at_once(rig);
  fake_java_detach(&rig->java);
  assert_int_equal(pt_attach_jvm(rig->monitor, &rig->channel), 0);
  assert_int_equal(fake_java_attach(&rig->java, &rig->channel), 0);
  fake_java_ready(&rig->java);
  assert_int_equal(pt_stalled_since(rig->monitor), 0);
  rig_submit(rig, 0, 8);
  rig_exit(rig);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_up, rig_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_RIG(a_full_stream_takes_no_record_and_no_command),
      WITH_RIG(a_jvm_that_lets_its_stream_run_full_is_stalled_and_stays),
      WITH_RIG(what_was_not_told_is_said_to_be_missing_before_anything_else_is_told),
      WITH_RIG(a_jvm_that_answers_but_says_it_reads_nothing_stays_stalled),
      WITH_RIG(the_next_jvm_has_missed_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
