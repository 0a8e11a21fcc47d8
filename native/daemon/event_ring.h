/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's end of Xen's vm_event ring (xen/include/public/io/ring.h, vm_event.h). One thread. */
#ifndef PTARMIGAN_EVENT_RING_H
#define PTARMIGAN_EVENT_RING_H

#include <stdbool.h>

#include "vm_event_abi.h"

struct event_ring {
  vm_event_back_ring_t back;
};

void event_ring_open(struct event_ring *ring, void *page);

/* Takes the oldest request by value and frees its slot. False: none. */
bool event_ring_take(struct event_ring *ring, vm_event_request_t *request);

/* True while a request waits to be taken. */
bool event_ring_waits(struct event_ring *ring);

/* Puts a response; it counts once the backend's notify was called. There is always room: one response per request. */
void event_ring_put(struct event_ring *ring, const vm_event_response_t *response);

#endif
