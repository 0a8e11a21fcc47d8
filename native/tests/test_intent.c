/* SPDX-License-Identifier: Apache-2.0 */
/* What the library notes of each write for whoever comes after its death, and when. */
#include <string.h>

#include "entries.h"
#include "intent.h"
#include "intent_verdict.h"
#include "rig.h"

static uint64_t *entry(struct rig *rig, unsigned index) {
  return fake_guest_entry(&rig->guest, FAKE_TABLE, index);
}

static const struct pt_intent *noted(const struct rig *rig, uint32_t vcpu) {
  const struct pt_intent_record *record = &rig->intents->records[vcpu];
  assert_in_range(record->current, 1, 2);
  const struct pt_intent *intent = &record->slots[record->current - 1];
  assert_int_equal(intent->check, pt_intent_check(intent));
  return intent;
}

static void submit_numbered(struct rig *rig, uint32_t vcpu, uint32_t offset, uint64_t id) {
  struct pt_exit exit;
  fake_guest_exit(&rig->guest, vcpu, offset, &exit);
  exit.id = id;
  assert_int_equal(pt_submit(rig->monitor, &exit), 0);
}

static void the_header_says_what_the_memory_is(void **state) {
  struct rig *rig = *state;
  size_t bytes = pt_intents_bytes(RIG_VCPUS);
  assert_true(pt_intents_valid(rig->intents, bytes, RIG_VCPUS));
  assert_false(pt_intents_valid(rig->intents, bytes - 1, RIG_VCPUS));
  assert_false(pt_intents_valid(rig->intents, bytes, RIG_VCPUS + 1));
  assert_false(pt_intents_valid(rig->intents, 8, RIG_VCPUS));
  rig->intents->version++;
  assert_false(pt_intents_valid(rig->intents, bytes, RIG_VCPUS));
}

static void a_write_is_noted_until_its_reply_is_carried_out(void **state) {
  struct rig *rig = *state;
  *entry(rig, 4) = 0x1111111111111111;
  submit_numbered(rig, 1, 4 * 8 + 2, 77);
  assert_int_equal(rig->intents->records[1].current, 0);
  struct pt_exit_record exit = rig_exit(rig);
  struct pt_decision *decision = fake_java_decision(&rig->java, 1);
  fake_java_decide(&rig->java, &exit, PT_ACTION_WRITE, 3, decision);
  memset(decision->bytes + 2, 0xAB, 4);
  decision->mask = 0x3C;
  decision->gpr_mask = 1u << 3;
  decision->gpr[3] = 0x3333;
  decision->rflags = exit.cpu.rflags | 1;
  fake_java_publish(&rig->java, decision, exit.head.sequence);
  rig_reply(rig);
  const struct pt_intent *intent = noted(rig, 1);
  assert_int_equal(intent->exit_id, 77);
  assert_int_equal(intent->state, PT_INTENT_SWAPPED);
  assert_int_equal(intent->kind, PT_INTENT_WRITE);
  assert_int_equal(intent->gpa, FAKE_TABLE * FAKE_PAGE + 32);
  assert_memory_equal(&intent->cpu, &exit.cpu, sizeof exit.cpu);
  assert_int_equal(intent->mask, 0x3C);
  assert_int_equal(intent->done, 0x3C);
  assert_int_equal(pt_entry_get(intent->expected, 0), 0x1111111111111111);
  assert_int_equal(pt_entry_get(intent->bytes, 0), 0x1111ABABABAB1111);
  assert_int_equal(intent->rip, exit.cpu.rip + 3);
  assert_int_equal(intent->rflags, exit.cpu.rflags | 1);
  assert_int_equal(intent->gpr[3], 0x3333);
  assert_int_equal(intent->gpr[4], exit.cpu.gpr[4]);
  assert_int_equal(rig->intents->records[0].current, 0);
  pt_outcome(rig->monitor, 1);
  assert_int_equal(rig->intents->records[1].current, 0);
}

/* Memory that another vCPU made equal to what was to be written must never pass for a write of ours. */
static void a_swap_that_is_not_tried_is_not_noted_as_tried(void **state) {
  struct rig *rig = *state;
  uint64_t found[PT_WINDOW_ENTRIES] = {0x1001};
  uint32_t rest;
  *entry(rig, 0) = 0x1000;
  rig_submit(rig, 0, 0);
  struct pt_exit_record exit = rig_exit(rig);
  *entry(rig, 0) = 0x1001; /* its own XADD was faster */
  rig_write(rig, &exit, 0, 8, 0x1001);
  rig_no_reply(rig);
  const struct pt_intent *intent = noted(rig, 0);
  assert_int_equal(intent->state, PT_INTENT_INTENDED);
  assert_int_equal(intent->attempted, 0);
  assert_int_equal(intent->done, 0);
  assert_int_equal(pt_intent_rest(intent, found, &rest), PT_VERDICT_UNTOUCHED);
}

