/* SPDX-License-Identifier: Apache-2.0 */
/* One exit from submit to outcome, where all goes well. */
#include <string.h>

#include "rig.h"

static void the_record_is_complete(void **state) {
  struct rig *rig = *state;
  *fake_guest_entry(&rig->guest, FAKE_TABLE, 3) = 0x1122334455667788;
  rig_submit(rig, 1, 3 * 8 + 2);
  struct pt_exit_record exit = rig_exit(rig);
  assert_int_equal(exit.head.vcpu, 1);
  assert_int_equal(exit.first, exit.head.sequence);
  assert_int_equal(exit.round, 0);
  assert_int_equal(exit.view, 1);
  assert_int_equal(exit.gpa, FAKE_TABLE * FAKE_PAGE + 26);
  assert_int_equal(exit.gla, FAKE_TABLE_GVA + 26);
  assert_int_equal(exit.insn_count, 16);
  assert_memory_equal(exit.insn, &rig->guest.ram[FAKE_CODE][0x10], 16);
  assert_int_equal(exit.window_count, 32);
  assert_memory_equal(exit.window, &rig->guest.ram[FAKE_TABLE][24], 32);
  assert_int_equal(exit.cpu.gpr[15], 0x100F);
  assert_int_equal(exit.cpu.cr3, FAKE_PML4 * FAKE_PAGE);
  assert_true(exit.published_ns >= exit.taken_ns);
  fake_java_decide(&rig->java, &exit, PT_ACTION_STEP, 0, fake_java_decision(&rig->java, 1));
  fake_java_publish(&rig->java, fake_java_decision(&rig->java, 1), exit.head.sequence);
  rig_reply(rig);
  assert_int_equal(pt_outcome(rig->monitor, 1), 0);
}

static void instruction_bytes_cross_a_page_and_end_where_nothing_is_mapped(void **state) {
  struct rig *rig = *state;
  struct pt_exit exit;
  fake_guest_exit(&rig->guest, 0, 0, &exit);
  exit.cpu.rip = FAKE_CODE_GVA + FAKE_PAGE - 5;
  assert_int_equal(pt_submit(rig->monitor, &exit), 0);
  fake_guest_exit(&rig->guest, 1, 0, &exit);
  exit.cpu.rip = FAKE_CODE_GVA + 2 * FAKE_PAGE - 5;
  assert_int_equal(pt_submit(rig->monitor, &exit), 0);
  struct pt_exit_record across = rig_exit(rig), cut = rig_exit(rig);
  assert_int_equal(across.insn_count, 16);
  assert_memory_equal(across.insn, &rig->guest.ram[FAKE_CODE][FAKE_PAGE - 5], 16);
  assert_int_equal(cut.insn_count, 5);
  assert_memory_equal(cut.insn, &rig->guest.ram[FAKE_CODE + 1][FAKE_PAGE - 5], 5);
  assert_int_equal(cut.insn[5], 0);
}

static void the_window_ends_at_the_page(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, FAKE_PAGE - 8);
  struct pt_exit_record exit = rig_exit(rig);
  assert_int_equal(exit.window_count, 8);
  for (unsigned i = 8; i < PT_WINDOW_BYTES; i++)
    assert_int_equal(exit.window[i], 0);
}

