/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps a JVM attached to the monitor: starts it, notices that it ended, hangs at its start or stays stalled, and
 * starts the next. Nothing here waits for the JVM while the guest runs. One thread.
 */
#ifndef PTARMIGAN_SUPERVISOR_H
#define PTARMIGAN_SUPERVISOR_H

#include "jvm.h"
#include "ptarmigan/plugin.h"

enum jvm_phase {
  JVM_NONE, /* none runs; the next starts at restart_ns */
  JVM_RUNS,
  JVM_KILLED /* detached and on its way out */
};

struct supervisor {
  struct pt_monitor *monitor;
  const struct launcher *launcher; /* starts the JVM; NULL: none ever, every exit is answered by policy */
  struct jvm jvm;
  enum jvm_phase phase;
  bool ready;     /* this JVM has been */
  bool worked;    /* one of them has been */
  int status;     /* of the last one that ended */
  uint64_t at_ns; /* when this JVM was started, or became ready */
  uint64_t restart_ns;
  uint64_t delay_ns; /* before the next start, should this one fail too */
};

void supervisor_init(struct supervisor *supervisor, struct pt_monitor *monitor, const struct launcher *launcher);

/*
 * What is due now; to be called some times a second, and when supervisor_fd is readable. restart: the guest goes on, so
 * a JVM that failed is followed by another. False: the first JVM ended by itself without ever having been ready.
 */
bool supervisor_check(struct supervisor *supervisor, bool restart);

/* Readable when the JVM may have ended; -1: none runs. */
int supervisor_fd(const struct supervisor *supervisor);

/* Waits up to timeout_ms for the JVM to end by itself, then kills it. Returns the exit status of the last one. */
int supervisor_finish(struct supervisor *supervisor, int timeout_ms);

#endif
