/* SPDX-License-Identifier: Apache-2.0 */
/* Starting and ending the machine's process. Errors are negative errno values. */
#ifndef PTARMIGAN_SANDBOX_SPAWN_H
#define PTARMIGAN_SANDBOX_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

struct spawn_files {
  int control;
  int ram;
  int pages;
  int event;
};

struct spawn_child {
  pid_t pid;
  int pidfd;
};

/*
 * Starts executable with the option text as its only argument and the four descriptors where channel.h has them, and
 * none besides standard error. It is killed when the calling thread ends, unless it is to outlive it.
 */
int spawn_machine(const char *executable, const char *options, const struct spawn_files *files, bool outlives,
                  struct spawn_child *out);

/* True once the process has ended. Does not wait. */
bool spawn_ended(const struct spawn_child *child);

void spawn_kill(const struct spawn_child *child);

/* Waits for the process for at most grace_ms, then kills it. Takes its status and closes the pidfd. */
void spawn_reap(struct spawn_child *child, int grace_ms);

#endif
