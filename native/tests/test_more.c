/* SPDX-License-Identifier: Apache-2.0 */
/* MORE as a rung of the ladder: new sequences, rounds, the deadline, and what is in memory already. */
#include <string.h>

#include "clock.h"
#include "rig.h"

#define SOURCE_GVA (FAKE_CODE_GVA + 0x100)

static uint64_t *entry(struct rig *rig, unsigned index) {
  return fake_guest_entry(&rig->guest, FAKE_TABLE, index);
}

static uint64_t *source(struct rig *rig) {
  return fake_guest_entry(&rig->guest, FAKE_CODE, 0x100 / 8);
}

/* The first 8 bytes of the source that the record holds. */
static uint64_t attached(const struct pt_exit_record *exit) {
  uint64_t value;
  memcpy(&value, exit->source, sizeof value);
  return value;
}

static void a_more_decision_publishes_again_with_what_was_asked_for(void **state) {
  struct rig *rig = *state;
  memset(rig->guest.xmm[7], 0x77, PT_XMM_BYTES);
  *source(rig) = 0x1122334455667788;
  rig_submit(rig, 0, 0);
  struct pt_exit_record first = rig_exit(rig);
  assert_int_equal(first.attached, 0);
  rig_more(rig, &first, PT_MORE_SOURCE | PT_MORE_XMM, SOURCE_GVA, 8, 7);
  rig_no_reply(rig);
  struct pt_exit_record again = rig_exit(rig); /* no outcome comes between */
  assert_true(again.head.sequence > first.head.sequence);
  assert_int_equal(again.first, first.head.sequence);
  assert_int_equal(again.round, 1);
  assert_int_equal(again.attached, PT_MORE_SOURCE | PT_MORE_XMM);
  assert_int_equal(again.source_count, 8);
  assert_int_equal(again.source_aliased, 0);
  assert_int_equal(attached(&again), 0x1122334455667788);
  assert_int_equal(again.xmm_register, 7);
  assert_memory_equal(again.xmm, rig->guest.xmm[7], PT_XMM_BYTES);
  rig_write(rig, &again, 0, 8, attached(&again));
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_REGISTERS);
  pt_outcome(rig->monitor, 0);
  struct pt_outcome_record outcome = rig_outcome(rig);
  assert_int_equal(outcome.result, PT_RESULT_APPLIED);
  assert_int_equal(outcome.exit, again.head.sequence);
  assert_int_equal(*entry(rig, 0), 0x1122334455667788);
  assert_int_equal(pt_counters(rig->monitor)->more, 1);
  assert_int_equal(pt_counters(rig->monitor)->retried, 1);
  assert_int_equal(pt_counters(rig->monitor)->exits, 1);
  assert_int_equal(pt_counters(rig->monitor)->stores, 1);
}

static void an_answer_to_the_round_before_more_is_stale(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 0);
  struct pt_exit_record first = rig_exit(rig);
  rig_more(rig, &first, PT_MORE_SOURCE, SOURCE_GVA, 8, 0);
  rig_no_reply(rig);
  struct pt_exit_record again = rig_exit(rig);
  rig_write(rig, &first, 0, 8, 0xDEAD);
  rig_no_reply(rig);
  assert_int_equal(*entry(rig, 0), 0);
  rig_write(rig, &again, 0, 8, 0xBEEF);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_REGISTERS);
  assert_int_equal(*entry(rig, 0), 0xBEEF);
}

static void judged_on_what_it_replaces_after_more_too(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 0);
  struct pt_exit_record exit = rig_exit(rig);
  *entry(rig, 0) = 0x60; /* the page walker, before Java has what it asked for */
  rig_more(rig, &exit, PT_MORE_SOURCE, SOURCE_GVA, 8, 0);
  rig_no_reply(rig);
  exit = rig_exit(rig);
  assert_int_equal(exit.window[0], 0x60);
  *entry(rig, 0) = 0x40;
  rig_write(rig, &exit, 0, 8, 0x1000);
  rig_no_reply(rig);
  assert_int_equal(*entry(rig, 0), 0x40);
  assert_int_equal(rig_outcome(rig).result, PT_RESULT_LOST_SWAP);
  assert_int_equal(rig_exit(rig).round, 2);
}

static void the_deadline_is_that_of_the_first_publication(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 0);
  uint64_t deadline = pt_next_deadline(rig->monitor);
  struct pt_exit_record exit = rig_exit(rig);
  rig_more(rig, &exit, PT_MORE_SOURCE, SOURCE_GVA, 8, 0);
  rig_no_reply(rig);
  assert_int_equal(pt_next_deadline(rig->monitor), deadline);
  rig_pass_deadline(rig);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  pt_outcome(rig->monitor, 0);
  exit = rig_exit(rig);
  struct pt_outcome_record outcome = rig_outcome(rig);
  assert_int_equal(outcome.cause, PT_CAUSE_DEADLINE);
  assert_true(outcome.published_ns < exit.published_ns);
}

