/* SPDX-License-Identifier: Apache-2.0 */
/* A real ptarmigand with the sandbox guest and a stand-in for the JVM, in a directory that every user may enter. */
#ifndef PTARMIGAN_DAEMON_RIG_H
#define PTARMIGAN_DAEMON_RIG_H

#include <stdbool.h>
#include <sys/types.h>

#include "rig.h"

#define DAEMON_TEXT_BYTES (1 << 20)
#define ORDINARY_UID 1 /* daemon: on every Debian, and not nobody */

struct daemon_rig {
  char dir[64];     /* copies of the programs, out, err, and run/: the base of run-time directories */
  char command[96]; /* the stand-in's path */
  bool traced;      /* by strace, into the file trace; its process is strace's child then */
  char text[DAEMON_TEXT_BYTES];
};

/* For cmocka. */
int daemon_rig_up(void **state);
int daemon_rig_down(void **state);

/*
 * Starts "ptarmigand --run-dir DIR/run ARGUMENT..." as that user: root stays what the test runs as. Output goes to
 * files that daemon_text() reads.
 */
pid_t daemon_start(struct daemon_rig *rig, uid_t user, const char *const *arguments);

/* Its exit status, or 128 + signal; fails the test where it does not end within 30 s. */
int daemon_wait(pid_t pid);

/* Contents of a file in the rig's directory: out, err. */
const char *daemon_text(struct daemon_rig *rig, const char *name);

/* Waits up to 10 s for a line that begins with this. */
void daemon_await(struct daemon_rig *rig, const char *name, const char *line);

/* Text of the line that begins with name, without it; NULL: none. Valid until the next call. */
const char *daemon_line(struct daemon_rig *rig, const char *file, const char *name);

/* The first child process of this name; fails the test where none comes within 10 s. */
pid_t child_named(pid_t parent, const char *name);

/* Fails the test for anything that is not one process: 0 and -1 mean whole groups to kill(). */
void process_signal(pid_t pid, int signal);

/* A field of /proc/PID/status; NULL where there is no such process. Valid until the next call. */
const char *process_status(pid_t pid, const char *field);

#endif
