/* SPDX-License-Identifier: Apache-2.0 */
/* The JVM below a ptarmigand, whoever started it on the way, held so that no other process can take its place. */
#ifndef PTARMIGAN_FAULTS_VICTIM_H
#define PTARMIGAN_FAULTS_VICTIM_H

#include <stdbool.h>
#include <sys/types.h>

struct victim {
  pid_t pid;
  int fd; /* pidfd, to be closed */
};

/* The first descendant of root that runs a program of this name; false where there is none. */
bool victim_find(pid_t root, const char *program, struct victim *out);

/* It has a thread of this name, cut to 15 bytes as the kernel does. */
bool victim_has_thread(const struct victim *victim, const char *name);

bool victim_ended(const struct victim *victim);

/* False: it has ended. */
bool victim_signal(const struct victim *victim, int signal);

#endif
