/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ptarmigand killed at every point of an exit's path, with each kind of instruction that shows a loss or a doubling in
 * flight on one and on two vCPUs; then recovered, and the guest's run held against one that nobody watched. XADD and
 * BTC show a write done twice, XCHG one that was lost, REP STOS and the 16-byte stores one that was done by half.
 *
 * test_kill_matrix [POINT WORK VCPUS]: that one case alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* cmocka.h needs the four headers before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "kill_case.h"

#define ROUNDS 300
#define COUNT(array) (sizeof(array) / sizeof *(array))

struct point {
  const char *name;
  unsigned at;         /* passings before the kill */
  bool step;           /* the consumer has everything stepped */
  const char *verdict; /* what recovery must have said of a vCPU; NULL: it depends on who was faster */
};

static const char again[] = "executed again";
static const char done[] = "its write was done";
static const char part[] = "a part of its write was done";

static const struct point points[] = {
    {"taken", 61, false, again},
    {"published", 62, false, again},
    {"decision-collected", 63, false, again},
    {"intent-stored", 64, false, "nothing of its write was done"},
    {"entry-swapped", 65, false, " of its write was done|its write was done"},
    {"swapped", 66, false, done},
    {"swap-marked", 67, false, done},
    {"response-on-ring", 68, false, done},
    {"notified", 69, false, NULL},
    {"replied-marked", 70, false, NULL},
    {"step-begun", 21, true, "no write was under way"},
    {"step-ended", 22, true, "its step was over"},
};

static const struct point recovery_points[] = {{"recover-judged", 1, false, NULL},
                                               {"recover-marked", 1, false, NULL},
                                               {"recover-finished", 1, false, NULL},
                                               {"recover-answered", 1, false, NULL},
                                               {"recover-notified", 1, false, NULL}};

static const char *const works[] = {"xadd", "btc", "xchg", "stos", "pair"};

/* One of the alternatives that '|' parts. */
static bool says(const char *text, const char *verdict) {
  char one[64];
  for (const char *at = verdict; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL) {
    snprintf(one, sizeof one, "%.*s", (int)strcspn(at, "|"), at);
    if (strstr(text, one))
      return true;
  }
  return false;
}

static void open_case(struct kill_case *it, const char *work, unsigned vcpus, unsigned seed) {
  char options[96];
  snprintf(options, sizeof options, "vcpus=%u,work=%s,rounds=%u,seed=%u", vcpus, work, ROUNDS, seed);
  kill_case_open(it, options);
}

static bool stop_at(struct kill_case *it, const struct point *point) {
  char where[64];
  snprintf(where, sizeof where, "%s:%u", point->name, point->at);
  kill_case_watch(it, where, point->step);
  bool stopped = kill_case_stopped(it);
  usleep(2000); /* the other vCPU comes to its next store */
  kill_case_kill(it);
  return stopped;
}

static bool complete(struct kill_case *it, const char *what, bool passed) {
  struct kill_result result = kill_case_close(it);
  passed = passed && result.known && result.mismatches == 0 && result.rounds == ROUNDS;
  if (!passed)
    printf("%s: recovery said:\n%sand the guest:\n%s\n", what, it->said, result.known ? result.text : "nothing\n");
  return passed;
}

static bool passes(const struct point *point, const char *work, unsigned vcpus) {
  struct kill_case it;
  char what[64];
  snprintf(what, sizeof what, "%s %s on %u", point->name, work, vcpus);
  open_case(&it, work, vcpus, point->at);
  bool passed = stop_at(&it, point);
  if (!passed)
    printf("%s: it was not reached\n", what);
  if (kill_case_recover(&it) != 0) {
    printf("%s: recovery failed\n", what);
    passed = false;
  }
  if (passed && point->verdict && !says(it.said, point->verdict)) {
    printf("%s: recovery did not say: %s\n", what, point->verdict);
    passed = false;
  }
  return complete(&it, what, passed);
}

