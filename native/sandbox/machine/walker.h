/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page walker of the processors that we don't see: sets A and D bits behind the monitor's back, where the guest's
 * tables are being written, and only as a walk for one of the guest's addresses would.
 */
#ifndef PTARMIGAN_SANDBOX_WALKER_H
#define PTARMIGAN_SANDBOX_WALKER_H

#include "machine.h"

/* Starts and stops the walker's thread. Not for handlers. */
int walker_start(struct machine *machine);
void walker_join(struct machine *machine);

/*
 * The vCPU has just put request on the ring, as number index. Where the entry that it wants to write serves an address
 * in use, now and then another processor's walk for that address happens soon after the monitor has taken the request:
 * between its look at the entry and its swap, if chance has it so.
 */
void walker_nudge(struct vcpu *vcpu, const vm_event_request_t *request, RING_IDX index);

#endif
