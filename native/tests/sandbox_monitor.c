/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox_monitor.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "channel.h"
#include "guest/boot.h"
#include "lib/clock.h"

static const uint8_t *bytes_at(struct monitor *monitor, uint64_t gpa) {
  void *frame;
  return hv_sandbox.map_frame(monitor->domain, gpa / GUEST_PAGE, &frame) < 0
             ? NULL
             : (const uint8_t *)frame + gpa % GUEST_PAGE;
}

_Atomic uint64_t *monitor_entry(struct monitor *monitor, uint64_t gpa) {
  const uint8_t *bytes = bytes_at(monitor, gpa);
  assert_non_null(bytes);
  return (_Atomic uint64_t *)(uintptr_t)bytes;
}

bool monitor_walk(struct monitor *monitor, uint64_t cr3, uint64_t va, uint64_t *gpa) {
  uint64_t table = cr3 & PTE_FRAME;
  for (unsigned shift = 39;; shift -= 9) {
    if (table >= monitor->info.frames * GUEST_PAGE) {
      return false;
    }
    uint64_t entry = atomic_load(monitor_entry(monitor, table + (va >> shift & 511) * 8));
    if ((entry & PTE_P) == 0) {
      return false;
    }
    if (shift == 12 || (shift < 39 && (entry & PTE_PS) != 0)) {
      uint64_t mask = (1ull << shift) - 1;
      *gpa = (entry & PTE_FRAME & ~mask) | (va & mask);
      return true;
    }
    table = entry & PTE_FRAME;
  }
}

void monitor_attach(struct monitor *monitor, const char *options, enum monitor_policy policy) {
  uint64_t gfns[2048];
  const char *message = NULL;
  memset(monitor, 0, sizeof(*monitor));
  monitor->policy = policy;
  monitor->spins = 20;
  if (hv_sandbox.attach("sandbox", options, &monitor->domain, &message) < 0) {
    fail_msg("attach: %s", message);
  }
  hv_sandbox.info(monitor->domain, &monitor->info);
  assert_int_equal(monitor->info.restricted_view, VIEW_RESTRICTED);
  vm_event_sring_t *sring = hv_sandbox.ring(monitor->domain);
  BACK_RING_INIT(&monitor->ring, sring, CHANNEL_PAGE_BYTES);
  uint64_t count = guest_pool_bytes(monitor->info.vcpus) / GUEST_PAGE;
  assert_true(count <= sizeof(gfns) / sizeof(gfns[0]));
  for (uint64_t i = 0; i < count; i++) {
    gfns[i] = GUEST_POOL_GPA / GUEST_PAGE + i;
  }
  assert_int_equal(hv_sandbox.set_access(monitor->domain, gfns, count, true), 0);
  monitor->denied_gpa = GUEST_POOL_GPA + TABLE_DENIED_PT * GUEST_PAGE + (GUEST_DENIED_VA >> 12 & 511) * 8;
}

void monitor_respond(struct monitor *monitor, const vm_event_response_t *response) {
  *RING_GET_RESPONSE(&monitor->ring, monitor->ring.rsp_prod_pvt) = *response;
  monitor->ring.rsp_prod_pvt++;
  RING_PUSH_RESPONSES(&monitor->ring);
  hv_sandbox.notify(monitor->domain);
  monitor->responses++;
}

static vm_event_response_t echo(const vm_event_request_t *request) {
  vm_event_response_t response = {.version = request->version,
                                  .flags = VM_EVENT_FLAG_VCPU_PAUSED,
                                  .reason = request->reason,
                                  .vcpu_id = request->vcpu_id,
                                  .altp2m_idx = request->altp2m_idx};
  return response;
}

void monitor_step(struct monitor *monitor, const vm_event_request_t *request, uint16_t view) {
  vm_event_response_t response = echo(request);
  response.flags |= VM_EVENT_FLAG_ALTERNATE_P2M | VM_EVENT_FLAG_TOGGLE_SINGLESTEP;
  response.altp2m_idx = view;
  monitor->stepping[request->vcpu_id] = view == VIEW_UNRESTRICTED;
  monitor_respond(monitor, &response);
}

/* movq %rax,(%rdi); movq %r10,-8(%rbx,%r9,8); movq $0,(%rdi) */
static bool decode_mov(const uint8_t *code, const struct vm_event_regs_x86 *regs, uint64_t *value, unsigned *length) {
  static const uint8_t to_rdi[] = {0x48, 0x89, 0x07};
  static const uint8_t indexed[] = {0x4e, 0x89, 0x54, 0xcb, 0xf8};
  static const uint8_t zero[] = {0x48, 0xc7, 0x07, 0, 0, 0, 0};
  if (memcmp(code, to_rdi, sizeof(to_rdi)) == 0) {
    *value = regs->rax;
    *length = sizeof(to_rdi);
  } else if (memcmp(code, indexed, sizeof(indexed)) == 0) {
    *value = regs->r10;
    *length = sizeof(indexed);
  } else if (memcmp(code, zero, sizeof(zero)) == 0) {
    *value = 0;
    *length = sizeof(zero);
  } else {
    return false;
  }
  return true;
}

