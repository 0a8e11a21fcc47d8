/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hypervisor backend gives the native loop. Requests and responses travel on a page with Xen's ring macros and
 * record layout (xen/include/public/vm_event.h), whatever the backend; everything else is a function here.
 *
 * Contract of responses, as Xen has it (xen/arch/x86/vm_event.c, vm_event_resume):
 *   VM_EVENT_FLAG_VCPU_PAUSED       echoed: the vCPU resumes; nothing else resumes it
 *   VM_EVENT_FLAG_SET_REGISTERS     16 general registers, rflags and rip are taken from data.regs.x86
 *   VM_EVENT_FLAG_ALTERNATE_P2M     the vCPU resumes in view altp2m_idx; 0 is the unrestricted view
 *   VM_EVENT_FLAG_TOGGLE_SINGLESTEP flips single stepping; a step ends in a VM_EVENT_REASON_SINGLESTEP request
 *   VM_EVENT_FLAG_EMULATE           the hypervisor executes the instruction (where the backend can)
 * A response counts once notify() was called after it was put on the ring.
 *
 * Errors are negative errno values. All functions are called from the loop's one thread.
 */
#ifndef PTARMIGAN_NATIVE_HYPERVISOR_H
#define PTARMIGAN_NATIVE_HYPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/vm_event_abi.h"

struct hv_domain; /* each backend's own */

enum hv_domain_state {
  HV_DOMAIN_RUNNING = 0,
  HV_DOMAIN_ENDED = 1 /* shut down, destroyed or crashed: no further request will come */
};

struct hv_info {
  unsigned vcpus;
  unsigned maxphyaddr;      /* bits of a guest-physical address */
  uint64_t frames;          /* guest frames are 0 .. frames - 1 */
  unsigned restricted_view; /* altp2m index in which protected frames are read-only */
  bool hv_emulate;          /* VM_EVENT_FLAG_EMULATE is honoured */
};

/* A vCPU that waits for the answer to a request of a monitor that died. */
struct hv_orphan {
  uint64_t exit_id; /* as exit_id() gives it */
  /* As far as the backend knows it: version, flags, reason, vcpu_id and registers at least. */
  vm_event_request_t request;
};

struct hv_backend {
  const char *name;

  /* System calls that the functions below make after attach, beside the loop's: SYS_ numbers, then -1. NULL: none. */
  const int *calls;

  /*
   * Attaches to a domain and leaves it held (see resume): no guest instruction runs before. domain names it in the
   * backend's own way; options is the backend's own "key=value,key=value" text or NULL. On error *message, if not NULL,
   * is a sentence for the user (static or owned by the backend).
   */
  int (*attach)(const char *domain, const char *options, struct hv_domain **out, const char **message);

  /*
   * As attach, for a domain whose monitor died: vCPUs may wait for answers, and the ring begins anew. -ESRCH where
   * there is no such domain.
   */
  int (*reattach)(const char *domain, const char *options, struct hv_domain **out, const char **message);

  /* The vCPUs that wait for an answer, up to capacity of them. Returns how many there are. */
  int (*orphans)(struct hv_domain *domain, struct hv_orphan *out, size_t capacity);

  /* Makes all frames writable, puts all vCPUs into the unrestricted view and takes single stepping from them. */
  int (*unrestrict)(struct hv_domain *domain);

  /*
   * Tells the exits of one vCPU apart: the number of the request that it waits with, never used again for this domain.
   * NULL where the backend has no such thing.
   */
  uint64_t (*exit_id)(const struct hv_domain *domain, uint32_t vcpu);

  void (*info)(const struct hv_domain *domain, struct hv_info *out);

  /* The shared page (vm_event_sring_t), initialised; the loop is the back end. */
  void *(*ring)(struct hv_domain *domain);

  /* Readable while requests or a change of state may wait. Stays the same descriptor. */
  int (*event_fd)(const struct hv_domain *domain);

  /* Makes event_fd unreadable until the next event. Call before looking at the ring. */
  void (*acknowledge)(struct hv_domain *domain);

  /* Tells the hypervisor that responses were put on the ring. */
  int (*notify)(struct hv_domain *domain);

  enum hv_domain_state (*state)(struct hv_domain *domain);

  /* Lets the domain run after attach. */
  int (*resume)(struct hv_domain *domain);

  /*
   * Stops every vCPU where it is, and lets them go on. Whatever else a vCPU waits for it goes on waiting for: requests,
   * responses and set_access work meanwhile. A pause more changes nothing; in force on return.
   */
  int (*pause)(struct hv_domain *domain);
  int (*unpause)(struct hv_domain *domain);

  /* Maps a guest frame read-write; -ENOENT where the guest has none. Stays valid until unmap_frame. */
  int (*map_frame)(struct hv_domain *domain, uint64_t gfn, void **frame);
  void (*unmap_frame)(struct hv_domain *domain, uint64_t gfn, void *frame);

  /* Makes frames read-only (restricted) or writable in the restricted view. In force when the function returns. */
  int (*set_access)(struct hv_domain *domain, const uint64_t *gfns, size_t count, bool restricted);

  /* Reads an XMM register (0 to 15) of a vCPU that is paused by a request. */
  int (*read_xmm)(struct hv_domain *domain, uint32_t vcpu, uint32_t index, uint8_t out[16]);

  /* Every request is answered and no step is in flight: lifts all protections, lets the domain go. Frees domain. */
  void (*detach)(struct hv_domain *domain);
};

extern const struct hv_backend hv_sandbox;

#endif
