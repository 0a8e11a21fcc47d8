/* SPDX-License-Identifier: Apache-2.0 */
/* What happens when the first rung does not hold: lost swaps, deadlines, no JVM, decisions that make no sense. */
#include <errno.h>
#include <string.h>

#include "rig.h"

static uint64_t *entry(struct rig *rig, unsigned index) {
  return fake_guest_entry(&rig->guest, FAKE_TABLE, index);
}

static void judged_on_what_it_replaces_or_again_under_a_new_sequence(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 0);
  struct pt_exit_record first = rig_exit(rig);
  *entry(rig, 0) = 0x20; /* the page walker sets A */
  rig_write(rig, &first, 0, 8, 0x1000);
  rig_no_reply(rig);
  assert_int_equal(*entry(rig, 0), 0x20);
  struct pt_outcome_record lost = rig_outcome(rig);
  assert_int_equal(lost.result, PT_RESULT_LOST_SWAP);
  assert_int_equal(lost.mask, 0);
  assert_int_equal(lost.stores, 0);
  struct pt_exit_record again = rig_exit(rig);
  assert_true(again.head.sequence > first.head.sequence);
  assert_int_equal(again.first, first.head.sequence);
  assert_int_equal(again.round, 1);
  assert_int_equal(again.window[0], 0x20);
  rig_write(rig, &again, 0, 8, 0x1000);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_REGISTERS);
  pt_outcome(rig->monitor, 0);
  struct pt_outcome_record outcome = rig_outcome(rig);
  assert_int_equal(outcome.replaced[0], 0x20);
  assert_int_equal(outcome.first, first.head.sequence);
  assert_int_equal(outcome.round, 1);
  assert_int_equal(pt_counters(rig->monitor)->swap_conflicts, 1);
  assert_int_equal(pt_counters(rig->monitor)->retried, 1);
  assert_int_equal(pt_counters(rig->monitor)->exits, 1);
}

static void what_is_swapped_stays_and_the_rest_is_judged_again(void **state) {
  struct rig *rig = *state;
  *entry(rig, 0) = 0x1111111111111111;
  *entry(rig, 1) = 0x2222222222222222;
  rig_submit(rig, 0, 4);
  struct pt_exit_record exit = rig_exit(rig);
  *entry(rig, 1) = 0x3333333333333333;
  rig_write(rig, &exit, 4, 8, 0xABCDEF0102030405);
  rig_no_reply(rig);
  assert_int_equal(*entry(rig, 0), 0x0203040511111111);
  assert_int_equal(*entry(rig, 1), 0x3333333333333333);
  struct pt_outcome_record partial = rig_outcome(rig);
  assert_int_equal(partial.result, PT_RESULT_LOST_SWAP);
  assert_int_equal(partial.mask, 0xF0);
  exit = rig_exit(rig);
  assert_int_equal(exit.done, 0xF0);
  assert_int_equal(*(uint64_t *)(void *)exit.window, 0x1111111111111111); /* as it was before */
  assert_int_equal(*(uint64_t *)(void *)(exit.window + 8), 0x3333333333333333);
  rig_write(rig, &exit, 4, 8, 0xABCDEF0102030405);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_REGISTERS);
  assert_int_equal(*entry(rig, 0), 0x0203040511111111);
  assert_int_equal(*entry(rig, 1), 0x33333333ABCDEF01);
  pt_outcome(rig->monitor, 0);
  assert_int_equal(rig_outcome(rig).mask, 0xF00);
  assert_int_equal(pt_counters(rig->monitor)->stores, 1);
}

/* Found by model/: the first vCPU makes entry 0 what the second was judged on, and the second loses its other entry. */
static void what_a_lost_swap_has_written_is_told_after_what_it_replaced(void **state) {
  struct rig *rig = *state;
  *entry(rig, 0) = 0x10;
  rig_submit(rig, 1, 4);
  struct pt_exit_record second = rig_exit(rig);
  for (uint64_t value = 0x11; value >= 0x10; value--) {
    rig_submit(rig, 0, 0);
    struct pt_exit_record first = rig_exit(rig);
    if (value == 0x10) {
      *entry(rig, 1) = 0x20; /* the page walker sets A */
      rig_write(rig, &second, 4, 8, 0xABCDEF0102030405);
    }
    rig_write(rig, &first, 0, 8, value);
    assert_int_equal(rig_reply(rig).vcpu, 0);
    assert_int_equal(pt_outcome(rig->monitor, 0), 0);
    struct pt_outcome_record outcome = rig_outcome(rig);
    assert_int_equal(outcome.result, PT_RESULT_APPLIED);
    assert_int_equal(outcome.bytes[0], value);
  }
  struct pt_outcome_record lost = rig_outcome(rig);
  assert_int_equal(lost.result, PT_RESULT_LOST_SWAP);
  assert_int_equal(lost.replaced[0], 0x10);
  assert_int_equal(rig_exit(rig).done, 0xF0);
  assert_int_equal(pt_counters(rig->monitor)->stores, 2);
}