static void more_for_ever_ends_in_a_step_after_eight_rounds(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 0);
  for (unsigned round = 0; round < PT_MAX_ROUNDS; round++) {
    struct pt_exit_record exit = rig_exit(rig);
    assert_int_equal(exit.round, round);
    rig_more(rig, &exit, PT_MORE_SOURCE | PT_MORE_XMM, SOURCE_GVA + round, 8, round);
    if (round + 1 < PT_MAX_ROUNDS)
      rig_no_reply(rig);
    else
      assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  }
  pt_outcome(rig->monitor, 0);
  struct pt_outcome_record outcome = rig_outcome(rig);
  assert_int_equal(outcome.result, PT_RESULT_STEPPED);
  assert_int_equal(outcome.cause, PT_CAUSE_ROUNDS);
  assert_int_equal(pt_counters(rig->monitor)->fail_policy, 1);
  assert_int_equal(pt_counters(rig->monitor)->stores, 1);
}

static void without_java_an_exit_that_waits_for_more_is_stepped(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 0);
  struct pt_exit_record exit = rig_exit(rig);
  rig_more(rig, &exit, PT_MORE_SOURCE, SOURCE_GVA, 8, 0);
  rig_no_reply(rig);
  pt_detach_jvm(rig->monitor);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  assert_int_equal(pt_outcome(rig->monitor, 0), 0);
}

static void the_source_is_read_afresh_while_nothing_is_done(void **state) {
  struct rig *rig = *state;
  *source(rig) = 0x1111111111111111;
  rig_submit(rig, 0, 0);
  struct pt_exit_record exit = rig_exit(rig);
  rig_more(rig, &exit, PT_MORE_SOURCE, SOURCE_GVA, 8, 0);
  rig_no_reply(rig);
  exit = rig_exit(rig);
  *source(rig) = 0x2222222222222222;
  *entry(rig, 0) = 0x20;
  rig_write(rig, &exit, 0, 8, attached(&exit));
  rig_no_reply(rig);
  rig_outcome(rig);
  exit = rig_exit(rig);
  assert_int_equal(exit.attached, PT_MORE_SOURCE); /* not asked for again */
  assert_int_equal(attached(&exit), 0x2222222222222222);
}

/* An 8-byte MOVS over two entries of which the second swap is lost, while its source changes. */
static void committed_entries_are_never_taken_back(void **state) {
  struct rig *rig = *state;
  *source(rig) = 0xABCDEF0102030405;
  rig_submit(rig, 0, 4);
  struct pt_exit_record exit = rig_exit(rig);
  rig_more(rig, &exit, PT_MORE_SOURCE, SOURCE_GVA, 8, 0);
  rig_no_reply(rig);
  exit = rig_exit(rig);
  *entry(rig, 1) = 0x3333333333333333;
  rig_write(rig, &exit, 4, 8, attached(&exit));
  rig_no_reply(rig);
  assert_int_equal(rig_outcome(rig).mask, 0xF0);
  *source(rig) = 0;
  exit = rig_exit(rig);
  assert_int_equal(exit.done, 0xF0);
  assert_int_equal(exit.source_count, 8);
  assert_int_equal(attached(&exit), 0xABCDEF0102030405); /* what the first half was computed from */
  *entry(rig, 1) = 0x4444444444444444;
  rig_write(rig, &exit, 4, 8, attached(&exit));
  rig_no_reply(rig);
  rig_outcome(rig);
  exit = rig_exit(rig);
  assert_int_equal(attached(&exit), 0xABCDEF0102030405);
  rig_write(rig, &exit, 4, 8, attached(&exit));
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_REGISTERS);
  assert_int_equal(*entry(rig, 0), 0x0203040500000000);
  assert_int_equal(*entry(rig, 1), 0x44444444ABCDEF01);
}

