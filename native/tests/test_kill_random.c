/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ptarmigand killed at random moments while the guest does all that it can, recovered by hand or by the next ptarmigand
 * in turn, and in the end the guest's run held against one that nobody watched.
 *
 * test_kill_random [KILLS [COMMAND...]]: so many instead of 30; with the JVM that COMMAND starts, in which {} stands
 * for the guest's directory, instead of the test's consumer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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

/* How long a guest lives, for how long its monitors are killed meanwhile, and how long each of them lives. */
struct pace {
  unsigned guest_s;
  unsigned killing_ms;
  unsigned spread_ms;
};

static const struct pace consumer_pace = {4, 2500, 60}, jvm_pace = {35, 29000, 500};

#define MOST_LIVES 1000

static struct {
  unsigned kills;
  const struct pace *pace;
  const char *const *command; /* NULL: the test's consumer */
} wanted = {.kills = 30, .pace = &consumer_pace};

static long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct tally {
  unsigned kills;
  unsigned waiting; /* vCPUs that recovery found */
  unsigned done;    /* of them, with their write done */
  unsigned lost;    /* lives that ended just before a monitor came, which then began another guest */
};

static void count(struct tally *tally, const char *said) {
  for (const char *at = said; (at = strstr(at, "vCPU ")); at++)
    tally->waiting++;
  for (const char *at = said; (at = strstr(at, "write was done")); at++)
    tally->done++;
}

/* Starts a monitor and kills it; false where the guest was done before. */
static bool kill_one(struct kill_case *it, unsigned turn, unsigned *random) {
  kill_case_watch_freely(it);
  bool there = turn % 3 == 2 ? kill_case_attached(it) : kill_case_busy(it); /* now and then before it does anything */
  usleep((unsigned)rand_r(random) % (wanted.pace->spread_ms * 1000));
  kill_case_kill(it);
  return there;
}

/* Kills its monitors until time is up; true where the guest could always be let go. */
static bool live(struct kill_case *it, struct tally *tally, unsigned *random) {
  long end = now_ms() + wanted.pace->killing_ms;
  for (unsigned turn = 0; now_ms() < end && tally->kills < wanted.kills && !kill_case_over(it); turn++) {
    if (!kill_one(it, turn, random))
      break;
    tally->kills++;
    if (turn == 0)
      kill_case_note_guest(it);
    if (turn % 2 == 1) /* the next one recovers first */
      continue;
    if (kill_case_recover(it) != 0)
      return false;
    count(tally, it->said);
  }
  if (kill_case_recover(it) != 0)
    return false;
  count(tally, it->said);
  return true;
}

static void done_once_whoever_dies_at_random_moments(void **state) {
  (void)state;
  struct tally tally = {0};
  unsigned random = 20261122, failed = 0, lives = 0;
  for (; tally.kills < wanted.kills && lives < MOST_LIVES && failed == 0; lives++) {
    struct kill_case it;
    char options[96];
    snprintf(options, sizeof options, "vcpus=2,work=open,seconds=%u,seed=%u", wanted.pace->guest_s, lives + 1);
    kill_case_open(&it, options);
    it.command = wanted.command;
    bool sound = live(&it, &tally, &random);
    tally.lost += !kill_case_same_guest(&it);
    struct kill_result result = kill_case_close(&it);
    if (sound && result.known && result.mismatches == 0)
      continue;
    printf("life %u: recovery said:\n%sand the guest:\n%s\n", lives, it.said, result.known ? result.text : "nothing\n");
    failed++;
  }
  printf(
      "%u kills at random moments in %u lives: %u vCPUs waited, the writes of %u were done; %u lives failed, "
      "%u were not seen to their end\n",
      tally.kills, lives, tally.waiting, tally.done, failed, tally.lost);
  assert_int_equal(failed, 0);
  assert_int_equal(tally.kills, wanted.kills);
  assert_true(tally.waiting > 0 && tally.lost < lives);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(done_once_whoever_dies_at_random_moments)};
  if (argc >= 2)
    wanted.kills = (unsigned)strtoul(argv[1], NULL, 10);
  if (argc >= 3) {
    wanted.command = (const char *const *)(uintptr_t)(argv + 2);
    wanted.pace = &jvm_pace;
  }
  return cmocka_run_group_tests_name("kill_random", tests, NULL, NULL);
}
