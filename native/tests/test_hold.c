/* SPDX-License-Identifier: Apache-2.0 */
/* A real ptarmigand that fails closed, with a guest that writes its tables and a JVM that does not decide. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon_rig.h"
#include "hold.h"
#include "monitor.h"

#define ALERT "ptarmigand: ALERT: an exit of sandbox got no decision in time"
#define GOES_ON "ptarmigand: sandbox goes on"
#define KILLED "ptarmigand: the JVM does not answer"

static pid_t start(struct daemon_rig *rig, const char *policy, const char *mode) {
  char options[128];
  const char *length = *mode ? "rounds=60" : "seconds=2"; /* a JVM that answers is soon done with few rounds */
  snprintf(options, sizeof options, "vcpus=2,seed=3,%s,dir=%s", length, rig->dir);
  const char *const arguments[] = {"--fail", policy, "--options", options, "--", rig->command, mode, NULL};
  return daemon_start(rig, geteuid(), arguments);
}

static int resume(struct daemon_rig *rig, const char *name) {
  char command[256];
  snprintf(command, sizeof command, "'%s/ptarmigand' --resume %s --run-dir '%s/run' 2>'%s/resume'", rig->dir, name,
           rig->dir, rig->dir);
  return WEXITSTATUS(system(command));
}

static void assert_guest_noticed_nothing(struct daemon_rig *rig) {
  assert_non_null(strstr(daemon_text(rig, "result.json"), "\"guest_mismatches\": 0,"));
}

static void a_stopped_jvm_holds_the_domain_until_resume(void **state) {
  struct daemon_rig *rig = *state;
  pid_t pid = start(rig, "closed", "stopped");
  daemon_await(rig, "err", ALERT);
  usleep(100000);
  assert_null(daemon_line(rig, "err", GOES_ON));
  assert_int_equal(resume(rig, "sandbox"), 0);
  daemon_await(rig, "err", GOES_ON);
  assert_int_equal(daemon_wait(pid), 0);
  const char *text = daemon_text(rig, "err");
  const char *on = strstr(text, GOES_ON), *killed = strstr(text, KILLED);
  assert_true(killed && on < killed);                 /* it was the user who lifted it */
  assert_non_null(strstr(on + 1, ALERT));             /* and only that one */
  assert_non_null(strstr(killed, "sandbox goes on")); /* the next JVM lifted the rest */
  assert_guest_noticed_nothing(rig);
}

static void the_next_jvm_lifts_a_hold(void **state) {
  struct daemon_rig *rig = *state;
  pid_t pid = start(rig, "closed", "stopped");
  daemon_await(rig, "err", ALERT);
  assert_int_equal(daemon_wait(pid), 0);
  const char *text = daemon_text(rig, "err");
  const char *on = strstr(text, GOES_ON), *killed = strstr(text, KILLED);
  assert_true(killed && on && killed < on);
  assert_guest_noticed_nothing(rig);
}

static void fail_open_pauses_nothing(void **state) {
  struct daemon_rig *rig = *state;
  pid_t pid = start(rig, "open", "silent");
  int status = daemon_wait(pid);
  assert_true(status == 0 || status == 128 + SIGKILL); /* its JVM may be killed for its silence before the end */
  assert_null(daemon_line(rig, "err", ALERT));
  assert_null(daemon_line(rig, "err", GOES_ON));
  assert_guest_noticed_nothing(rig);
}

static void a_stop_while_held_answers_everything(void **state) {
  struct daemon_rig *rig = *state;
  char replies[32], exits[32];
  pid_t pid = start(rig, "closed", "silent");
  daemon_await(rig, "err", ALERT);
  kill(pid, SIGTERM);
  assert_int_equal(daemon_wait(pid), 0);
  const char *line = daemon_line(rig, "out", "exits ");
  assert_non_null(line);
  assert_int_equal(sscanf(line, "%31s of %31s", replies, exits), 2);
  assert_string_equal(replies, exits);
  assert_true(atoi(exits) > 0);
}

static void resume_says_that_nobody_watches(void **state) {
  struct daemon_rig *rig = *state;
  assert_int_equal(resume(rig, "elsewhere"), 1);
  assert_string_equal(daemon_text(rig, "resume"), "ptarmigand: nobody watches elsewhere\n");
}

static void resume_of_what_is_not_held_does_nothing(void **state) {
  struct daemon_rig *rig = *state;
  pid_t pid = start(rig, "open", "");
  daemon_await(rig, "out", "generation 1");
  assert_int_equal(resume(rig, "sandbox"), 0);
  assert_int_equal(daemon_wait(pid), 0);
}

static void fail_closed_without_a_jvm_is_refused(void **state) {
  struct daemon_rig *rig = *state;
  const char *const arguments[] = {"--fail", "closed", NULL};
  assert_int_equal(daemon_wait(daemon_start(rig, geteuid(), arguments)), 2);
  const char *const unknown[] = {"--fail", "shut", "--", rig->command, NULL};
  assert_int_equal(daemon_wait(daemon_start(rig, geteuid(), unknown)), 2);
}

/* A hypervisor that only counts. */
struct hv_domain {
  unsigned pauses, unpauses;
};

static int count_pause(struct hv_domain *domain) {
  domain->pauses++;
  return 0;
}

static int count_unpause(struct hv_domain *domain) {
  domain->unpauses++;
  return 0;
}

static void the_domain_is_paused_as_long_as_anything_is_held(void **state) {
  struct rig *rig = *state;
  struct hv_domain domain = {0};
  const struct hv_backend hv = {.pause = count_pause, .unpause = count_unpause};
  struct hold hold = {.name = "test", .closed = true};
  rig->monitor->options.fail_closed = true;
  hold_follow(&hold, &hv, &domain, rig->monitor);
  assert_int_equal(domain.pauses, 0);
  rig_submit(rig, 0, 0);
  rig_submit(rig, 1, 8);
  pt_detach_jvm(rig->monitor);
  for (unsigned i = 0; i < 3; i++)
    hold_follow(&hold, &hv, &domain, rig->monitor);
  assert_int_equal(domain.pauses, 1);
  assert_int_equal(domain.unpauses, 0);
  pt_lift_hold(rig->monitor);
  for (unsigned i = 0; i < 3; i++)
    hold_follow(&hold, &hv, &domain, rig->monitor);
  assert_int_equal(domain.pauses, 1);
  assert_int_equal(domain.unpauses, 1);
}

#define WITH_DAEMON(test) cmocka_unit_test_setup_teardown(test, daemon_rig_up, daemon_rig_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(the_domain_is_paused_as_long_as_anything_is_held, rig_up, rig_down),
      WITH_DAEMON(a_stopped_jvm_holds_the_domain_until_resume),
      WITH_DAEMON(the_next_jvm_lifts_a_hold),
      WITH_DAEMON(fail_open_pauses_nothing),
      WITH_DAEMON(a_stop_while_held_answers_everything),
      WITH_DAEMON(resume_says_that_nobody_watches),
      WITH_DAEMON(resume_of_what_is_not_held_does_nothing),
      WITH_DAEMON(fail_closed_without_a_jvm_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
