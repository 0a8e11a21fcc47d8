/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the attached JVM is worth waiting for. Exits that wait for one that has stopped answering would each cost a
 * deadline, so after three missed deadlines the JVM counts as stalled and exits go to policy at once. A missed deadline
 * is forgiven only by PT_STALL_FORGIVEN exits that Java decided. After PT_STALL_TRIAL_NS a JVM that has read what was
 * published before the stall, and is close behind the rest, is on trial: the next missed deadline stalls it again. One
 * thread.
 */
#ifndef PTARMIGAN_STALL_H
#define PTARMIGAN_STALL_H

#include <stdbool.h>
#include <stdint.h>

#define PT_STALL_MISSES 3
#define PT_STALL_FORGIVEN 16
#define PT_STALL_LAG 64 /* records that a JVM under load may be behind and still count as caught up */
#define PT_STALL_TRIAL_NS 200000000ull

struct pt_stall {
  bool stalled;
  uint32_t debt;     /* PT_STALL_FORGIVEN for each deadline missed, less one for each exit decided */
  uint64_t since_ns; /* when it was found stalled first, with no exit decided since; 0: it was not */
  uint64_t mark;     /* stalled: it has to have read the record with this sequence */
  uint64_t trial_ns; /* stalled: no trial before */
};

/* Java's decision has ended an exit. */
void pt_stall_decided(struct pt_stall *stall);
/* A deadline has passed; cursor is the newest record. True: stalled from now on, and not just before. */
bool pt_stall_missed(struct pt_stall *stall, uint64_t cursor, uint64_t now);
/* The JVM lets its stream run full. As pt_stall_missed. */
bool pt_stall_full(struct pt_stall *stall, uint64_t cursor, uint64_t now);
/* Looks at how far the JVM has read, which is anything at all where it lies. True: no use waiting for it. */
bool pt_stall_check(struct pt_stall *stall, uint64_t consumed, uint64_t cursor, uint64_t now);

#endif