static bool emulate(struct monitor *monitor, const vm_event_request_t *request) {
  uint64_t value;
  uint64_t code_gpa;
  unsigned length;
  uint64_t gpa = request->u.mem_access.gfn * GUEST_PAGE + request->u.mem_access.offset;
  const struct vm_event_regs_x86 *regs = &request->data.regs.x86;
  if (gpa % 8 != 0 || !monitor_walk(monitor, regs->cr3, regs->rip, &code_gpa) || code_gpa % GUEST_PAGE > 4080 ||
      !decode_mov(bytes_at(monitor, code_gpa), regs, &value, &length)) {
    return false;
  }
  _Atomic uint64_t *entry = monitor_entry(monitor, gpa);
  uint64_t expected = atomic_load(entry);
  for (volatile uint64_t i = 0; i < monitor->delay_loops; i++) {
  }
  while (gpa != monitor->denied_gpa && !atomic_compare_exchange_strong(entry, &expected, value)) {
    monitor->lost_swaps++;
  }
  vm_event_response_t response = echo(request);
  response.flags |= VM_EVENT_FLAG_SET_REGISTERS;
  response.data.regs.x86 = *regs;
  response.data.regs.x86.rip += length;
  monitor->emulated++;
  response.data.regs.x86.r14 ^= monitor->emulated == monitor->spoil_at;
  monitor_respond(monitor, &response);
  return true;
}

static void check_request(struct monitor *monitor, const vm_event_request_t *request) {
  const struct vm_event_mem_access *access = &request->u.mem_access;
  uint64_t gpa = 0;
  uint32_t flags = MEM_ACCESS_W | MEM_ACCESS_GLA_VALID | MEM_ACCESS_FAULT_WITH_GLA;
  bool sound = request->version == VM_EVENT_INTERFACE_VERSION && request->vcpu_id < monitor->info.vcpus &&
               (request->flags & VM_EVENT_FLAG_VCPU_PAUSED) != 0;
  if (request->reason == VM_EVENT_REASON_MEM_ACCESS) {
    sound = sound && request->altp2m_idx == VIEW_RESTRICTED && (access->flags & flags) == flags &&
            monitor_walk(monitor, request->data.regs.x86.cr3, access->gla, &gpa) &&
            gpa == access->gfn * GUEST_PAGE + access->offset;
  } else {
    sound = sound && request->reason == VM_EVENT_REASON_SINGLESTEP && request->altp2m_idx == VIEW_UNRESTRICTED;
  }
  monitor->wrong_requests += !sound;
}

static void handle(struct monitor *monitor, const vm_event_request_t *request) {
  check_request(monitor, request);
  if (request->reason == VM_EVENT_REASON_SINGLESTEP) {
    if (monitor->denied_gpa != 0) {
      atomic_fetch_and(monitor_entry(monitor, monitor->denied_gpa), ~PTE_RW);
    }
    monitor_step(monitor, request, VIEW_RESTRICTED);
    return;
  }
  monitor->exits++;
  monitor->user_stores += request->u.mem_access.gla >= GUEST_USER_VA;
  if (monitor->policy == MONITOR_STEPS || !emulate(monitor, request)) {
    monitor_step(monitor, request, VIEW_UNRESTRICTED);
  }
}

static bool take(struct monitor *monitor, vm_event_request_t *request) {
  unsigned waiting = __atomic_load_n(&monitor->ring.sring->req_prod, __ATOMIC_ACQUIRE) - monitor->ring.req_cons;
  if (waiting == 0) {
    return false;
  }
  monitor->most_waiting = waiting > monitor->most_waiting ? waiting : monitor->most_waiting;
  RING_COPY_REQUEST(&monitor->ring, monitor->ring.req_cons, request);
  monitor->ring.req_cons++;
  monitor->ring.sring->req_event = monitor->ring.req_cons + 1;
  monitor->requests++;
  return true;
}

bool monitor_turn(struct monitor *monitor) {
  vm_event_request_t request;
  bool any = false;
  while (take(monitor, &request)) {
    handle(monitor, &request);
    any = true;
  }
  return any;
}

static void wait_for_event(struct monitor *monitor) {
  struct pollfd event = {.fd = hv_sandbox.event_fd(monitor->domain), .events = POLLIN};
  poll(&event, 1, 100);
  hv_sandbox.acknowledge(monitor->domain);
}

bool monitor_run(struct monitor *monitor, unsigned seconds) {
  uint64_t end = pt_now_ns() + seconds * 1000000000ull;
  unsigned idle = 0;
  while (hv_sandbox.state(monitor->domain) != HV_DOMAIN_ENDED || monitor_turn(monitor)) {
    if (monitor_turn(monitor)) {
      idle = 0;
    } else if (idle++ > monitor->spins) {
      wait_for_event(monitor);
    }
    if (pt_now_ns() > end) {
      return false;
    }
  }
  return true;
}

void monitor_take(struct monitor *monitor, vm_event_request_t *request) {
  uint64_t end = pt_now_ns() + 1000000000ull;
  while (!take(monitor, request)) {
    wait_for_event(monitor);
    if (pt_now_ns() > end) {
      fail_msg("no request came");
    }
  }
}
