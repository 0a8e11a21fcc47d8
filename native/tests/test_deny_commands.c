/* SPDX-License-Identifier: Apache-2.0 */
/* DENY and ALLOW, as Java means them and as a hostile one might. */
#include <errno.h>

#include "rig.h"

#define RW 2ull
#define FREE_FRAME 30u /* that nobody has protected */

static int rule(struct rig *rig, uint32_t kind, uint64_t gpa, uint64_t mask) {
  fake_java_rule(&rig->java, 8, kind, gpa, mask);
  rig_no_reply(rig);
  struct pt_completion_record completion = rig_completion(rig);
  assert_int_equal(completion.kind, kind);
  assert_int_equal(completion.length, kind == PT_COMMAND_DENY && completion.status == 0 ? 8 : 0);
  return completion.status;
}

static int release(struct rig *rig, unsigned frame) {
  fake_java_command(&rig->java, 9, PT_COMMAND_RELEASE, frame * FAKE_PAGE, 0);
  rig_no_reply(rig);
  return rig_completion(rig).status;
}

/* Whether a stepped write keeps R/W of entry 0 of the free frame. */
static bool holds(struct rig *rig) {
  struct pt_exit exit;
  uint64_t *entry = fake_guest_entry(&rig->guest, FREE_FRAME, 0);
  uint64_t before = *entry;
  fake_guest_exit(&rig->guest, 0, 0, &exit);
  exit.access &= ~(uint32_t)PT_ACCESS_GLA_VALID; /* stepped at once */
  assert_int_equal(pt_submit(rig->monitor, &exit), 0);
  assert_int_equal(rig_reply(rig).kind, PT_REPLY_STEP);
  *entry ^= RW;
  pt_outcome(rig->monitor, 0);
  while (rig_outcome(rig).more)
    ;
  return *entry == before;
}

static void a_rule_protects_its_frame_until_it_is_gone(void **state) {
  struct rig *rig = *state;
  assert_int_equal(rule(rig, PT_COMMAND_DENY, FREE_FRAME * FAKE_PAGE, RW | 1), 0);
  assert_true(rig->guest.restricted[FREE_FRAME]);
  assert_true(holds(rig));
  assert_int_equal(rule(rig, PT_COMMAND_ALLOW, FREE_FRAME * FAKE_PAGE, 1), 0);
  assert_true(holds(rig));
  assert_int_equal(rule(rig, PT_COMMAND_ALLOW, FREE_FRAME * FAKE_PAGE, RW), 0);
  assert_false(rig->guest.restricted[FREE_FRAME]);
  assert_false(holds(rig));
  assert_int_equal(rule(rig, PT_COMMAND_ALLOW, FREE_FRAME * FAKE_PAGE, RW), -ENOENT);
}

/* Neither with fewer protections than releases, nor with more. */
static void a_release_does_not_take_the_frame_of_a_rule(void **state) {
  struct rig *rig = *state;
  assert_int_equal(rule(rig, PT_COMMAND_DENY, FREE_FRAME * FAKE_PAGE, RW), 0);
  assert_int_equal(release(rig, FREE_FRAME), -ENOENT);
  fake_java_command(&rig->java, 2, PT_COMMAND_PROTECT_READ, FREE_FRAME * FAKE_PAGE, 8);
  rig_no_reply(rig);
  rig_completion(rig);
  assert_int_equal(release(rig, FREE_FRAME), 0);
  assert_int_equal(release(rig, FREE_FRAME), -ENOENT);
  assert_true(rig->guest.restricted[FREE_FRAME]);
  assert_true(holds(rig));
  assert_int_equal(rule(rig, PT_COMMAND_ALLOW, FREE_FRAME * FAKE_PAGE, RW), 0);
  assert_false(rig->guest.restricted[FREE_FRAME]);
}

static void a_protection_outlives_the_rules_in_its_frame(void **state) {
  struct rig *rig = *state;
  assert_int_equal(rule(rig, PT_COMMAND_DENY, FAKE_TABLE * FAKE_PAGE, RW), 0);
  assert_int_equal(rule(rig, PT_COMMAND_ALLOW, FAKE_TABLE * FAKE_PAGE, ~0x60ull), 0);
  assert_true(rig->guest.restricted[FAKE_TABLE]);
}

