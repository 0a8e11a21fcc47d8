/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One life of a sandbox domain whose monitors are killed: a ptarmigand of the test build (stop_points.c) or the real
 * one watches it, is killed, ptarmigand --recover lets the domain go on, and in the end the guest says whether a write
 * was lost or done twice.
 */
#ifndef PTARMIGAN_KILL_CASE_H
#define PTARMIGAN_KILL_CASE_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct kill_case {
  char dir[64];
  char options[256]; /* of the sandbox */
  volatile unsigned char *stopped;
  char said[4096];            /* by the last recovery */
  const char *const *command; /* what stands where the JVM does, "{}" for dir; NULL: the test's consumer */
  struct timespec since;      /* when the ptarmigand was started */
  struct timespec begun;      /* when the guest was */
  pid_t pid;                  /* its process; 0: none runs */
};

/* A domain with those sandbox options; the guest waits for its monitors. */
void kill_case_open(struct kill_case *it, const char *options);

/* Starts a ptarmigand of the test build that stands still at that point ("name:count"), with a consumer. */
void kill_case_watch(struct kill_case *it, const char *point, bool step);
/* The real one, which stands still nowhere. */
void kill_case_watch_freely(struct kill_case *it);
/* Waits until it is attached; false where that takes too long. */
bool kill_case_attached(const struct kill_case *it);
/* The guest has come to its end. */
bool kill_case_over(const struct kill_case *it);
/* Waits until it has written to a table for the guest; false where it ended or that takes too long. */
bool kill_case_busy(const struct kill_case *it);
/* Waits until it stands still; false where it ended, or has not come there in time. */
bool kill_case_stopped(struct kill_case *it);
void kill_case_kill(struct kill_case *it);

/* The guest's machine writes layout.json when it begins: notes when that was; whether it is still so. */
void kill_case_note_guest(struct kill_case *it);
bool kill_case_same_guest(const struct kill_case *it);

/* Runs ptarmigand --recover to its end; its exit status. What it said is in said. */
int kill_case_recover(struct kill_case *it);
/* Runs one of the test build that stands still at that point, and kills it there. False: it did not come there. */
bool kill_case_recover_and_die(struct kill_case *it, const char *point);

struct kill_result {
  bool known; /* the guest has come to its end */
  unsigned long mismatches;
  unsigned long rounds; /* of vCPU 0 */
  char text[4096];
};

/* Waits for the guest's end and removes everything. */
struct kill_result kill_case_close(struct kill_case *it);

#endif
