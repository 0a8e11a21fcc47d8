/* SPDX-License-Identifier: Apache-2.0 */
/* A JVM that does not answer in time: what it costs the guest, and how it is trusted again. */
#include <unistd.h>

#include "clock.h"
#include "monitor.h"
#include "rig.h"

#define DEADLINE_NS 20000000u

/* One exit that Java does not answer, from taking it to the end of its step. Returns how long its vCPU waited. */
static uint64_t unanswered(struct rig *rig) {
  struct pt_reply reply;
  uint64_t begin = pt_now_ns();
  rig_submit(rig, 0, 8);
  while (pt_poll(rig->monitor, &reply, 1) == 0)
    assert_true(pt_now_ns() - begin < 100 * (uint64_t)DEADLINE_NS);
  uint64_t waited = pt_now_ns() - begin;
  assert_int_equal(reply.kind, PT_REPLY_STEP);
  assert_int_equal(pt_outcome(rig->monitor, 0), 0);
  return waited;
}

static void stall(struct rig *rig) {
  for (unsigned i = 0; i < PT_STALL_MISSES; i++) {
    assert_int_equal(pt_stalled_since(rig->monitor), 0);
    unanswered(rig);
  }
  assert_true(pt_stalled_since(rig->monitor) > 0);
}

/* Reads whatever there is; answers nothing. */
static void catch_up(struct rig *rig) {
  while (fake_java_take(&rig->java))
    fake_java_consumed(&rig->java);
}

static uint64_t now_by_policy(struct rig *rig) {
  uint64_t missed = pt_counters(rig->monitor)->timed_out;
  rig_submit(rig, 1, 16);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  assert_int_equal(pt_outcome(rig->monitor, 1), 0);
  return pt_counters(rig->monitor)->timed_out - missed;
}

static void with_no_jvm_exits_are_answered_at_once(void **state) {
  struct rig *rig = *state;
  pt_detach_jvm(rig->monitor);
  for (unsigned i = 0; i < 100; i++)
    assert_int_equal(now_by_policy(rig), 0);
  assert_int_equal(pt_counters(rig->monitor)->fail_policy, 100);
}

static void a_jvm_that_is_starting_is_not_waited_for_and_does_not_fall_behind(void **state) {
  struct rig *rig = *state;
  fake_java_detach(&rig->java);
  assert_int_equal(pt_attach_jvm(rig->monitor, &rig->channel), 0);
  assert_int_equal(fake_java_attach(&rig->java, &rig->channel), 0);
  for (unsigned i = 0; i < 2 * PT_SLOT_COUNT; i++)
    assert_int_equal(now_by_policy(rig), 0);
  assert_true(pt_attached(rig->monitor));
  assert_null(fake_java_take(&rig->java));
  fake_java_command(&rig->java, 1, PT_COMMAND_READ, FAKE_TABLE * FAKE_PAGE, 8);
  rig_no_reply(rig);
  rig_completion(rig);
  now_by_policy(rig);
  assert_int_equal(rig_outcome(rig).cause, PT_CAUSE_NO_JVM); /* what it has read must stay true */
  fake_java_ready(&rig->java);
  rig_submit(rig, 0, 8);
  rig_no_reply(rig);
  rig_exit(rig);
}

static void a_stalled_jvm_costs_a_few_deadlines_not_one_each(void **state) {
  struct rig *rig = *state;
  stall(rig);
  for (unsigned i = 0; i < 500; i++)
    assert_int_equal(now_by_policy(rig), 0);
  assert_true(pt_attached(rig->monitor));
  assert_int_equal(pt_counters(rig->monitor)->timed_out, PT_STALL_MISSES);
  assert_int_equal(pt_counters(rig->monitor)->stalls, 1);
  assert_int_equal(pt_counters(rig->monitor)->replies, 500 + PT_STALL_MISSES);
}

static void who_waits_when_the_jvm_is_found_stalled_waits_no_longer(void **state) {
  struct rig *rig = *state;
  struct pt_exit late;
  struct pt_reply replies[2];
  for (unsigned i = 1; i < PT_STALL_MISSES; i++)
    unanswered(rig);
  rig_submit(rig, 0, 8);
  fake_guest_exit(&rig->guest, 1, 512, &late);
  late.taken_ns = 0; /* its deadline is over */
  assert_int_equal(pt_submit(rig->monitor, &late), 0);
  assert_int_equal(pt_poll(rig->monitor, replies, 1), 1);
  assert_int_equal(replies[0].vcpu, 1);
  assert_int_equal(pt_outcome(rig->monitor, 1), 0);
  assert_false(pt_prepare_sleep(rig->monitor));
  assert_int_equal(rig_reply(rig).vcpu, 0);
  assert_int_equal(pt_outcome(rig->monitor, 0), 0);
  assert_int_equal(pt_counters(rig->monitor)->timed_out, PT_STALL_MISSES);
}

static void answer_one(struct rig *rig) {
  rig_submit(rig, 0, 8);
  rig_no_reply(rig);
  struct pt_exit_record exit = rig_exit(rig);
  rig_write(rig, &exit, 0, 8, 0xABC);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_REGISTERS);
  assert_int_equal(pt_outcome(rig->monitor, 0), 0);
  catch_up(rig);
}

