/* SPDX-License-Identifier: Apache-2.0 */
/* Whole runs of the sandbox guest under a small monitor: the guest must not be able to tell. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox_monitor.h"

struct outcome {
  uint64_t guest_stores;
  uint64_t guest_mismatches;
  uint64_t failed_checks;
  uint64_t differing_entries;
  uint64_t denied;
  uint64_t walker_ad;
  uint64_t singlestep_events;
};

static uint64_t number(const char *text, const char *key) {
  char quoted[64];
  snprintf(quoted, sizeof(quoted), "\"%s\": ", key);
  const char *at = strstr(text, quoted);
  if (at == NULL) {
    fail_msg("result.json has no %s", key);
    return 0;
  }
  return strtoull(at + strlen(quoted), NULL, 10);
}

static void read_text(const char *dir, const char *name, char *text, size_t bytes) {
  char path[300];
  snprintf(path, sizeof(path), "%s/%s", dir, name);
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  size_t length = fread(text, 1, bytes - 1, file);
  text[length] = '\0';
  fclose(file);
  unlink(path);
}

/* Runs a domain with those options to its end, checks what holds for each run, and returns what the guest says. */
static struct outcome run(struct monitor *monitor, enum monitor_policy policy, const char *options) {
  char dir[] = "/tmp/ptarmigan-sandbox-XXXXXX";
  char all[512];
  static char text[65536];
  assert_non_null(mkdtemp(dir));
  snprintf(all, sizeof(all), "%s,dir=%s", options, dir);
  monitor_attach(monitor, all, policy);
  read_text(dir, "layout.json", text, sizeof(text));
  assert_non_null(strstr(text, "\"deny\""));
  assert_int_equal(hv_sandbox.resume(monitor->domain), 0);
  assert_true(monitor_run(monitor, 100));
  read_text(dir, "result.json", text, sizeof(text));
  rmdir(dir);
  if (getenv("SANDBOX_PRINT") != NULL) {
    printf("%sexits %llu emulated %llu lost swaps %llu\n", text, (unsigned long long)monitor->exits,
           (unsigned long long)monitor->emulated, (unsigned long long)monitor->lost_swaps);
  }
  struct outcome outcome = {number(text, "guest_stores"),     number(text, "guest_mismatches"),
                            number(text, "failed_checks"),    number(text, "differing_entries"),
                            number(text, "denied"),           number(text, "walker_ad"),
                            number(text, "singlestep_events")};
  assert_int_equal(monitor->requests, monitor->responses);
  assert_int_equal(monitor->wrong_requests, 0);
  assert_int_equal(outcome.guest_stores, monitor->exits);
  assert_int_equal(outcome.guest_mismatches, outcome.failed_checks + outcome.differing_entries);
  return outcome;
}

static void steps_alone_are_not_noticed(void **state) {
  (void)state;
  struct monitor monitor;
  struct outcome outcome = run(&monitor, MONITOR_STEPS, "vcpus=2,seed=3,rounds=300");
  assert_int_equal(outcome.guest_mismatches, 0);
  assert_true(monitor.exits > 1000);
  assert_int_equal(outcome.singlestep_events, monitor.exits);
  assert_true(outcome.denied > 0);
  hv_sandbox.detach(monitor.domain);
}

static void emulated_moves_are_not_noticed(void **state) {
  (void)state;
  struct monitor monitor;
  struct outcome outcome = run(&monitor, MONITOR_EMULATES, "vcpus=2,seed=4,seconds=3");
  assert_int_equal(outcome.guest_mismatches, 0);
  assert_true(monitor.emulated > 1000);
  assert_int_equal(outcome.singlestep_events, monitor.exits - monitor.emulated);
  hv_sandbox.detach(monitor.domain);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(steps_alone_are_not_noticed),
      cmocka_unit_test(emulated_moves_are_not_noticed),
  };
  return cmocka_run_group_tests_name("sandbox_runs", tests, NULL, NULL);
}
