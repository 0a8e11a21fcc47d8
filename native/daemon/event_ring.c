/* SPDX-License-Identifier: Apache-2.0 */
#include "event_ring.h"

void event_ring_open(struct event_ring *ring, void *page) {
  BACK_RING_INIT(&ring->back, (vm_event_sring_t *)page, 4096);
}

bool event_ring_waits(struct event_ring *ring) {
  return __atomic_load_n(&ring->back.sring->req_prod, __ATOMIC_ACQUIRE) != ring->back.req_cons;
}

bool event_ring_take(struct event_ring *ring, vm_event_request_t *request) {
  if (!event_ring_waits(ring))
    return false;
  *request = *RING_GET_REQUEST(&ring->back, ring->back.req_cons);
  ring->back.req_cons++;
  /* As Xen's own tools do: ask to be told of the next one. */
  ring->back.sring->req_event = ring->back.req_cons + 1;
  return true;
}

void event_ring_put(struct event_ring *ring, const vm_event_response_t *response) {
  *RING_GET_RESPONSE(&ring->back, ring->back.rsp_prod_pvt) = *response;
  ring->back.rsp_prod_pvt++;
  RING_PUSH_RESPONSES(&ring->back);
}
