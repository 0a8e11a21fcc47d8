/* SPDX-License-Identifier: Apache-2.0 */
/* The JVM of one generation, as the loop sees it: started and ended by the launcher, and never waited for but at the
 * end. */
#ifndef PTARMIGAN_JVM_H
#define PTARMIGAN_JVM_H

#include <stdbool.h>
#include <sys/types.h>

#include "launcher.h"
#include "ptarmigan/plugin.h"

struct jvm {
  const struct launcher *launcher;
  uint32_t generation;
  pid_t pid; /* 0 until the launcher has told it */
  bool ended;
  int status;
};

/*
 * Asks for a JVM with this channel and returns at once. It finds the descriptors' numbers and its generation in the
 * environment: PTARMIGAN_STREAM_FD, PTARMIGAN_DECISIONS_FD, PTARMIGAN_WAKE_FD, PTARMIGAN_NOTEBOOK_FD,
 * PTARMIGAN_GENERATION. It dies with this process. A failure beyond this call shows as its end, with status 127.
 */
int jvm_start(struct jvm *jvm, const struct launcher *launcher, const struct pt_channel *channel);

/* Readable when jvm_ended may have something to tell. */
int jvm_fd(const struct jvm *jvm);

bool jvm_ended(struct jvm *jvm);

/* By SIGKILL; returns at once. */
void jvm_kill(const struct jvm *jvm);

/* Waits up to timeout_ms for its end, then kills it. Returns its exit status, or 128 + signal. */
int jvm_finish(struct jvm *jvm, int timeout_ms);

#endif
