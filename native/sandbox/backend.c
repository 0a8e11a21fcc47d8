/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sandbox as a hypervisor backend: a machine process (machine/) holds the vCPUs, this end has the guest's memory
 * mapped as well, asks for protections over a socket, and shares the vm_event ring.
 */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "channel.h"
#include "daemon/vm_event_abi.h"
#include "domain.h"
#include "futex.h"
#include "guest/boot.h"
#include "lib/clock.h"

enum {
  ANSWER_MS = 5000,     /* the machine's longest silence on the control socket */
  END_MS = 500,         /* from the end of the control socket to SIGKILL */
  LIVENESS_NS = 500000, /* between two looks at whether the machine still lives */
  GUEST_MAXPHYADDR = 46
};

_Static_assert(CHANNEL_VCPUS == GUEST_MAX_VCPUS, "the channel has room for all vCPUs");

/* Waits for the machine's answer. -ESRCH: it ended; -ETIMEDOUT: it was silent for too long and was killed for it. */
int domain_answer(struct hv_domain *domain) {
  int32_t status;
  struct pollfd socket = {.fd = domain->own.control, .events = POLLIN};
  int ready;
  do {
    ready = poll(&socket, 1, ANSWER_MS);
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) {
    spawn_kill(&domain->child); /* a late answer would be taken for that to the next request */
    return -ETIMEDOUT;
  }
  ssize_t count = recv(domain->own.control, &status, sizeof(status), MSG_DONTWAIT);
  return count == sizeof(status) ? status : -ESRCH;
}

int domain_ask(struct hv_domain *domain, const struct control_request *request) {
  size_t bytes = offsetof(struct control_request, gfns) + request->count * sizeof(request->gfns[0]);
  if (send(domain->own.control, request, bytes, MSG_NOSIGNAL) != (ssize_t)bytes) {
    return -ESRCH;
  }
  return domain_answer(domain);
}

void domain_release(struct hv_domain *domain) {
  if (domain->started) {
    close(domain->own.control);
    domain->own.control = -1;
    if (domain->outlives) {
      close(domain->child.pidfd);
    } else {
      spawn_reap(&domain->child, END_MS);
    }
  }
  int fds[] = {domain->own.control, domain->own.ram, domain->own.pages, domain->own.event, domain->epoll};
  for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
    if (fds[i] >= 0) {
      close(fds[i]);
    }
  }
  if (domain->ram != NULL) {
    munmap(domain->ram, domain->ram_bytes);
  }
  if (domain->pages != NULL) {
    munmap(domain->pages, CHANNEL_PAGES_BYTES);
  }
  free(domain);
}

static int sandbox_orphans(struct hv_domain *domain, struct hv_orphan *out, size_t capacity) {
  const struct channel_orphans *listed = (const void *)((const uint8_t *)domain->pages + CHANNEL_ORPHANS_OFFSET);
  int status = domain_ask(domain, &(struct control_request){.kind = CONTROL_ORPHANS});
  if (status < 0) {
    return status;
  }
  for (size_t i = 0; i < (size_t)status && i < capacity; i++) {
    out[i] = (struct hv_orphan){.exit_id = listed->orphans[i].exit, .request = listed->orphans[i].request};
  }
  return status;
}

static int sandbox_unrestrict(struct hv_domain *domain) {
  return domain_ask(domain, &(struct control_request){.kind = CONTROL_UNRESTRICT});
}

static uint64_t sandbox_exit_id(const struct hv_domain *domain, uint32_t vcpu) {
  return atomic_load_explicit(&domain->channel->exits[vcpu], memory_order_relaxed);
}

static void sandbox_info(const struct hv_domain *domain, struct hv_info *out) {
  *out = (struct hv_info){.vcpus = domain->vcpus,
                          .maxphyaddr = GUEST_MAXPHYADDR,
                          .frames = domain->ram_bytes / GUEST_PAGE,
                          .restricted_view = VIEW_RESTRICTED,
                          .hv_emulate = false};
}

static void *sandbox_ring(struct hv_domain *domain) {
  return domain->pages;
}

static int sandbox_event_fd(const struct hv_domain *domain) {
  return domain->epoll;
}

static void sandbox_acknowledge(struct hv_domain *domain) {
  uint64_t count;
  if (atomic_load(&domain->channel->event) == CHANNEL_EVENT_RAISED) {
    while (read(domain->own.event, &count, sizeof(count)) < 0 && errno == EINTR) {
    }
    atomic_store(&domain->channel->event, CHANNEL_EVENT_IDLE);
    /* Whoever finds the event still raised has pushed its request before: the caller looks at the ring after this. */
    atomic_thread_fence(memory_order_seq_cst);
  }
}

/*
 * Nobody takes responses from the slots between the last notification and this one before notified moves, so their
 * vCPU numbers can be read here, and just those vCPUs are woken.
 */
