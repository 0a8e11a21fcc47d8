/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ptarmigan-faults SECONDS KILLS STOPS SEED COMMAND [ARGUMENT...]: runs COMMAND, which is a ptarmigand, and for SECONDS
 * kills and stops its JVM at random moments: about half of the kills while it starts, the rest and all stops once its
 * decider runs. Most stops end around the usual deadline of 20 ms, some only after seconds. Says on stderr what was
 * done; its status is the command's.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "victim.h"

#define SECOND_NS 1000000000ull
#define MS_NS 1000000ull
#define LOOK_NS (2 * MS_NS)
#define RUN_NS (SECOND_NS / 2) /* a JVM that decides is left alone for at most so long */
#define PATIENCE 2             /* budgets */
#define SHORT_STOP_NS (60 * MS_NS)
#define LONG_STOP_NS (3 * SECOND_NS)
#define LONG_STOPS 8 /* one in so many */
#define GUEST_NICE 10
#define USAGE_STATUS 2

struct faults {
  pid_t command;
  bool ended;
  int status;
  uint64_t end_ns;
  uint64_t start_ns; /* how long a JVM took to start, of late */
  uint64_t random;
  unsigned kills_left, stops_left;
  unsigned early_kills, kills, stops;
  uint64_t longest_stop_ns;
};

static uint64_t below(struct faults *faults, uint64_t bound) {
  faults->random ^= faults->random << 13;
  faults->random ^= faults->random >> 7;
  faults->random ^= faults->random << 17;
  return bound ? faults->random % bound : 0;
}

static void look(struct faults *faults) {
  int status;
  if (faults->ended || waitpid(faults->command, &status, WNOHANG) != faults->command)
    return;
  faults->ended = true;
  faults->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* False once the command has ended or the time is over. */
static bool pass(struct faults *faults, uint64_t duration) {
  uint64_t until = pt_now_ns() + duration;
  for (;;) {
    uint64_t now = pt_now_ns();
    look(faults);
    if (faults->ended || now >= faults->end_ns)
      return false;
    if (now >= until)
      return true;
    usleep((useconds_t)((until - now < LOOK_NS ? until - now : LOOK_NS) / 1000 + 1));
  }
}

static bool decides(const struct victim *victim) {
  return victim_has_thread(victim, "ptarmigan-decider");
}

/* Until its decider runs, or for that long; false where it ends, or everything does. */
static bool pass_start(struct faults *faults, const struct victim *victim, uint64_t longest) {
  uint64_t begin = pt_now_ns();
  if (decides(victim))
    return true;
  while (!decides(victim) && pt_now_ns() - begin < longest)
    if (victim_ended(victim) || !pass(faults, LOOK_NS))
      return false;
  faults->start_ns = (faults->start_ns + pt_now_ns() - begin) / 2;
  return true;
}

static void kill_jvm(struct faults *faults, const struct victim *victim) {
  bool early = !decides(victim);
  if (!victim_signal(victim, SIGKILL))
    return;
  faults->kills++;
  faults->early_kills += early;
  faults->kills_left--;
}

static void stop_jvm(struct faults *faults, const struct victim *victim) {
  uint64_t length = below(faults, below(faults, LONG_STOPS) ? SHORT_STOP_NS : LONG_STOP_NS);
  uint64_t begin = pt_now_ns();
  if (!victim_signal(victim, SIGSTOP))
    return;
  pass(faults, length);
  victim_signal(victim, SIGCONT);
  uint64_t stopped = pt_now_ns() - begin;
  if (stopped > faults->longest_stop_ns)
    faults->longest_stop_ns = stopped;
  faults->stops++;
  faults->stops_left--;
}

/* One fault. budget is the time that each of those left may take: where it is short, a JVM is not waited for long. */
static void harm(struct faults *faults, const struct victim *victim, uint64_t budget) {
  bool hurry = budget < faults->start_ns + RUN_NS;
  bool kills = below(faults, faults->kills_left + faults->stops_left) < faults->kills_left;
  bool early = !decides(victim) && below(faults, 2);
  if (early && faults->kills_left > 0 && (kills || hurry)) {
    if (pass(faults, below(faults, budget < faults->start_ns ? budget : faults->start_ns)))
      kill_jvm(faults, victim);
    return;
  }
  if (!pass_start(faults, victim, hurry ? PATIENCE * budget : UINT64_MAX) || !pass(faults, below(faults, RUN_NS)))
    return;
  if (kills || (!decides(victim) && faults->kills_left > 0))
    kill_jvm(faults, victim);
  else
    stop_jvm(faults, victim);
}

/* On few CPUs the guest would keep the JVM from starting, and few faults would hit one that decides. */
static void calm_guest(struct faults *faults) {
  struct victim guest;
  while (!victim_find(faults->command, "ptarmigan-guest", &guest))
    if (!pass(faults, LOOK_NS))
      return;
  setpriority(PRIO_PROCESS, (id_t)guest.pid, GUEST_NICE); /* its threads are yet to come */
  close(guest.fd);
}

static void inject(struct faults *faults) {
  calm_guest(faults);
  while (faults->kills_left + faults->stops_left > 0 && pass(faults, LOOK_NS)) {
    struct victim victim;
    uint64_t begin = pt_now_ns();
    uint64_t budget = (faults->end_ns - begin) / (faults->kills_left + faults->stops_left);
    if (!victim_find(faults->command, "java", &victim))
      continue;
    harm(faults, &victim, budget);
    close(victim.fd);
    uint64_t taken = pt_now_ns() - begin;
    if (taken < budget)
      pass(faults, below(faults, 2 * (budget - taken)));
  }
}

static void start(struct faults *faults, char **command) {
  pid_t parent = getpid();
  faults->command = fork();
  if (faults->command != 0)
    return;
  if (prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent)
    execv(command[0], command);
  perror(command[0]);
  _exit(127);
}

static unsigned number(const char *text) {
  char *end;
  unsigned long value = strtoul(text, &end, 10);
  if (*text == '\0' || *end != '\0' || value > 1000000000) {
    fprintf(stderr, "usage: ptarmigan-faults SECONDS KILLS STOPS SEED COMMAND [ARGUMENT...]\n");
    exit(USAGE_STATUS);
  }
  return (unsigned)value;
}

int main(int argc, char **argv) {
  if (argc < 6)
    number("");
  struct faults faults = {.end_ns = pt_now_ns() + number(argv[1]) * SECOND_NS,
                          .start_ns = SECOND_NS,
                          .kills_left = number(argv[2]),
                          .stops_left = number(argv[3]),
                          .random = number(argv[4]) * 0x9E3779B97F4A7C15ull | 1};
  start(&faults, argv + 5);
  if (faults.command < 0) {
    perror("fork");
    return EXIT_FAILURE;
  }
  inject(&faults);
  while (!faults.ended) {
    look(&faults);
    usleep(LOOK_NS / 1000);
  }
  fprintf(
      stderr,
      "faults: the JVM was killed %u times, %u of them while it started, and stopped %u times, for at most %llu ms\n",
      faults.kills, faults.early_kills, faults.stops, (unsigned long long)(faults.longest_stop_ns / MS_NS));
  return faults.status;
}
