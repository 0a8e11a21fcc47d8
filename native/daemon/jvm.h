/* SPDX-License-Identifier: Apache-2.0 */
/* The JVM as a child process: it inherits the channel's descriptors, standard streams, and nothing else. */
#ifndef PTARMIGAN_JVM_H
#define PTARMIGAN_JVM_H

#include <stdbool.h>
#include <sys/types.h>

#include "ptarmigan/plugin.h"

struct jvm {
  pid_t pid;
  int pidfd; /* readable once it has ended */
};

/*
 * Starts command (argv, NULL-terminated). The child finds the descriptors' numbers and its generation in the
 * environment: PTARMIGAN_STREAM_FD, PTARMIGAN_DECISIONS_FD, PTARMIGAN_WAKE_FD, PTARMIGAN_GENERATION. It dies with this
 * process.
 */
int jvm_start(struct jvm *jvm, char *const *command, const struct pt_channel *channel);

bool jvm_ended(const struct jvm *jvm);

/* Waits up to timeout_ms for its end, then kills it. Returns its exit status, or 128 + signal. */
int jvm_finish(struct jvm *jvm, int timeout_ms);

#endif