static int sandbox_notify(struct hv_domain *domain) {
  struct channel *channel = domain->channel;
  vm_event_sring_t *sring = domain->pages;
  vm_event_back_ring_t back = {.sring = sring, .nr_ents = __RING_SIZE(sring, CHANNEL_PAGE_BYTES)};
  RING_IDX first = atomic_load_explicit(&channel->notified, memory_order_relaxed);
  RING_IDX end = sring->rsp_prod;
  uint32_t vcpus = 0;
  for (RING_IDX i = first; i != end; i++) {
    vcpus |= 1u << (RING_GET_RESPONSE(&back, i)->vcpu_id & 31);
  }
  atomic_store(&channel->notified, end);
  atomic_thread_fence(memory_order_seq_cst);
  vcpus &= atomic_load(&channel->sleeping);
  return vcpus == 0 ? 0 : futex_wake_bits(&channel->notified, vcpus);
}

static enum hv_domain_state sandbox_state(struct hv_domain *domain) {
  if (!domain->ended && atomic_load_explicit(&domain->channel->ended, memory_order_acquire) != 0) {
    domain->ended = true;
  }
  uint64_t now = domain->ended ? 0 : pt_now_ns();
  if (!domain->ended && now - domain->looked_ns >= LIVENESS_NS) {
    domain->looked_ns = now;
    domain->ended = spawn_ended(&domain->child);
    if (domain->ended) {
      atomic_store(&domain->channel->event, CHANNEL_EVENT_RAISED); /* it may have died between raising and raised */
    }
  }
  if (domain->ended) {
    epoll_ctl(domain->epoll, EPOLL_CTL_DEL, domain->child.pidfd, NULL); /* said once; stays readable otherwise */
  }
  return domain->ended ? HV_DOMAIN_ENDED : HV_DOMAIN_RUNNING;
}

static int sandbox_resume(struct hv_domain *domain) {
  return domain_ask(domain, &(struct control_request){.kind = CONTROL_RESUME});
}

static int sandbox_pause(struct hv_domain *domain) {
  return domain_ask(domain, &(struct control_request){.kind = CONTROL_PAUSE});
}

static int sandbox_unpause(struct hv_domain *domain) {
  return domain_ask(domain, &(struct control_request){.kind = CONTROL_UNPAUSE});
}

static int sandbox_map_frame(struct hv_domain *domain, uint64_t gfn, void **frame) {
  if (gfn >= domain->ram_bytes / GUEST_PAGE) {
    return -ENOENT;
  }
  *frame = domain->ram + gfn * GUEST_PAGE;
  return 0;
}

static void sandbox_unmap_frame(struct hv_domain *domain, uint64_t gfn, void *frame) {
  (void)domain; /* all memory stays mapped as one piece */
  (void)gfn;
  (void)frame;
}

static int sandbox_set_access(struct hv_domain *domain, const uint64_t *gfns, size_t count, bool restricted) {
  struct control_request request = {.kind = restricted ? CONTROL_RESTRICT : CONTROL_RELEASE};
  for (size_t i = 0; i < count; i++) {
    if (gfns[i] >= domain->ram_bytes / GUEST_PAGE) {
      return -ENOENT;
    }
  }
  for (size_t done = 0; done < count; done += request.count) {
    request.count = (uint32_t)(count - done < CONTROL_GFNS ? count - done : CONTROL_GFNS);
    memcpy(request.gfns, gfns + done, request.count * sizeof(gfns[0]));
    int status = domain_ask(domain, &request);
    if (status < 0) {
      return status;
    }
  }
  return 0;
}

static int sandbox_read_xmm(struct hv_domain *domain, uint32_t vcpu, uint32_t index, uint8_t out[16]) {
  if (vcpu >= domain->vcpus || index >= CHANNEL_XMM) {
    return -EINVAL;
  }
  memcpy(out, domain->channel->xmm[vcpu][index], CHANNEL_XMM_BYTES);
  return 0;
}

static void sandbox_detach(struct hv_domain *domain) {
  if (domain->outlives && !domain->ended) {
    sandbox_unrestrict(domain);
  }
  domain_release(domain); /* else protections are mappings of the machine's process and end with it */
}

/* Its event channel, and the end of the machine's process. */
static const int calls[] = {SYS_epoll_ctl, SYS_pidfd_send_signal, -1};

const struct hv_backend hv_sandbox = {
    .name = "sandbox",
    .calls = calls,
    .attach = sandbox_attach,
    .reattach = sandbox_reattach,
    .orphans = sandbox_orphans,
    .unrestrict = sandbox_unrestrict,
    .exit_id = sandbox_exit_id,
    .info = sandbox_info,
    .ring = sandbox_ring,
    .event_fd = sandbox_event_fd,
    .acknowledge = sandbox_acknowledge,
    .notify = sandbox_notify,
    .state = sandbox_state,
    .resume = sandbox_resume,
    .pause = sandbox_pause,
    .unpause = sandbox_unpause,
    .map_frame = sandbox_map_frame,
    .unmap_frame = sandbox_unmap_frame,
    .set_access = sandbox_set_access,
    .read_xmm = sandbox_read_xmm,
    .detach = sandbox_detach,
};
