/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

int rig_up(void **state) {
  struct pt_options options;
  struct rig *rig = aligned_alloc(4096, (sizeof *rig + 4095) & ~(size_t)4095);
  assert_non_null(rig);
  memset(rig, 0, sizeof *rig);
  fake_guest_init(&rig->guest);
  fake_guest_options(&rig->guest, RIG_VCPUS, &options);
  options.intents = rig->intents = calloc(1, pt_intents_bytes(RIG_VCPUS));
  assert_non_null(rig->intents);
  assert_int_equal(pt_open(&options, &rig->monitor), 0);
  assert_int_equal(pt_attach_jvm(rig->monitor, &rig->channel), 0);
  assert_int_equal(fake_java_attach(&rig->java, &rig->channel), 0);
  fake_java_command(&rig->java, 1, PT_COMMAND_PROTECT_RANGE, FAKE_TABLE * FAKE_PAGE, FAKE_PAGE);
  rig_no_reply(rig);
  rig_no_reply(rig);
  assert_int_equal(rig_completion(rig).status, 0);
  assert_true(rig->guest.restricted[FAKE_TABLE]);
  fake_java_ready(&rig->java);
  *state = rig;
  return 0;
}

int rig_down(void **state) {
  struct rig *rig = *state;
  pt_close(rig->monitor);
  assert_int_equal(rig->guest.mapped, 0);
  for (unsigned i = 0; i < FAKE_FRAMES; i++)
    assert_false(rig->guest.restricted[i]);
  fake_java_detach(&rig->java);
  free(rig->intents);
  free(rig);
  return 0;
}

void rig_submit(struct rig *rig, uint32_t vcpu, uint32_t offset) {
  struct pt_exit exit;
  fake_guest_exit(&rig->guest, vcpu, offset, &exit);
  assert_int_equal(pt_submit(rig->monitor, &exit), 0);
}

static void take(struct rig *rig, uint32_t kind, void *to, size_t bytes) {
  const struct pt_record_head *head = fake_java_take(&rig->java);
  assert_non_null(head);
  assert_int_equal(head->sequence, rig->java.next);
  assert_int_equal(head->kind, kind);
  memcpy(to, head, bytes);
  fake_java_consumed(&rig->java);
}

struct pt_exit_record rig_exit(struct rig *rig) {
  struct pt_exit_record record;
  take(rig, PT_RECORD_EXIT, &record, sizeof record);
  return record;
}

struct pt_outcome_record rig_outcome(struct rig *rig) {
  struct pt_outcome_record record;
  take(rig, PT_RECORD_OUTCOME, &record, sizeof record);
  return record;
}

struct pt_completion_record rig_completion(struct rig *rig) {
  struct pt_completion_record record;
  take(rig, PT_RECORD_COMPLETION, &record, sizeof record);
  return record;
}

struct pt_reply rig_reply(struct rig *rig) {
  struct pt_reply replies[4];
  assert_int_equal(pt_poll(rig->monitor, replies, 4), 1);
  return replies[0];
}

void rig_no_reply(struct rig *rig) {
  struct pt_reply replies[4];
  assert_int_equal(pt_poll(rig->monitor, replies, 4), 0);
}

void rig_write(struct rig *rig, const struct pt_exit_record *exit, unsigned first, unsigned length, uint64_t value) {
  struct pt_decision *decision = fake_java_decision(&rig->java, exit->head.vcpu);
  fake_java_decide(&rig->java, exit, PT_ACTION_WRITE, 3, decision);
  memcpy(decision->bytes + first, &value, length);
  decision->mask = (uint32_t)(((1ull << length) - 1) << first) & ~exit->done;
  fake_java_publish(&rig->java, decision, exit->head.sequence);
}

void rig_more(struct rig *rig, const struct pt_exit_record *exit, uint32_t needs, uint64_t source_gla,
              uint32_t source_bytes, uint32_t xmm_register) {
  struct pt_decision *decision = fake_java_decision(&rig->java, exit->head.vcpu);
  fake_java_decide(&rig->java, exit, PT_ACTION_MORE, 0, decision);
  decision->needs = needs;
  decision->source_gla = source_gla;
  decision->source_bytes = source_bytes;
  decision->xmm_register = xmm_register;
  fake_java_publish(&rig->java, decision, exit->head.sequence);
}

void rig_pass_deadline(struct rig *rig) {
  uint64_t deadline = pt_next_deadline(rig->monitor), now = pt_now_ns();
  assert_true(deadline != UINT64_MAX);
  if (deadline > now)
    usleep((useconds_t)((deadline - now) / 1000 + 1));
}