static void each_round_is_noted_beside_the_one_before(void **state) {
  struct rig *rig = *state;
  *entry(rig, 0) = 0x1111111111111111;
  *entry(rig, 1) = 0x2222222222222222;
  rig_submit(rig, 0, 4);
  struct pt_exit_record exit = rig_exit(rig);
  *entry(rig, 1) = 0x3333333333333333;
  rig_write(rig, &exit, 4, 8, 0xABCDEF0102030405);
  rig_no_reply(rig);
  const struct pt_intent *first = noted(rig, 0);
  assert_int_equal(first->state, PT_INTENT_INTENDED);
  assert_int_equal(first->mask, 0xFF0);
  assert_int_equal(first->done, 0xF0);
  assert_int_equal(first->attempted, 0xF0);
  rig_outcome(rig);
  exit = rig_exit(rig);
  rig_write(rig, &exit, 4, 8, 0xABCDEF0102030405);
  rig_reply(rig);
  const struct pt_intent *second = noted(rig, 0);
  assert_ptr_not_equal(first, second);
  assert_int_equal(second->earlier, 0xF0);
  assert_int_equal(second->mask, 0xF00);
  assert_int_equal(second->state, PT_INTENT_SWAPPED);
  assert_int_equal(pt_entry_get(second->expected, 0), 0x0203040511111111); /* as memory holds it */
  assert_int_equal(first->check, pt_intent_check(first));
}

static void a_write_that_is_forced_is_noted_as_it_is_written(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 4);
  struct pt_exit_record exit = rig_exit(rig);
  *entry(rig, 1) = 0x3333333333333333;
  rig_write(rig, &exit, 4, 8, 0xABCDEF0102030405);
  rig_no_reply(rig);
  pt_detach_jvm(rig->monitor);
  rig_reply(rig);
  const struct pt_intent *intent = noted(rig, 0);
  assert_int_equal(intent->state, PT_INTENT_SWAPPED);
  assert_int_equal(intent->earlier, 0xF0);
  assert_int_equal(intent->mask, 0xF00);
  assert_int_equal(intent->done, 0xF00);
}

static void a_denied_write_is_noted_without_memory(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 0);
  struct pt_exit_record exit = rig_exit(rig);
  struct pt_decision *decision = fake_java_decision(&rig->java, 0);
  fake_java_decide(&rig->java, &exit, PT_ACTION_SKIP, 4, decision);
  decision->mask = 0xFF;
  fake_java_publish(&rig->java, decision, exit.head.sequence);
  rig_reply(rig);
  const struct pt_intent *intent = noted(rig, 0);
  assert_int_equal(intent->kind, PT_INTENT_DENY);
  assert_int_equal(intent->state, PT_INTENT_SWAPPED);
  assert_int_equal(intent->mask, 0);
  assert_int_equal(intent->rip, exit.cpu.rip + 4);
}

static void a_step_leaves_nothing_noted(void **state) {
  struct rig *rig = *state;
  rig_submit(rig, 0, 0);
  struct pt_exit_record exit = rig_exit(rig);
  struct pt_decision *decision = fake_java_decision(&rig->java, 0);
  fake_java_decide(&rig->java, &exit, PT_ACTION_STEP, 0, decision);
  fake_java_publish(&rig->java, decision, exit.head.sequence);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  assert_int_equal(rig->intents->records[0].current, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(the_header_says_what_the_memory_is, rig_up, rig_down),
      cmocka_unit_test_setup_teardown(a_write_is_noted_until_its_reply_is_carried_out, rig_up, rig_down),
      cmocka_unit_test_setup_teardown(a_swap_that_is_not_tried_is_not_noted_as_tried, rig_up, rig_down),
      cmocka_unit_test_setup_teardown(each_round_is_noted_beside_the_one_before, rig_up, rig_down),
      cmocka_unit_test_setup_teardown(a_write_that_is_forced_is_noted_as_it_is_written, rig_up, rig_down),
      cmocka_unit_test_setup_teardown(a_denied_write_is_noted_without_memory, rig_up, rig_down),
      cmocka_unit_test_setup_teardown(a_step_leaves_nothing_noted, rig_up, rig_down),
  };
  return cmocka_run_group_tests_name("intent", tests, NULL, NULL);
}
