/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the backend shares with the machine, the child process that plays hypervisor and guest.
 *
 * The machine is started with four descriptors: CHANNEL_CONTROL_FD, a SOCK_SEQPACKET socket on which each request is
 * answered by one int32_t (0 or a negative errno) and whose end tells the machine to quit; CHANNEL_RAM_FD, the guest's
 * memory; CHANNEL_PAGES_FD, the ring page followed by struct channel; CHANNEL_EVENT_FD, an eventfd. The machine's first
 * answer, unasked, says that the domain is built and held.
 *
 * With the option orphan the machine outlives the control socket's end and listens on a socket in dir (CHANNEL_SOCKET).
 * It holds the domain when somebody connects, begins a fresh ring, and answers with struct channel_hello and the
 * descriptors of memory, pages and event; that connection is the control socket from there. Requests of the old ring
 * are not repeated: CONTROL_ORPHANS says which vCPUs still wait for an answer.
 */
#ifndef PTARMIGAN_SANDBOX_CHANNEL_H
#define PTARMIGAN_SANDBOX_CHANNEL_H

#include <stdatomic.h>
#include <stdint.h>

#include "daemon/vm_event_abi.h"
#include "guest/boot.h"

#define CHANNEL_SOCKET "machine"

enum { CHANNEL_CONTROL_FD = 3, CHANNEL_RAM_FD = 4, CHANNEL_PAGES_FD = 5, CHANNEL_EVENT_FD = 6, CHANNEL_FD_END = 7 };

/* The ring, struct channel, struct channel_orphans. */
enum { CHANNEL_PAGE_BYTES = 4096, CHANNEL_ORPHANS_OFFSET = 8192, CHANNEL_PAGES_BYTES = 16384 };

/* The altp2m views of a domain: what set_access restricts holds in one of them. */
enum { VIEW_UNRESTRICTED = 0, VIEW_RESTRICTED = 1, VIEW_COUNT = 2 };

/* Life of one wake-up of the backend: only the machine leaves IDLE and RAISING, only the backend leaves RAISED. */
enum channel_event {
  CHANNEL_EVENT_IDLE = 0,    /* the next event has to write the eventfd */
  CHANNEL_EVENT_RAISING = 1, /* somebody is about to have written it */
  CHANNEL_EVENT_RAISED = 2   /* written: the backend has yet to read it and look */
};

enum { CHANNEL_VCPUS = 12, CHANNEL_XMM = 16, CHANNEL_XMM_BYTES = 16 };

struct channel {
  _Atomic uint32_t event; /* enum channel_event */
  /* Backend: responses below this ring index count. A futex; a vCPU sleeps on it with bit (vcpu) of the bitset. */
  _Atomic uint32_t notified;
  /* Machine: bit n is set while vCPU n sleeps, or is about to, on notified. */
  _Atomic uint32_t sleeping;
  /* Machine: 1 once the domain is done and its result is written. */
  _Atomic uint32_t ended;
  /* Machine: each vCPU's XMM registers, as of the request that it is paused for. */
  uint8_t xmm[CHANNEL_VCPUS][CHANNEL_XMM][CHANNEL_XMM_BYTES];
  /* Machine: requests that each vCPU has made since it was built. */
  _Atomic uint64_t exits[GUEST_MAX_VCPUS];
};

/* Filled by CONTROL_ORPHANS. */
struct channel_orphans {
  uint32_t count;
  struct channel_orphan {
    uint64_t exit; /* channel.exits of its vCPU */
    vm_event_request_t request;
  } orphans[GUEST_MAX_VCPUS];
};

_Static_assert(sizeof(struct channel) <= CHANNEL_PAGE_BYTES, "the channel fits its page");
_Static_assert(CHANNEL_ORPHANS_OFFSET + sizeof(struct channel_orphans) <= CHANNEL_PAGES_BYTES, "orphans fit");

struct channel_hello {
  uint32_t vcpus;
};

enum control_kind {
  CONTROL_RESTRICT = 1,
  CONTROL_RELEASE = 2,
  CONTROL_RESUME = 3,
  CONTROL_PAUSE = 4,
  CONTROL_UNPAUSE = 5,
  CONTROL_ORPHANS = 6,    /* lists the vCPUs that wait for an answer */
  CONTROL_UNRESTRICT = 7, /* all frames writable, all vCPUs in view 0, no stepping */
  CONTROL_ENTER = 8       /* all vCPUs in the restricted view */
};

enum { CONTROL_GFNS = 1024 };

struct control_request {
  uint32_t kind; /* enum control_kind */
  uint32_t count;
  uint64_t gfns[CONTROL_GFNS];
};

#endif