/* A 16-byte MOVUPS over two entries, likewise. */
static void registers_stay_attached_while_the_rest_is_judged_again(void **state) {
  struct rig *rig = *state;
  memset(rig->guest.xmm[3], 0x5A, PT_XMM_BYTES);
  rig_submit(rig, 0, 8);
  struct pt_exit_record exit = rig_exit(rig);
  rig_more(rig, &exit, PT_MORE_XMM, 0, 0, 3);
  rig_no_reply(rig);
  exit = rig_exit(rig);
  *entry(rig, 2) = 0x3333333333333333;
  struct pt_decision *decision = fake_java_decision(&rig->java, 0);
  for (unsigned round = 0; round < 2; round++) {
    fake_java_decide(&rig->java, &exit, PT_ACTION_WRITE, 3, decision);
    memcpy(decision->bytes, exit.xmm, PT_XMM_BYTES);
    decision->mask = 0xFFFF & ~exit.done;
    fake_java_publish(&rig->java, decision, exit.head.sequence);
    if (round == 1)
      break;
    rig_no_reply(rig);
    assert_int_equal(rig_outcome(rig).mask, 0xFF);
    exit = rig_exit(rig);
    assert_int_equal(exit.done, 0xFF);
    assert_int_equal(exit.xmm_register, 3);
    assert_memory_equal(exit.xmm, rig->guest.xmm[3], PT_XMM_BYTES);
  }
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_REGISTERS);
  assert_int_equal(*entry(rig, 1), 0x5A5A5A5A5A5A5A5A);
  assert_int_equal(*entry(rig, 2), 0x5A5A5A5A5A5A5A5A);
}

/* Only a Java gone wrong asks then: what is done was computed without it. The rest is written as it was decided. */
static void more_for_a_half_done_write_is_refused(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 4);
  struct pt_exit_record exit = rig_exit(rig);
  *entry(rig, 1) = 0x3333333333333333;
  rig_write(rig, &exit, 4, 8, 0xABCDEF0102030405);
  rig_no_reply(rig);
  rig_outcome(rig);
  exit = rig_exit(rig);
  rig_more(rig, &exit, PT_MORE_SOURCE, SOURCE_GVA, 8, 0);
  struct pt_reply reply = rig_reply(rig);
  assert_int_equal(reply.kind, PT_REPLY_REGISTERS);
  assert_int_equal(reply.cpu.rip, exit.cpu.rip + 3);
  assert_int_equal(*entry(rig, 0), 0x0203040500000000);
  assert_int_equal(*entry(rig, 1), 0x33333333ABCDEF01);
  assert_int_equal(pt_counters(rig->monitor)->refused, 1);
}

static void every_round_judges_the_instruction_of_the_first(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 0);
  struct pt_exit_record first = rig_exit(rig);
  memset(&rig->guest.ram[FAKE_CODE][0x10], 0x90, PT_INSN_BYTES); /* another vCPU patches the code */
  rig_more(rig, &first, PT_MORE_SOURCE, SOURCE_GVA, 8, 0);
  rig_no_reply(rig);
  struct pt_exit_record again = rig_exit(rig);
  assert_int_equal(again.insn_count, PT_INSN_BYTES);
  assert_memory_equal(again.insn, first.insn, PT_INSN_BYTES);
  rig_write(rig, &again, 0, 8, 1);
  rig_reply(rig);
  pt_outcome(rig->monitor, 0);
  rig_outcome(rig);
  rig_submit(rig, 0, 0);
  assert_int_equal(rig_exit(rig).insn[0], 0x90); /* the next exit sees the new one */
}

static void what_one_exit_asked_for_the_next_does_not_carry(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 0);
  struct pt_exit_record exit = rig_exit(rig);
  rig_more(rig, &exit, PT_MORE_SOURCE | PT_MORE_XMM, SOURCE_GVA, 8, 1);
  rig_no_reply(rig);
  exit = rig_exit(rig);
  rig_write(rig, &exit, 0, 8, 1);
  rig_reply(rig);
  pt_outcome(rig->monitor, 0);
  rig_outcome(rig);
  rig_submit(rig, 0, 0);
  assert_int_equal(rig_exit(rig).attached, 0);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_up, rig_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_RIG(a_more_decision_publishes_again_with_what_was_asked_for),
      WITH_RIG(an_answer_to_the_round_before_more_is_stale),
      WITH_RIG(judged_on_what_it_replaces_after_more_too),
      WITH_RIG(the_deadline_is_that_of_the_first_publication),
      WITH_RIG(more_for_ever_ends_in_a_step_after_eight_rounds),
      WITH_RIG(without_java_an_exit_that_waits_for_more_is_stepped),
      WITH_RIG(the_source_is_read_afresh_while_nothing_is_done),
      WITH_RIG(committed_entries_are_never_taken_back),
      WITH_RIG(registers_stay_attached_while_the_rest_is_judged_again),
      WITH_RIG(more_for_a_half_done_write_is_refused),
      WITH_RIG(every_round_judges_the_instruction_of_the_first),
      WITH_RIG(what_one_exit_asked_for_the_next_does_not_carry),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
