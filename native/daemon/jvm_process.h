/* SPDX-License-Identifier: Apache-2.0 */
/* What a new process does to become the JVM, and what the JVM is handed. */
#ifndef PTARMIGAN_JVM_PROCESS_H
#define PTARMIGAN_JVM_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "identity.h"
#include "ptarmigan/plugin.h"

/* The channel's descriptors, in the order of their numbers in the JVM, which begin after the standard streams. */
#define JVM_FDS 4

struct jvm_grant {
  int fds[JVM_FDS];
  uint32_t generation;
};

void jvm_grant(const struct pt_channel *channel, struct jvm_grant *out);

struct jvm_program {
  char *const *command; /* argv, NULL-terminated */
  const struct identity *identity;
};

/*
 * Becomes the JVM: identity, standard streams, granted descriptors, a small environment, and nothing else. It dies with
 * parent. Ends the process with status 127 and a sentence on stderr where that is not possible.
 */
_Noreturn void jvm_process_run(const struct jvm_program *program, const struct jvm_grant *grant, pid_t parent);

#endif
