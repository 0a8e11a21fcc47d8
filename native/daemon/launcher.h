/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that starts JVMs for the loop, so that the loop needs no right to start anything itself. It is forked
 * before the loop opens a lock, guest memory or a hypervisor, keeps no descriptor but its socket and the standard
 * streams, and starts one fixed command under one fixed identity. It ends, and its JVM with it, once the loop's end of
 * the socket is closed, however that came about.
 */
#ifndef PTARMIGAN_LAUNCHER_H
#define PTARMIGAN_LAUNCHER_H

#include <stdint.h>

#include "jvm_process.h"

struct launcher {
  pid_t pid;
  int socket; /* SOCK_SEQPACKET: requests out, reports in */
};

enum launch_request_kind {
  LAUNCH_START = 1, /* with the descriptors of struct jvm_grant; ends a JVM that still runs */
  LAUNCH_KILL = 2   /* that generation, if it still runs */
};

struct launch_request {
  uint32_t kind; /* enum launch_request_kind */
  uint32_t generation;
};

enum launch_report_kind {
  LAUNCH_STARTED = 1, /* value: its process */
  LAUNCH_ENDED = 2    /* value: its exit status, or 128 + signal */
};

struct launch_report {
  uint32_t kind; /* enum launch_report_kind */
  uint32_t generation;
  int32_t value;
};

/* program and what it points to must outlive the call only. Negative errno on error. */
int launcher_open(const struct jvm_program *program, struct launcher *out);
/* Ends the launcher and its JVM, and waits for that. */
void launcher_close(struct launcher *launcher);

#endif
