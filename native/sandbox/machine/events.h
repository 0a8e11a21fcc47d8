/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's end of the vm_event ring: requests out, responses in, as Xen's vm_event code does it. */
#ifndef PTARMIGAN_SANDBOX_EVENTS_H
#define PTARMIGAN_SANDBOX_EVENTS_H

#include "machine.h"

/* Not for handlers. */
void events_open(struct machine *machine, void *ring_page);

/*
 * Puts the vCPU's request on the ring, waiting for room where the ring is full. The vCPU counts as paused from here.
 * Returns the request's index.
 */
RING_IDX events_post(struct vcpu *vcpu, const vm_event_request_t *request);

/* True once the backend has taken the request from the ring, as far as it lets on: it asks to be told of later ones. */
bool events_taken(const struct machine *machine, RING_IDX request);

/* Returns once a response has unpaused the vCPU. */
void events_wait(struct vcpu *vcpu);

/* A fresh ring for another monitor, while the vCPUs are paused. Not for handlers. */
void events_begin_anew(struct machine *machine);
/* The vCPUs that wait for an answer, whatever ring they asked on. Returns how many. Not for handlers. */
int events_list_orphans(struct machine *machine, struct channel_orphans *out);
/* All vCPUs in that view, none single-stepping from its next exit on. Not for handlers. */
void events_set_views(struct machine *machine, uint16_t view);

/* Makes the backend's event_fd readable. */
void events_raise(struct machine *machine);

#endif
