/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Java of every bad habit at once: it answers late, twice, for exits of long ago, for another generation, with
 * garbage; it lies about what it has read; it scribbles over its header and its commands; it is replaced. Two vCPUs.
 */
#include <errno.h>
#include <string.h>

#include "memory_order.h"
#include "rig.h"

#define TURNS 400000u
#define REMEMBERED 64
#define CHECK_EVERY 256

struct mixture {
  struct rig *rig;
  uint64_t random;
  struct pt_exit_record old[REMEMBERED]; /* exits seen, newest last in the ring */
  unsigned seen;
  bool waits[2];
  uint64_t submitted;
  uint64_t replied;
  uint64_t generations;
};

static uint64_t below(struct mixture *mixture, uint64_t bound) {
  mixture->random ^= mixture->random << 13;
  mixture->random ^= mixture->random >> 7;
  mixture->random ^= mixture->random << 17;
  return mixture->random % bound;
}

static void raise_exit(struct mixture *mixture) {
  struct pt_exit exit;
  uint32_t vcpu = (uint32_t)below(mixture, 2);
  fake_guest_exit(&mixture->rig->guest, vcpu, (uint32_t)below(mixture, FAKE_PAGE), &exit);
  if (below(mixture, 8) == 0)
    exit.taken_ns = 0; /* its deadline is over */
  int error = pt_submit(mixture->rig->monitor, &exit);
  assert_int_equal(error, mixture->waits[vcpu] ? -EBUSY : 0);
  mixture->submitted += error == 0;
  mixture->waits[vcpu] = true;
}

static void read_stream(struct mixture *mixture) {
  struct fake_java *java = &mixture->rig->java;
  const struct pt_record_head *head;
  while ((head = fake_java_take(java)) != NULL) {
    if (head->kind == PT_RECORD_EXIT)
      memcpy(&mixture->old[mixture->seen++ % REMEMBERED], head, sizeof mixture->old[0]);
    java->next++;
  }
  if (below(mixture, 4))
    pt_store_release(&java->decisions->consumed, java->next - 1);
}

/* For the newest exit or one of long ago, right or wrong in any field. */
static void answer(struct mixture *mixture) {
  struct fake_java *java = &mixture->rig->java;
  if (mixture->seen == 0)
    return;
  uint64_t back = below(mixture, 4) ? 0 : below(mixture, mixture->seen < REMEMBERED ? mixture->seen : REMEMBERED);
  const struct pt_exit_record *exit = &mixture->old[(mixture->seen - 1 - back) % REMEMBERED];
  struct pt_decision *decision = fake_java_decision(java, exit->head.vcpu);
  fake_java_decide(java, exit, (uint32_t)below(mixture, PT_ACTION_MORE + 2), (uint32_t)below(mixture, 17), decision);
  decision->mask = (uint32_t)below(mixture, 3) ? 0xFFu << (exit->gpa & 7) : (uint32_t)below(mixture, UINT32_MAX);
  if (below(mixture, 8) == 0)
    decision->generation = (uint32_t)below(mixture, 4);
  if (below(mixture, 8) == 0)
    ((uint8_t *)decision)[8 + below(mixture, sizeof *decision - 8)] = (uint8_t)below(mixture, 256);
  fake_java_publish(java, decision, below(mixture, 16) ? exit->head.sequence : below(mixture, UINT64_MAX));
}

static void scribble(struct mixture *mixture) {
  struct pt_decisions_header *header = mixture->rig->java.decisions;
  switch (below(mixture, 6)) {
    case 0:
      header->consumed = below(mixture, 2) ? below(mixture, UINT64_MAX) : mixture->rig->java.next + below(mixture, 3);
      break;
    case 1:
      header->ready = (uint32_t)below(mixture, 4);
      break;
    case 2:
      header->commands_published += below(mixture, 3);
      break;
    case 3:
      header->java_waiting = (uint32_t)below(mixture, 3);
      break;
    case 4:
      ((uint8_t *)header)[PT_COMMANDS_OFFSET + below(mixture, PT_COMMAND_COUNT * PT_COMMAND_BYTES)] =
          (uint8_t)below(mixture, 256);
      break;
    default:
      header->ready = mixture->rig->java.generation; /* a while of good behaviour */
      header->consumed = mixture->rig->java.next - 1;
  }
}