/* A part is in memory: executing the instruction again could do it twice, so the rest is written as it was decided. */
static void a_half_done_write_is_finished_when_java_is_gone(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 4);
  struct pt_exit_record exit = rig_exit(rig);
  *entry(rig, 1) = 0x3333333333333333;
  rig_write(rig, &exit, 4, 8, 0xABCDEF0102030405);
  rig_no_reply(rig);
  *entry(rig, 1) = 0x4444444444444444;
  pt_detach_jvm(rig->monitor);
  struct pt_reply reply = rig_reply(rig);
  assert_int_equal(reply.kind, PT_REPLY_REGISTERS);
  assert_int_equal(reply.cpu.rip, exit.cpu.rip + 3);
  assert_int_equal(*entry(rig, 0), 0x0203040500000000);
  assert_int_equal(*entry(rig, 1), 0x44444444ABCDEF01);
  pt_outcome(rig->monitor, 0);
  assert_int_equal(pt_counters(rig->monitor)->fail_policy, 1);
  assert_int_equal(pt_counters(rig->monitor)->stores, 1);
}

static void after_eight_rounds_the_exit_is_stepped(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 0);
  for (unsigned round = 0; round < PT_MAX_ROUNDS; round++) {
    struct pt_exit_record exit = rig_exit(rig);
    assert_int_equal(exit.round, round);
    *entry(rig, 0) += 0x1000;
    rig_write(rig, &exit, 0, 8, 1);
    if (round + 1 < PT_MAX_ROUNDS)
      rig_no_reply(rig);
    else
      assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
    assert_int_equal(rig_outcome(rig).result, PT_RESULT_LOST_SWAP);
  }
  pt_outcome(rig->monitor, 0);
  assert_int_equal(rig_outcome(rig).cause, PT_CAUSE_ROUNDS);
  assert_int_equal(pt_counters(rig->monitor)->fail_policy, 1);
}

static void past_the_deadline_the_exit_is_stepped_and_a_late_decision_is_harmless(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 0);
  struct pt_exit_record exit = rig_exit(rig);
  rig_no_reply(rig);
  rig_pass_deadline(rig);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  pt_outcome(rig->monitor, 0);
  struct pt_outcome_record outcome = rig_outcome(rig);
  assert_int_equal(outcome.result, PT_RESULT_STEPPED);
  assert_int_equal(outcome.cause, PT_CAUSE_DEADLINE);
  assert_int_equal(outcome.decided_ns, 0);
  rig_write(rig, &exit, 0, 8, 0xDEAD);
  rig_no_reply(rig);
  rig_submit(rig, 0, 8);
  rig_no_reply(rig);
  assert_int_equal(*entry(rig, 0), 0);
  assert_int_equal(*entry(rig, 1), 0);
  assert_int_equal(pt_counters(rig->monitor)->stale, 1);
  assert_int_equal(pt_counters(rig->monitor)->timed_out, 1);
  struct pt_exit_record next = rig_exit(rig);
  rig_write(rig, &next, 0, 8, 0xBEEF);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_REGISTERS);
  assert_int_equal(*entry(rig, 1), 0xBEEF);
  assert_int_equal(pt_counters(rig->monitor)->stale, 1);
}

static void late_or_duplicate_answers_are_harmless(void **state) {
  struct rig *rig = *state;
  struct pt_reply replies[2];
  rig_submit(rig, 0, 0);
  struct pt_exit_record exit = rig_exit(rig);
  rig_write(rig, &exit, 0, 8, 0x1000);
  rig_write(rig, &exit, 0, 8, 0x1000);
  assert_int_equal(pt_poll(rig->monitor, replies, 2), 1);
  rig_write(rig, &exit, 0, 8, 0x2000); /* between reply and outcome */
  assert_int_equal(pt_poll(rig->monitor, replies, 2), 0);
  pt_outcome(rig->monitor, 0);
  assert_int_equal(rig_outcome(rig).bytes[1], 0x10);
  *entry(rig, 0) = 0; /* what the answer was judged on is there again */
  rig_write(rig, &exit, 0, 8, 0x3000);
  rig_no_reply(rig);
  rig_submit(rig, 0, 0);
  struct pt_exit_record next = rig_exit(rig);
  rig_no_reply(rig);
  assert_int_equal(*entry(rig, 0), 0);
  rig_write(rig, &next, 0, 8, 0x4000);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_REGISTERS);
  assert_int_equal(*entry(rig, 0), 0x4000);
  assert_int_equal(pt_counters(rig->monitor)->emulated, 1);
  assert_int_equal(pt_counters(rig->monitor)->stores, 1);
}

static void without_a_jvm_exits_are_stepped_at_once(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 0);
  pt_detach_jvm(rig->monitor);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  assert_int_equal(pt_outcome(rig->monitor, 0), 0);
  rig_submit(rig, 1, 0);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  assert_int_equal(pt_outcome(rig->monitor, 1), 0);
  assert_int_equal(pt_counters(rig->monitor)->fail_policy, 2);
  assert_int_equal(pt_counters(rig->monitor)->timed_out, 0);
}

