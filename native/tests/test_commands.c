/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "clock.h"
#include "rig.h"

static struct pt_completion_record command(struct rig *rig, uint32_t kind, uint64_t gpa, uint32_t length) {
  static uint64_t id = 100;
  fake_java_command(&rig->java, ++id, kind, gpa, length);
  rig_no_reply(rig);
  rig_no_reply(rig);
  struct pt_completion_record completion = rig_completion(rig);
  assert_int_equal(completion.command, id);
  assert_int_equal(completion.kind, kind);
  return completion;
}

static void a_frame_is_protected_before_it_is_read(void **state) {
  struct rig *rig = *state;
  *fake_guest_entry(&rig->guest, FAKE_PD, 7) = 0xABCD;
  struct pt_completion_record read = command(rig, PT_COMMAND_PROTECT_READ, FAKE_PD * FAKE_PAGE + 56, 8);
  assert_int_equal(read.status, 0);
  assert_int_equal(read.length, 8);
  assert_int_equal(*(uint64_t *)(void *)read.data, 0xABCD);
  assert_true(rig->guest.restricted[FAKE_PD]);
}

static void protections_are_counted(void **state) {
  struct rig *rig = *state;
  command(rig, PT_COMMAND_PROTECT_READ, FAKE_PD * FAKE_PAGE, 8);
  command(rig, PT_COMMAND_PROTECT_READ, FAKE_PD * FAKE_PAGE + 8, 8);
  assert_int_equal(command(rig, PT_COMMAND_RELEASE, FAKE_PD * FAKE_PAGE, 0).status, 0);
  assert_true(rig->guest.restricted[FAKE_PD]);
  assert_int_equal(command(rig, PT_COMMAND_RELEASE, FAKE_PD * FAKE_PAGE, 0).status, 0);
  assert_false(rig->guest.restricted[FAKE_PD]);
  assert_int_equal(command(rig, PT_COMMAND_RELEASE, FAKE_PD * FAKE_PAGE, 0).status, -ENOENT);
}

static void reading_protects_nothing(void **state) {
  struct rig *rig = *state;
  assert_int_equal(command(rig, PT_COMMAND_READ, FAKE_CODE * FAKE_PAGE + 3, 100).length, 100);
  assert_false(rig->guest.restricted[FAKE_CODE]);
}

static void a_range_is_protected_in_pieces(void **state) {
  struct rig *rig = *state;
  assert_int_equal(command(rig, PT_COMMAND_PROTECT_RANGE, 20 * FAKE_PAGE + 100, 3 * FAKE_PAGE).status, 0);
  for (unsigned gfn = 19; gfn < 25; gfn++)
    assert_int_equal(rig->guest.restricted[gfn], gfn >= 20 && gfn < 24);
}

static void what_makes_no_sense_is_refused_and_changes_nothing(void **state) {
  struct rig *rig = *state;
  const uint64_t outside = (uint64_t)FAKE_FRAMES * FAKE_PAGE;
  assert_int_equal(command(rig, 77, 0, 8).status, -ENOSYS);
  assert_int_equal(command(rig, PT_COMMAND_READ, outside, 8).status, -ENOENT);
  assert_int_equal(command(rig, PT_COMMAND_READ, 0, 0).status, -EINVAL);
  assert_int_equal(command(rig, PT_COMMAND_READ, 0, PT_COMPLETION_BYTES + 1).status, -EINVAL);
  assert_int_equal(command(rig, PT_COMMAND_READ, FAKE_PAGE - 4, 8).status, -EINVAL);
  assert_int_equal(command(rig, PT_COMMAND_PROTECT_READ, outside, 8).status, -ENOENT);
  assert_int_equal(command(rig, PT_COMMAND_PROTECT_READ, 5 * FAKE_PAGE - 4, 8).status, -EINVAL);
  assert_false(rig->guest.restricted[4]);
  assert_int_equal(command(rig, PT_COMMAND_PROTECT_RANGE, outside - FAKE_PAGE, 2 * FAKE_PAGE).status, -EINVAL);
  assert_int_equal(command(rig, PT_COMMAND_PROTECT_RANGE, UINT64_MAX - 100, 4096).status, -EINVAL);
  assert_int_equal(command(rig, PT_COMMAND_RELEASE, UINT64_MAX, 0).status, -ENOENT);
}

static void a_protection_that_the_hypervisor_refuses_is_undone(void **state) {
  struct rig *rig = *state;
  unsigned mapped = rig->guest.mapped;
  rig->guest.fail_access = -EPERM;
  assert_int_equal(command(rig, PT_COMMAND_PROTECT_RANGE, 30 * FAKE_PAGE, 4 * FAKE_PAGE).status, -EPERM);
  assert_int_equal(rig->guest.mapped, mapped);
  assert_int_equal(command(rig, PT_COMMAND_RELEASE, 30 * FAKE_PAGE, 0).status, -ENOENT);
}

