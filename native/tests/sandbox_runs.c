/* SPDX-License-Identifier: Apache-2.0 */
/* Whole runs of the sandbox guest under a small monitor: the guest must not be able to tell. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/boot.h"
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

/*
 * Runs a domain with those options to its end, under a monitor that adjust has changed, checks what holds for each run,
 * and returns what the guest says.
 */
static struct outcome run_with(struct monitor *monitor, enum monitor_policy policy, const char *options,
                               void (*adjust)(struct monitor *)) {
  char dir[] = "/tmp/ptarmigan-sandbox-XXXXXX";
  char all[512];
  static char text[65536];
  assert_non_null(mkdtemp(dir));
  snprintf(all, sizeof(all), "%s,dir=%s", options, dir);
  monitor_attach(monitor, all, policy);
  read_text(dir, "layout.json", text, sizeof(text));
  assert_non_null(strstr(text, "\"deny\""));
  if (adjust != NULL) {
    adjust(monitor);
  }
  assert_int_equal(hv_sandbox.resume(monitor->domain), 0);
  assert_true(monitor_run(monitor, 100));
  read_text(dir, "result.json", text, sizeof(text));
  rmdir(dir);
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

static struct outcome run(struct monitor *monitor, enum monitor_policy policy, const char *options) {
  return run_with(monitor, policy, options, NULL);
}

static void slow_down(struct monitor *monitor) {
  monitor->delay_loops = 50000; /* some ten microseconds between looking at an entry and swapping it */
}

static struct outcome run_slowly(struct monitor *monitor, const char *options) {
  return run_with(monitor, MONITOR_EMULATES, options, slow_down);
}

static void spoil_a_register(struct monitor *monitor) {
  monitor->spoil_at = 100;
}

static void steps_alone_are_not_noticed(void **state) {
  (void)state;
  struct monitor monitor;
  struct outcome outcome = run(&monitor, MONITOR_STEPS, "vcpus=2,seed=3,rounds=200");
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
  assert_true(monitor.emulated > 100);
  assert_int_equal(outcome.singlestep_events, monitor.exits - monitor.emulated);
  hv_sandbox.detach(monitor.domain);
}

static void more_vcpus_than_processors_are_not_noticed(void **state) {
  (void)state;
  struct monitor monitor;
  struct outcome outcome = run(&monitor, MONITOR_EMULATES, "vcpus=12,seed=5,rounds=60");
  assert_int_equal(outcome.guest_mismatches, 0);
  hv_sandbox.detach(monitor.domain);
}

static void the_walker_makes_swaps_fail(void **state) {
  (void)state;
  struct monitor monitor;
  struct outcome outcome = run_slowly(&monitor, "vcpus=2,seed=6,seconds=3");
  assert_int_equal(outcome.guest_mismatches, 0);
  assert_true(outcome.walker_ad > 0);
  assert_true(monitor.lost_swaps > 0);
  hv_sandbox.detach(monitor.domain);
}

static void without_a_walker_no_swap_fails(void **state) {
  (void)state;
  struct monitor monitor;
  struct outcome outcome = run_slowly(&monitor, "vcpus=1,seed=6,rounds=200,walker=0");
  assert_int_equal(outcome.guest_mismatches, 0);
  assert_int_equal(outcome.walker_ad, 0);
  assert_int_equal(monitor.lost_swaps, 0);
  hv_sandbox.detach(monitor.domain);
}

/* One vCPU: with two, the other may overwrite the spoilt bit of an entry that they share before anybody looks. */
static void one_spoilt_write_is_noticed(void **state) {
  (void)state;
  for (unsigned at = 1; at < 2000; at += 399) {
    struct monitor monitor;
    char options[64];
    snprintf(options, sizeof(options), "vcpus=1,walker=0,seed=7,rounds=400,break=%u", at);
    struct outcome outcome = run(&monitor, MONITOR_EMULATES, options);
    assert_true(outcome.guest_mismatches > 0);
    hv_sandbox.detach(monitor.domain);
  }
}

static void a_wrong_register_is_noticed(void **state) {
  (void)state;
  struct monitor monitor;
  struct outcome outcome = run_with(&monitor, MONITOR_EMULATES, "vcpus=2,seed=7,rounds=100", spoil_a_register);
  assert_true(outcome.guest_mismatches > 0);
  hv_sandbox.detach(monitor.domain);
}

/* The final tables, A and D aside, of a run with those options. */
static void final_tables(const char *options, uint64_t *out, size_t bytes) {
  struct monitor monitor;
  struct outcome outcome = run(&monitor, MONITOR_EMULATES, options);
  assert_int_equal(outcome.guest_mismatches, 0);
  for (size_t i = 0; i < bytes / 8; i++) {
    uint64_t entry = atomic_load(monitor_entry(&monitor, GUEST_POOL_GPA + i * 8));
    out[i] = entry & PTE_P ? entry & ~PTE_AD : entry;
  }
  hv_sandbox.detach(monitor.domain);
}

static void a_seed_says_it_all(void **state) {
  (void)state;
  enum { ENTRIES = 1 << 16 };
  static uint64_t first[ENTRIES];
  static uint64_t second[ENTRIES];
  static uint64_t other[ENTRIES];
  size_t bytes = guest_pool_bytes(2);
  assert_true(bytes <= sizeof(first));
  final_tables("vcpus=2,seed=8,rounds=200", first, bytes);
  final_tables("vcpus=2,seed=8,rounds=200,walker=0", second, bytes);
  final_tables("vcpus=2,seed=9,rounds=200", other, bytes);
  assert_memory_equal(first, second, bytes);
  assert_true(memcmp(first, other, bytes) != 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(steps_alone_are_not_noticed),
      cmocka_unit_test(emulated_moves_are_not_noticed),
      cmocka_unit_test(more_vcpus_than_processors_are_not_noticed),
      cmocka_unit_test(the_walker_makes_swaps_fail),
      cmocka_unit_test(without_a_walker_no_swap_fails),
      cmocka_unit_test(one_spoilt_write_is_noticed),
      cmocka_unit_test(a_wrong_register_is_noticed),
      cmocka_unit_test(a_seed_says_it_all),
  };
  return cmocka_run_group_tests_name("sandbox_runs", tests, NULL, NULL);
}