static void a_write_is_applied_once_and_told(void **state) {
  struct rig *rig = *state;
  *fake_guest_entry(&rig->guest, FAKE_TABLE, 4) = 0xAAAA;
  *fake_guest_entry(&rig->guest, FAKE_TABLE, 5) = 0xBBBB;
  rig_submit(rig, 0, 32);
  struct pt_exit_record exit = rig_exit(rig);
  struct pt_decision *decision = fake_java_decision(&rig->java, 0);
  fake_java_decide(&rig->java, &exit, PT_ACTION_WRITE, 7, decision);
  memcpy(decision->bytes, &(uint64_t){0x1234567890}, 8);
  decision->mask = 0xFF;
  decision->flags = PT_DECISION_RELEVANT;
  decision->gpr_mask = 1u << 7;
  decision->gpr[7] = 0x4242;
  decision->gpr[6] = 0x6666; /* not under the mask */
  decision->rflags = exit.cpu.rflags | 0x41;
  fake_java_publish(&rig->java, decision, exit.head.sequence);
  struct pt_reply reply = rig_reply(rig);
  assert_int_equal(reply.kind, PT_REPLY_REGISTERS);
  assert_int_equal(reply.vcpu, 0);
  assert_int_equal(reply.cpu.rip, exit.cpu.rip + 7);
  assert_int_equal(reply.cpu.rflags, 0x43);
  assert_int_equal(reply.cpu.gpr[7], 0x4242);
  assert_int_equal(reply.cpu.gpr[6], 0x1006);
  assert_int_equal(*fake_guest_entry(&rig->guest, FAKE_TABLE, 4), 0x1234567890);
  assert_int_equal(*fake_guest_entry(&rig->guest, FAKE_TABLE, 5), 0xBBBB);
  rig_no_reply(rig);
  assert_int_equal(pt_outcome(rig->monitor, 0), 0);
  struct pt_outcome_record outcome = rig_outcome(rig);
  assert_int_equal(outcome.result, PT_RESULT_APPLIED);
  assert_int_equal(outcome.exit, exit.head.sequence);
  assert_int_equal(outcome.gpa, FAKE_TABLE * FAKE_PAGE + 32);
  assert_int_equal(outcome.mask, 0xFF);
  assert_int_equal(*(uint64_t *)(void *)outcome.replaced, 0xAAAA);
  assert_int_equal(*(uint64_t *)(void *)outcome.bytes, 0x1234567890);
  assert_true(outcome.replied_ns >= outcome.swapped_ns && outcome.swapped_ns >= outcome.collected_ns);
  const struct pt_counters *counters = pt_counters(rig->monitor);
  assert_int_equal(counters->exits, 1);
  assert_int_equal(counters->replies, 1);
  assert_int_equal(counters->emulated, 1);
  assert_int_equal(counters->relevant, 1);
  assert_int_equal(counters->stores, 1);
  assert_int_equal(pt_outcome(rig->monitor, 0), -22);
}

static void a_part_of_an_entry_leaves_the_rest(void **state) {
  struct rig *rig = *state;
  *fake_guest_entry(&rig->guest, FAKE_TABLE, 4) = 0x1111111111111111;
  *fake_guest_entry(&rig->guest, FAKE_TABLE, 5) = 0x2222222222222222;
  rig_submit(rig, 0, 38);
  struct pt_exit_record exit = rig_exit(rig);
  rig_write(rig, &exit, 6, 4, 0xDDCCBBAA);
  rig_reply(rig);
  assert_int_equal(*fake_guest_entry(&rig->guest, FAKE_TABLE, 4), 0xBBAA111111111111);
  assert_int_equal(*fake_guest_entry(&rig->guest, FAKE_TABLE, 5), 0x222222222222DDCC);
}

static void a_denied_write_leaves_memory_and_sets_registers(void **state) {
  struct rig *rig = *state;
  *fake_guest_entry(&rig->guest, FAKE_TABLE, 0) = 0x77;
  rig_submit(rig, 0, 0);
  struct pt_exit_record exit = rig_exit(rig);
  struct pt_decision *decision = fake_java_decision(&rig->java, 0);
  fake_java_decide(&rig->java, &exit, PT_ACTION_SKIP, 4, decision);
  decision->bytes[0] = 0x78;
  decision->mask = 0xFF;
  fake_java_publish(&rig->java, decision, exit.head.sequence);
  struct pt_reply reply = rig_reply(rig);
  assert_int_equal(reply.kind, PT_REPLY_REGISTERS);
  assert_int_equal(reply.cpu.rip, exit.cpu.rip + 4);
  assert_int_equal(*fake_guest_entry(&rig->guest, FAKE_TABLE, 0), 0x77);
  pt_outcome(rig->monitor, 0);
  struct pt_outcome_record outcome = rig_outcome(rig);
  assert_int_equal(outcome.result, PT_RESULT_DENIED);
  assert_int_equal(outcome.replaced[0], 0x77);
  assert_int_equal(outcome.bytes[0], 0x78);
  assert_int_equal(pt_counters(rig->monitor)->denied, 1);
}