static void a_new_generation_sees_only_what_comes_after_it(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 0);
  struct pt_exit_record old = rig_exit(rig);
  fake_java_detach(&rig->java);
  assert_int_equal(pt_attach_jvm(rig->monitor, &rig->channel), 0);
  assert_int_equal(fake_java_attach(&rig->java, &rig->channel), 0);
  assert_int_equal(rig->java.generation, 2);
  fake_java_ready(&rig->java);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  pt_outcome(rig->monitor, 0);
  assert_true(rig_outcome(rig).head.sequence > old.head.sequence);
}

struct hostile {
  const char *what;
  size_t offset;
  uint32_t value;
};

#define FIELD(name) offsetof(struct pt_decision, name)

static const struct hostile hostile[] = {
    {"no action", FIELD(action), 0},
    {"unknown action", FIELD(action), 99},
    {"emulation that the host does not offer", FIELD(action), PT_ACTION_HV_EMULATE},
    {"another generation", FIELD(generation), 7},
    {"unknown flag", FIELD(flags), 0x80},
    {"wide swap of eight bytes", FIELD(flags), PT_DECISION_WIDE},
    {"a register that does not exist", FIELD(gpr_mask), 0x10000},
    {"more stores than the window has bytes", FIELD(stores), 33},
    {"a jump forwards", FIELD(rip), FAKE_CODE_GVA + 0x10 + 16},
    {"a jump backwards", FIELD(rip), FAKE_CODE_GVA + 0xF},
    {"the trap flag", FIELD(rflags), 0x102},
    {"the interrupt flag", FIELD(rflags), 0x202},
    {"I/O privilege", FIELD(rflags), 0x3002},
    {"virtual-8086 mode", FIELD(rflags), 0x20002},
    {"the resume flag", FIELD(rflags), 0x10002},
};

static void a_decision_that_makes_no_sense_is_refused_and_stepped(void **state) {
  struct rig *rig = *state;
  for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
    rig_submit(rig, 0, 0);
    struct pt_exit_record exit = rig_exit(rig);
    struct pt_decision *decision = fake_java_decision(&rig->java, 0);
    fake_java_decide(&rig->java, &exit, PT_ACTION_WRITE, 3, decision);
    memset(decision->bytes, 0xEE, 8);
    decision->mask = 0xFF;
    memcpy((uint8_t *)decision + hostile[i].offset, &hostile[i].value, sizeof hostile[i].value);
    fake_java_publish(&rig->java, decision, exit.head.sequence);
    struct pt_reply reply = rig_reply(rig);
    if (reply.kind != PT_REPLY_STEP)
      print_error("not refused: %s\n", hostile[i].what);
    assert_int_equal(reply.kind, PT_REPLY_STEP);
    assert_int_equal(*entry(rig, 0), 0);
    pt_outcome(rig->monitor, 0);
    assert_int_equal(rig_outcome(rig).cause, PT_CAUSE_REFUSED);
    assert_int_equal(pt_counters(rig->monitor)->refused, i + 1);
  }
}

static void bytes_past_the_page_are_refused(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, FAKE_PAGE - 8);
  struct pt_exit_record exit = rig_exit(rig);
  rig_write(rig, &exit, 4, 8, ~0ull);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  assert_int_equal(*fake_guest_entry(&rig->guest, FAKE_TABLE + 1, 0), 0);
}

static void the_unknown_goes_down_the_ladder_never_out(void **state) {
  struct rig *rig = *state;
  struct pt_exit exit;
  fake_guest_exit(&rig->guest, 0, 0, &exit);
  exit.access &= ~(uint32_t)PT_ACCESS_GLA_VALID;
  assert_int_equal(pt_submit(rig->monitor, &exit), 0);
  fake_guest_exit(&rig->guest, 1, 0, &exit);
  exit.cpu.rip = 0x7FFF0000;
  assert_int_equal(pt_submit(rig->monitor, &exit), 0);
  struct pt_reply replies[4];
  assert_int_equal(pt_poll(rig->monitor, replies, 4), 1); /* one step on a frame at a time */
  assert_int_equal(replies[0].kind, PT_REPLY_STEP);
  pt_outcome(rig->monitor, replies[0].vcpu);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  assert_int_equal(rig_outcome(rig).cause, PT_CAUSE_INCOMPLETE);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_up, rig_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_RIG(judged_on_what_it_replaces_or_again_under_a_new_sequence),
      WITH_RIG(what_is_swapped_stays_and_the_rest_is_judged_again),
      WITH_RIG(what_a_lost_swap_has_written_is_told_after_what_it_replaced),
      WITH_RIG(a_half_done_write_is_finished_when_java_is_gone),
      WITH_RIG(after_eight_rounds_the_exit_is_stepped),
      WITH_RIG(past_the_deadline_the_exit_is_stepped_and_a_late_decision_is_harmless),
      WITH_RIG(late_or_duplicate_answers_are_harmless),
      WITH_RIG(without_a_jvm_exits_are_stepped_at_once),
      WITH_RIG(a_new_generation_sees_only_what_comes_after_it),
      WITH_RIG(a_decision_that_makes_no_sense_is_refused_and_stepped),
      WITH_RIG(bytes_past_the_page_are_refused),
      WITH_RIG(the_unknown_goes_down_the_ladder_never_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