/* Killed, and whoever recovers is killed as well. */
static bool passes_twice(const struct point *point, const struct point *recovery, const char *work) {
  struct kill_case it;
  char what[96], where[64];
  snprintf(what, sizeof what, "%s then %s, %s", point->name, recovery->name, work);
  snprintf(where, sizeof where, "%s:%u", recovery->name, recovery->at);
  open_case(&it, work, 2, point->at);
  bool passed = stop_at(&it, point) && kill_case_recover_and_die(&it, where);
  if (!passed)
    printf("%s: it was not reached\n", what);
  passed &= kill_case_recover(&it) == 0;
  return complete(&it, what, passed);
}

static void run_matrix(const char *work) {
  unsigned passed = 0, cases = 0;
  for (size_t i = 0; i < COUNT(points); i++) {
    for (unsigned vcpus = 1; vcpus <= 2; vcpus++, cases++)
      passed += passes(&points[i], work, vcpus);
  }
  printf("%-5s %zu points x 1 and 2 vCPUs: %u of %u passed\n", work, COUNT(points), passed, cases);
  assert_int_equal(passed, cases);
}

static void done_once_whoever_dies_in_an_xadd(void **state) {
  (void)state;
  run_matrix("xadd");
}

static void done_once_whoever_dies_in_a_btc(void **state) {
  (void)state;
  run_matrix("btc");
}

static void done_once_whoever_dies_in_an_xchg(void **state) {
  (void)state;
  run_matrix("xchg");
}

static void done_once_whoever_dies_in_a_rep_stos(void **state) {
  (void)state;
  run_matrix("stos");
}

static void done_once_whoever_dies_in_a_store_to_two_entries(void **state) {
  (void)state;
  run_matrix("pair");
}

static void done_once_whoever_dies_while_recovering(void **state) {
  (void)state;
  unsigned passed = 0, cases = 0;
  for (size_t i = 0; i < COUNT(recovery_points); i++) {
    for (size_t k = 0; k < COUNT(works); k++, cases++)
      passed += passes_twice(&points[4], &recovery_points[i], works[k]);
  }
  printf("recovery killed: %zu points x %zu instructions: %u of %u passed\n", COUNT(recovery_points), COUNT(works),
         passed, cases);
  assert_int_equal(passed, cases);
}

/* A 16-byte store of which one entry is written: neither all nor nothing. */
static void done_once_whoever_dies_half_way(void **state) {
  (void)state;
  struct kill_case it;
  const struct point half = {"entry-swapped", 41, false, part}; /* two passings to each store */
  open_case(&it, "pair", 1, 7);
  bool passed = stop_at(&it, &half);
  passed &= kill_case_recover(&it) == 0 && says(it.said, half.verdict);
  assert_true(complete(&it, "half way", passed));
}

static void a_monitor_that_lives_is_not_recovered_from(void **state) {
  (void)state;
  struct kill_case it;
  open_case(&it, "xadd", 2, 8);
  kill_case_watch(&it, "swapped:20", false);
  bool stopped = kill_case_stopped(&it);
  int refused = kill_case_recover(&it);
  kill_case_kill(&it);
  bool recovered = kill_case_recover(&it) == 0;
  assert_true(complete(&it, "alive", stopped && recovered));
  assert_int_equal(refused, EXIT_FAILURE);
}

static int run_one(const char *name, const char *work, unsigned vcpus) {
  for (size_t i = 0; i < COUNT(points); i++)
    if (strcmp(points[i].name, name) == 0)
      return passes(&points[i], work, vcpus) ? EXIT_SUCCESS : EXIT_FAILURE;
  return EXIT_FAILURE;
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(done_once_whoever_dies_in_an_xadd),
      cmocka_unit_test(done_once_whoever_dies_in_a_btc),
      cmocka_unit_test(done_once_whoever_dies_in_an_xchg),
      cmocka_unit_test(done_once_whoever_dies_in_a_rep_stos),
      cmocka_unit_test(done_once_whoever_dies_in_a_store_to_two_entries),
      cmocka_unit_test(done_once_whoever_dies_half_way),
      cmocka_unit_test(done_once_whoever_dies_while_recovering),
      cmocka_unit_test(a_monitor_that_lives_is_not_recovered_from),
  };
  if (argc == 4)
    return run_one(argv[1], argv[2], (unsigned)atoi(argv[3]));
  return cmocka_run_group_tests_name("kill_matrix", tests, NULL, NULL);
}