static void a_count_that_runs_ahead_is_left_alone(void **state) {
  struct rig *rig = *state;
  uint64_t done = pt_counters(rig->monitor)->commands;
  rig->java.decisions->commands_published = done + PT_COMMAND_COUNT + 1;
  rig_no_reply(rig);
  rig->java.decisions->commands_published = 0;
  rig_no_reply(rig);
  assert_int_equal(pt_counters(rig->monitor)->commands, done);
  assert_true(pt_prepare_sleep(rig->monitor));
  pt_awake(rig->monitor);
}

static void readiness_waits_for_the_commands_before_it(void **state) {
  struct rig *rig = *state;
  rig->java.decisions->ready = 0;
  assert_false(pt_ready(rig->monitor));
  fake_java_command(&rig->java, 5, PT_COMMAND_PROTECT_RANGE, 40 * FAKE_PAGE, FAKE_PAGE);
  fake_java_ready(&rig->java);
  assert_false(pt_ready(rig->monitor));
  rig_no_reply(rig);
  rig_no_reply(rig);
  assert_true(pt_ready(rig->monitor));
}

static void protections_outlive_a_jvm_until_the_next_one_is_ready(void **state) {
  struct rig *rig = *state;
  command(rig, PT_COMMAND_PROTECT_RANGE, 20 * FAKE_PAGE, 20 * FAKE_PAGE);
  fake_java_detach(&rig->java);
  pt_detach_jvm(rig->monitor);
  rig_no_reply(rig);
  assert_true(rig->guest.restricted[25]);
  assert_int_equal(pt_attach_jvm(rig->monitor, &rig->channel), 0);
  assert_int_equal(fake_java_attach(&rig->java, &rig->channel), 0);
  assert_int_equal(command(rig, PT_COMMAND_RELEASE, 25 * FAKE_PAGE, 0).status, -ENOENT);
  command(rig, PT_COMMAND_PROTECT_READ, 25 * FAKE_PAGE, 8);
  assert_true(rig->guest.restricted[FAKE_TABLE]);
  fake_java_ready(&rig->java);
  rig_no_reply(rig);
  for (unsigned gfn = 0; gfn < FAKE_FRAMES; gfn++)
    assert_int_equal(rig->guest.restricted[gfn], gfn == 25);
  assert_int_equal(command(rig, PT_COMMAND_RELEASE, 25 * FAKE_PAGE, 0).status, 0);
  assert_false(rig->guest.restricted[25]);
}

static void slow_commands_do_not_hold_up_an_exit(void **state) {
  struct rig *rig = *state;
  struct pt_reply reply;
  rig->guest.access_us = 3000; /* the deadline is 20 ms */
  for (unsigned i = 0; i < 12; i++)
    fake_java_command(&rig->java, i, PT_COMMAND_PROTECT_READ, (30 + i) * FAKE_PAGE, 8);
  rig_submit(rig, 0, 8);
  struct pt_exit_record exit = rig_exit(rig);
  rig_write(rig, &exit, 0, 8, 0xABC);
  uint64_t begin = pt_now_ns(), done = pt_counters(rig->monitor)->commands;
  assert_int_equal(pt_poll(rig->monitor, &reply, 1), 1);
  assert_true(pt_now_ns() - begin < 12 * 3000000ull);
  assert_int_equal(pt_counters(rig->monitor)->commands - done, 1);
  assert_int_equal(pt_outcome(rig->monitor, 0), 0);
  for (unsigned i = 1; i < 12; i++)
    rig_no_reply(rig);
  assert_int_equal(pt_counters(rig->monitor)->commands - done, 12);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_up, rig_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_RIG(a_frame_is_protected_before_it_is_read),
      WITH_RIG(protections_are_counted),
      WITH_RIG(reading_protects_nothing),
      WITH_RIG(a_range_is_protected_in_pieces),
      WITH_RIG(what_makes_no_sense_is_refused_and_changes_nothing),
      WITH_RIG(a_protection_that_the_hypervisor_refuses_is_undone),
      WITH_RIG(a_count_that_runs_ahead_is_left_alone),
      WITH_RIG(protections_outlive_a_jvm_until_the_next_one_is_ready),
      WITH_RIG(readiness_waits_for_the_commands_before_it),
      WITH_RIG(slow_commands_do_not_hold_up_an_exit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