static void a_jvm_that_comes_back_is_trusted_again(void **state) {
  struct rig *rig = *state;
  stall(rig);
  now_by_policy(rig);
  catch_up(rig);
  assert_true(pt_stalled_since(rig->monitor) > 0); /* not at once */
  usleep(PT_STALL_TRIAL_NS / 1000);
  assert_int_equal(pt_stalled_since(rig->monitor), 0);
  for (unsigned i = 0; i < (PT_STALL_MISSES - 1) * PT_STALL_FORGIVEN; i++)
    answer_one(rig);
  stall(rig); /* it takes as many misses as ever */
  assert_int_equal(pt_counters(rig->monitor)->stalls, 2);
}

static void answered_exits_forgive_missed_deadlines(void **state) {
  struct rig *rig = *state;
  for (unsigned i = 0; i < 2 * PT_STALL_MISSES; i++) {
    unanswered(rig);
    catch_up(rig);
    for (unsigned n = 0; n < PT_STALL_FORGIVEN; n++)
      answer_one(rig);
  }
  assert_int_equal(pt_counters(rig->monitor)->stalls, 0);
}

/* The answer leads to a second round, which then gets none: the exit costs a deadline all the same. */
static void half_an_answer_forgives_nothing(void **state) {
  struct rig *rig = *state;
  for (unsigned i = 0; i < PT_STALL_MISSES; i++) {
    rig_submit(rig, 0, 8);
    struct pt_exit_record exit = rig_exit(rig);
    *fake_guest_entry(&rig->guest, FAKE_TABLE, 1) += 0x20;
    rig_write(rig, &exit, 0, 8, 0xABC);
    rig_no_reply(rig);
    rig_pass_deadline(rig);
    assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
    assert_int_equal(pt_outcome(rig->monitor, 0), 0);
    catch_up(rig);
  }
  assert_int_equal(pt_counters(rig->monitor)->stalls, 1);
}

/* Whoever answers now and then is stalled by what it leaves unanswered. */
static void a_jvm_that_answers_every_third_exit_is_stalled_too(void **state) {
  struct rig *rig = *state;
  for (unsigned i = 0; pt_stalled_since(rig->monitor) == 0; i++) {
    assert_true(i < 4 * PT_STALL_MISSES);
    if (i % 3 == 2)
      answer_one(rig);
    else
      unanswered(rig);
    catch_up(rig);
  }
  assert_true(pt_counters(rig->monitor)->timed_out <= PT_STALL_MISSES + 1);
}

static void a_jvm_that_reads_and_never_answers_is_tried_rarely(void **state) {
  struct rig *rig = *state;
  stall(rig);
  uint64_t begin = pt_now_ns(), since = pt_stalled_since(rig->monitor);
  while (pt_now_ns() - begin < 3 * PT_STALL_TRIAL_NS) {
    catch_up(rig);
    unanswered(rig);
  }
  uint64_t trials = pt_counters(rig->monitor)->timed_out - PT_STALL_MISSES;
  assert_true(trials >= 2 && trials <= 4);
  uint64_t last = pt_stalled_since(rig->monitor);
  assert_true(last == since || last == 0); /* one stall, however often it was tried */
}

static void a_jvm_that_claims_to_be_ahead_has_not_caught_up(void **state) {
  struct rig *rig = *state;
  stall(rig);
  usleep(PT_STALL_TRIAL_NS / 1000);
  rig->java.decisions->consumed = rig->java.stream->cursor + 1;
  assert_true(pt_stalled_since(rig->monitor) > 0);
  rig->java.decisions->consumed = UINT64_MAX;
  assert_true(pt_stalled_since(rig->monitor) > 0);
}

static void the_longest_pause_is_kept_by_cause(void **state) {
  struct rig *rig = *state;
  const struct pt_counters *counters = pt_counters(rig->monitor);
  answer_one(rig);
  assert_true(counters->longest_decided_ns > 0);
  assert_int_equal(counters->longest_pause_ns, counters->longest_decided_ns);
  uint64_t waited = unanswered(rig);
  assert_true(counters->longest_late_ns >= DEADLINE_NS && counters->longest_late_ns >= waited);
  assert_int_equal(counters->longest_pause_ns, counters->longest_late_ns);
  pt_detach_jvm(rig->monitor);
  now_by_policy(rig);
  assert_true(counters->longest_no_jvm_ns > 0 && counters->longest_no_jvm_ns < DEADLINE_NS);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_up, rig_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_RIG(with_no_jvm_exits_are_answered_at_once),
      WITH_RIG(a_jvm_that_is_starting_is_not_waited_for_and_does_not_fall_behind),
      WITH_RIG(a_stalled_jvm_costs_a_few_deadlines_not_one_each),
      WITH_RIG(who_waits_when_the_jvm_is_found_stalled_waits_no_longer),
      WITH_RIG(a_jvm_that_comes_back_is_trusted_again),
      WITH_RIG(answered_exits_forgive_missed_deadlines),
      WITH_RIG(half_an_answer_forgives_nothing),
      WITH_RIG(a_jvm_that_answers_every_third_exit_is_stalled_too),
      WITH_RIG(a_jvm_that_reads_and_never_answers_is_tried_rarely),
      WITH_RIG(a_jvm_that_claims_to_be_ahead_has_not_caught_up),
      WITH_RIG(the_longest_pause_is_kept_by_cause),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