static void sixteen_bytes_are_one_swap(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 64);
  struct pt_exit_record exit = rig_exit(rig);
  struct pt_decision *decision = fake_java_decision(&rig->java, 0);
  fake_java_decide(&rig->java, &exit, PT_ACTION_WRITE, 5, decision);
  memset(decision->bytes, 0x5A, 16);
  decision->mask = 0xFFFF;
  decision->flags = PT_DECISION_WIDE;
  *fake_guest_entry(&rig->guest, FAKE_TABLE, 9) = 1; /* the second half moves: neither half is written */
  fake_java_publish(&rig->java, decision, exit.head.sequence);
  rig_no_reply(rig);
  assert_int_equal(*fake_guest_entry(&rig->guest, FAKE_TABLE, 8), 0);
  assert_int_equal(rig_outcome(rig).result, PT_RESULT_LOST_SWAP);
  exit = rig_exit(rig);
  assert_int_equal(exit.done, 0);
  fake_java_decide(&rig->java, &exit, PT_ACTION_WRITE, 5, decision);
  memset(decision->bytes, 0x5A, 16);
  decision->mask = 0xFFFF;
  decision->flags = PT_DECISION_WIDE;
  fake_java_publish(&rig->java, decision, exit.head.sequence);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_REGISTERS);
  assert_int_equal(*fake_guest_entry(&rig->guest, FAKE_TABLE, 9), 0x5A5A5A5A5A5A5A5A);
}

static void retry_resumes_at_the_instruction(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 8);
  struct pt_exit_record exit = rig_exit(rig);
  fake_java_decide(&rig->java, &exit, PT_ACTION_RETRY, 0, fake_java_decision(&rig->java, 0));
  fake_java_publish(&rig->java, fake_java_decision(&rig->java, 0), exit.head.sequence);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_RESUME);
  pt_outcome(rig->monitor, 0);
  assert_int_equal(rig_outcome(rig).result, PT_RESULT_RESUMED);
}

static void a_vcpu_has_one_exit_at_a_time(void **state) {
  struct rig *rig = *state;
  struct pt_exit exit;
  rig_submit(rig, 0, 0);
  fake_guest_exit(&rig->guest, 0, 8, &exit);
  assert_int_equal(pt_submit(rig->monitor, &exit), -16);
  exit.vcpu = 2;
  assert_int_equal(pt_submit(rig->monitor, &exit), -22);
  assert_int_equal(pt_counters(rig->monitor)->exits, 1);
}

static void frames_with_two_writers_are_counted(void **state) {
  struct rig *rig = *state;
  for (uint32_t vcpu = 0; vcpu < 2; vcpu++)
    rig_submit(rig, vcpu, 0);
  assert_int_equal(pt_counters(rig->monitor)->shared_frame, 1);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_up, rig_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_RIG(the_record_is_complete),
      WITH_RIG(instruction_bytes_cross_a_page_and_end_where_nothing_is_mapped),
      WITH_RIG(the_window_ends_at_the_page),
      WITH_RIG(a_write_is_applied_once_and_told),
      WITH_RIG(a_part_of_an_entry_leaves_the_rest),
      WITH_RIG(a_denied_write_leaves_memory_and_sets_registers),
      WITH_RIG(sixteen_bytes_are_one_swap),
      WITH_RIG(retry_resumes_at_the_instruction),
      WITH_RIG(a_vcpu_has_one_exit_at_a_time),
      WITH_RIG(frames_with_two_writers_are_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