static void replace(struct mixture *mixture) {
  struct rig *rig = mixture->rig;
  fake_java_detach(&rig->java);
  assert_int_equal(pt_attach_jvm(rig->monitor, &rig->channel), 0);
  assert_int_equal(fake_java_attach(&rig->java, &rig->channel), 0);
  fake_java_command(&rig->java, 1, PT_COMMAND_PROTECT_RANGE, FAKE_TABLE * FAKE_PAGE, FAKE_PAGE);
  fake_java_ready(&rig->java);
  mixture->generations++;
}

static void take_replies(struct mixture *mixture) {
  struct pt_reply replies[2];
  size_t count = pt_poll(mixture->rig->monitor, replies, 2);
  for (size_t i = 0; i < count; i++) {
    assert_true(replies[i].vcpu < 2 && mixture->waits[replies[i].vcpu]); /* and not one too many */
    mixture->waits[replies[i].vcpu] = false;
    assert_int_equal(pt_outcome(mixture->rig->monitor, replies[i].vcpu), 0);
    mixture->replied++;
  }
  if (below(mixture, 64) == 0 && pt_prepare_sleep(mixture->rig->monitor))
    pt_awake(mixture->rig->monitor);
}

static void turn(struct mixture *mixture) {
  switch (below(mixture, 8)) {
    case 0:
    case 1:
      raise_exit(mixture);
      break;
    case 2:
      read_stream(mixture);
      break;
    case 3:
    case 4:
      answer(mixture);
      break;
    case 5:
      if (below(mixture, 4) == 0)
        scribble(mixture);
      break;
    case 6:
      if (below(mixture, 512) == 0)
        replace(mixture);
      break;
    default:
      take_replies(mixture);
  }
}

/* No frame but the protected one is ever written to, whatever Java decides or commands. */
static void assert_untouched(const struct rig *rig, const struct fake_guest *before) {
  const uint8_t *now = &rig->guest.ram[0][0], *then = &before->ram[0][0];
  size_t start = FAKE_TABLE * FAKE_PAGE, end = start + FAKE_PAGE;
  assert_memory_equal(now, then, start);
  assert_memory_equal(now + end, then + end, sizeof before->ram - end);
}

static void nothing_from_java_is_trusted_whatever_its_habits(void **state) {
  static struct fake_guest before;
  struct mixture mixture = {.rig = *state, .random = 0x9E3779B97F4A7C15};
  memcpy(&before, &mixture.rig->guest, sizeof before);
  for (unsigned i = 0; i < TURNS; i++) {
    turn(&mixture);
    if (i % CHECK_EVERY == 0)
      assert_untouched(mixture.rig, &before);
  }
  replace(&mixture); /* who waits for an answer has one by now, or gets it by policy */
  take_replies(&mixture);
  take_replies(&mixture);
  const struct pt_counters *counters = pt_counters(mixture.rig->monitor);
  assert_int_equal(mixture.replied, mixture.submitted);
  assert_int_equal(counters->exits, mixture.submitted);
  assert_int_equal(counters->replies, mixture.submitted);
  assert_int_equal(counters->emulated + counters->denied + counters->stepped + counters->fail_policy, counters->exits);
  assert_true(mixture.generations > 50);
  assert_true(counters->stale > 100 && counters->refused > 100 && counters->timed_out > 100 && counters->stalls > 10);
  assert_true(counters->emulated > 100);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_up, rig_down)

int main(void) {
  const struct CMUnitTest tests[] = {WITH_RIG(nothing_from_java_is_trusted_whatever_its_habits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