/* Bits denied later are kept as they are then, those denied before as they were. */
static void a_rule_can_grow(void **state) {
  struct rig *rig = *state;
  uint64_t *entry = fake_guest_entry(&rig->guest, FREE_FRAME, 0);
  assert_int_equal(rule(rig, PT_COMMAND_DENY, FREE_FRAME * FAKE_PAGE, 1), 0);
  *entry = RW;
  assert_int_equal(rule(rig, PT_COMMAND_DENY, FREE_FRAME * FAKE_PAGE, 1 | RW), 0);
  assert_true(holds(rig));
  assert_int_equal(*entry, RW);
}

static void rules_that_make_no_sense_are_refused(void **state) {
  struct rig *rig = *state;
  assert_int_equal(rule(rig, PT_COMMAND_DENY, FREE_FRAME * FAKE_PAGE + 4, RW), -EINVAL);
  assert_int_equal(rule(rig, PT_COMMAND_DENY, FREE_FRAME * FAKE_PAGE, 0), -EINVAL);
  assert_int_equal(rule(rig, PT_COMMAND_DENY, FREE_FRAME * FAKE_PAGE, 0x20), -EINVAL);
  assert_int_equal(rule(rig, PT_COMMAND_DENY, FREE_FRAME * FAKE_PAGE, ~0ull), -EINVAL);
  assert_int_equal(rule(rig, PT_COMMAND_DENY, FAKE_FRAMES * (uint64_t)FAKE_PAGE, RW), -ENOENT);
  assert_int_equal(rule(rig, PT_COMMAND_DENY, ~7ull, RW), -ENOENT);
  assert_int_equal(rule(rig, PT_COMMAND_ALLOW, ~0ull, ~0ull), -ENOENT);
  fake_java_command(&rig->java, 3, PT_COMMAND_DENY, FREE_FRAME * FAKE_PAGE, 4);
  rig_no_reply(rig);
  assert_int_equal(rig_completion(rig).status, -EINVAL);
  rig->guest.fail_access = -EIO;
  assert_int_equal(rule(rig, PT_COMMAND_DENY, FREE_FRAME * FAKE_PAGE, RW), -EIO);
  assert_false(rig->guest.restricted[FREE_FRAME]);
}

/* All are given back too: what the first to be gone leaves is taken again. */
static void rules_are_bounded(void **state) {
  struct rig *rig = *state;
  for (unsigned turn = 0; turn < 2; turn++) {
    for (unsigned i = 0; i < PT_DENY_RULES; i++)
      assert_int_equal(rule(rig, PT_COMMAND_DENY, FREE_FRAME * FAKE_PAGE + i * 8, RW), 0);
    assert_int_equal(rule(rig, PT_COMMAND_DENY, (FREE_FRAME - 1) * FAKE_PAGE, RW), -ENOSPC);
    assert_false(rig->guest.restricted[FREE_FRAME - 1]);
    for (unsigned i = 0; i < PT_DENY_RULES; i++)
      assert_int_equal(rule(rig, PT_COMMAND_ALLOW, FREE_FRAME * FAKE_PAGE + i * 8, RW), 0);
    for (unsigned frame = FREE_FRAME; frame < FAKE_FRAMES; frame++)
      assert_false(rig->guest.restricted[frame]);
  }
}

/* What an entry holds while a step may be writing to it is nothing to hold on to. */
static void a_rule_waits_for_the_step_on_its_frame(void **state) {
  struct rig *rig = *state;
  uint64_t *entry = fake_guest_entry(&rig->guest, FAKE_TABLE, 0);
  struct pt_exit exit;
  fake_guest_exit(&rig->guest, 0, 0, &exit);
  exit.access &= ~(uint32_t)PT_ACCESS_GLA_VALID;
  pt_submit(rig->monitor, &exit);
  rig_reply(rig);
  fake_java_rule(&rig->java, 4, PT_COMMAND_DENY, FAKE_TABLE * FAKE_PAGE, RW);
  rig_no_reply(rig);
  *entry = RW;
  pt_outcome(rig->monitor, 0);
  assert_int_equal(rig_outcome(rig).result, PT_RESULT_STEPPED);
  rig_no_reply(rig);
  struct pt_completion_record completion = rig_completion(rig);
  assert_int_equal(completion.command, 4);
  assert_int_equal(completion.data[0], RW);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_up, rig_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_RIG(a_rule_protects_its_frame_until_it_is_gone),   WITH_RIG(a_release_does_not_take_the_frame_of_a_rule),
      WITH_RIG(a_protection_outlives_the_rules_in_its_frame), WITH_RIG(a_rule_can_grow),
      WITH_RIG(rules_that_make_no_sense_are_refused),         WITH_RIG(rules_are_bounded),
      WITH_RIG(a_rule_waits_for_the_step_on_its_frame),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
