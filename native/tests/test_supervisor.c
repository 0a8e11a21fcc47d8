/* SPDX-License-Identifier: Apache-2.0 */
/* JVMs that die, hang and fail, as processes: each is followed by another, and the guest goes on meanwhile. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "rig.h"
#include "supervisor.h"

#define SECOND_NS 1000000000ull
#define STATUS 3

/* What the supervisor starts as its JVM: this program again. */
static int run_as_jvm(const char *mode) {
  const struct pt_channel channel = fake_java_inherited();
  const struct pt_record_head *head;
  struct fake_java java;
  bool first = channel.generation == 1;
  if (strcmp(mode, "--never-ready") == 0 || fake_java_attach(&java, &channel) < 0)
    return STATUS;
  fake_java_ready(&java);
  if (strcmp(mode, "--killed") == 0 && first)
    raise(SIGKILL);
  if (strcmp(mode, "--stopped") == 0 && first)
    raise(SIGSTOP);
  if (strcmp(mode, "--failing") == 0)
    return STATUS;
  while (__atomic_load_n(&java.stream->state, __ATOMIC_ACQUIRE) != PT_STATE_ENDED) {
    while ((head = fake_java_take(&java)) != NULL) {
      struct pt_decision *decision = fake_java_decision(&java, head->vcpu);
      if (head->kind == PT_RECORD_EXIT) {
        fake_java_decide(&java, (const void *)head, PT_ACTION_STEP, 0, decision);
        fake_java_publish(&java, decision, head->sequence);
      }
      fake_java_consumed(&java);
    }
    fake_java_sleep(&java, SECOND_NS / 1000);
  }
  return 0;
}

struct house {
  struct fake_guest guest;
  struct pt_monitor *monitor;
  struct launcher launcher;
  struct supervisor supervisor;
};

static struct house *open_house(const char *mode) {
  char program[] = "/proc/self/exe", argument[32];
  char *const command[] = {program, strcpy(argument, mode), NULL};
  struct identity self;
  struct pt_options options;
  struct house *house = aligned_alloc(4096, (sizeof *house + 4095) & ~(size_t)4095);
  assert_non_null(house);
  memset(house, 0, sizeof *house);
  identity_self(&self);
  assert_int_equal(launcher_open(&(struct jvm_program){command, &self}, &house->launcher), 0);
  fake_guest_init(&house->guest);
  fake_guest_options(&house->guest, 2, &options);
  assert_int_equal(pt_open(&options, &house->monitor), 0);
  supervisor_init(&house->supervisor, house->monitor, &house->launcher);
  return house;
}

static int close_house(struct house *house) {
  pt_end(house->monitor);
  int status = supervisor_finish(&house->supervisor, 5000);
  assert_int_equal(supervisor_fd(&house->supervisor), -1);
  pt_close(house->monitor);
  launcher_close(&house->launcher);
  free(house);
  return status;
}

static uint64_t restarts(const struct house *house) {
  return pt_counters(house->monitor)->jvm_restarts;
}

static uint64_t ready(const struct house *house) {
  return pt_counters(house->monitor)->jvm_ready;
}

static void turn(struct house *house) {
  struct pt_reply reply;
  assert_true(supervisor_check(&house->supervisor, true));
  if (pt_poll(house->monitor, &reply, 1))
    assert_int_equal(pt_outcome(house->monitor, reply.vcpu), 0);
  usleep(200);
}

static void turn_until_ready(struct house *house, uint64_t generation) {
  uint64_t begin = pt_now_ns();
  while (ready(house) < generation) {
    assert_true(pt_now_ns() - begin < 10 * SECOND_NS);
    turn(house);
  }
}

static void run_exits(struct house *house, uint64_t count) {
  for (uint64_t end = pt_counters(house->monitor)->replies + count; pt_counters(house->monitor)->replies < end;) {
    struct pt_exit exit;
    fake_guest_exit(&house->guest, 0, 8, &exit);
    pt_submit(house->monitor, &exit); /* -EBUSY while it waits */
    turn(house);
  }
}

static void a_jvm_that_was_killed_is_followed_by_another_at_once(void **state) {
  (void)state;
  struct house *house = open_house("--killed");
  uint64_t begin = pt_now_ns();
  turn_until_ready(house, 1);
  while (restarts(house) == 0)
    turn(house);
  assert_int_equal(house->supervisor.delay_ns, 0);
  turn_until_ready(house, 2);
  assert_true(pt_now_ns() - begin < SECOND_NS);
  run_exits(house, 10);
  assert_true(pt_counters(house->monitor)->stepped > 0); /* because this one says so */
  assert_int_equal(close_house(house), 0);
}

static void a_jvm_that_keeps_failing_is_started_ever_more_rarely(void **state) {
  (void)state;
  struct house *house = open_house("--failing");
  for (uint64_t begin = pt_now_ns(); pt_now_ns() - begin < SECOND_NS;) {
    supervisor_check(&house->supervisor, true); /* it may end before anybody sees it ready */
    usleep(200);
  }
  assert_in_range(restarts(house), 2, 4); /* after 0, 0.1, 0.2 and 0.4 s */
  close_house(house);
}

static void a_first_jvm_that_was_never_ready_is_told(void **state) {
  (void)state;
  struct house *house = open_house("--never-ready");
  uint64_t begin = pt_now_ns();
  while (supervisor_check(&house->supervisor, true)) {
    assert_true(pt_now_ns() - begin < 10 * SECOND_NS);
    usleep(200);
  }
  assert_int_equal(restarts(house), 0);
  assert_int_equal(close_house(house), STATUS);
}

static void a_jvm_that_stays_stalled_is_killed_and_the_guest_goes_on_meanwhile(void **state) {
  (void)state;
  struct house *house = open_house("--stopped");
  turn_until_ready(house, 1);
  run_exits(house, 100);
  const struct pt_counters *counters = pt_counters(house->monitor);
  assert_int_equal(counters->stalls, 1);
  assert_in_range(counters->timed_out, 1, 3);
  uint64_t stalled = pt_stalled_since(house->monitor);
  assert_true(stalled > 0);
  assert_int_equal(restarts(house), 0);
  turn_until_ready(house, 2);
  assert_true(pt_now_ns() - stalled >= 2 * SECOND_NS && pt_now_ns() - stalled < 4 * SECOND_NS);
  run_exits(house, 10);
  assert_true(counters->stepped >= 9);
  assert_int_equal(counters->exits, counters->replies);
  assert_int_equal(close_house(house), 0);
}

static void a_stopped_jvm_does_not_hold_up_the_end(void **state) {
  (void)state;
  struct house *house = open_house("--stopped");
  turn_until_ready(house, 1);
  pt_end(house->monitor);
  uint64_t begin = pt_now_ns();
  assert_int_equal(supervisor_finish(&house->supervisor, 100), 128 + SIGKILL);
  assert_true(pt_now_ns() - begin < 2 * SECOND_NS);
  close_house(house);
}

int main(int argc, char **argv) {
  if (argc == 2)
    return run_as_jvm(argv[1]);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_jvm_that_was_killed_is_followed_by_another_at_once),
      cmocka_unit_test(a_jvm_that_keeps_failing_is_started_ever_more_rarely),
      cmocka_unit_test(a_first_jvm_that_was_never_ready_is_told),
      cmocka_unit_test(a_jvm_that_stays_stalled_is_killed_and_the_guest_goes_on_meanwhile),
      cmocka_unit_test(a_stopped_jvm_does_not_hold_up_the_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
