/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include <time.h>

#include "lib/clock.h"

void events_open(struct machine *machine, void *ring_page) {
  vm_event_sring_t *sring = ring_page;
  FRONT_RING_INIT(&machine->ring, sring, CHANNEL_PAGE_BYTES);
}

void events_raise(struct machine *machine) {
  static const uint64_t one = 1;
  uint32_t idle = CHANNEL_EVENT_IDLE;
  atomic_thread_fence(memory_order_seq_cst); /* the request is on the ring before the flag is looked at */
  if (atomic_compare_exchange_strong(&machine->channel->event, &idle, CHANNEL_EVENT_RAISING)) {
    while (write(CHANNEL_EVENT_FD, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
    atomic_store(&machine->channel->event, CHANNEL_EVENT_RAISED);
  }
}

static void log_line(const char *text) {
  ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
  (void)ignored;
}

/* Each flag by itself, in the order of Xen's vm_event_resume. Only VCPU_PAUSED lets the vCPU go. */
static void apply(struct machine *machine, const vm_event_response_t *response) {
  if (response->version != VM_EVENT_INTERFACE_VERSION) {
    log_line("sandbox: response with another vm_event interface version dropped\n");
    return;
  }
  if (response->vcpu_id >= machine->options.vcpus) {
    return;
  }
  struct vcpu *vcpu = &machine->vcpus[response->vcpu_id];
  if (!atomic_load_explicit(&vcpu->paused, memory_order_relaxed)) {
    return;
  }
  if (response->flags & VM_EVENT_FLAG_TOGGLE_SINGLESTEP) {
    vcpu->singlestep = !vcpu->singlestep;
  }
  if ((response->flags & VM_EVENT_FLAG_ALTERNATE_P2M) && response->altp2m_idx < VIEW_COUNT) {
    vcpu->view = response->altp2m_idx;
  }
  if (response->flags & VM_EVENT_FLAG_SET_REGISTERS) {
    vcpu->set_registers = true;
    vcpu->registers = response->data.regs.x86;
  }
  if (response->flags & VM_EVENT_FLAG_VCPU_PAUSED) {
    atomic_store_explicit(&vcpu->paused, false, memory_order_release);
  }
}

/* Under events_lock: takes all responses that count. */
static void take_responses(struct machine *machine) {
  vm_event_response_t response;
  RING_IDX end = atomic_load_explicit(&machine->channel->notified, memory_order_acquire);
  RING_IDX first = machine->ring.rsp_cons;
  while (machine->ring.rsp_cons != end) {
    RING_COPY_RESPONSE(&machine->ring, machine->ring.rsp_cons, &response);
    machine->ring.rsp_cons++;
    apply(machine, &response);
  }
  if (first != end) {
    machine->ring.sring->rsp_event = end + 1;
    atomic_fetch_add(&machine->room, end - first);
    if (atomic_load(&machine->room_waiters) != 0) {
      futex_wake(&machine->room);
    }
  }
}

RING_IDX events_post(struct vcpu *vcpu, const vm_event_request_t *request) {
  struct machine *machine = vcpu->machine;
  futex_lock(&machine->events_lock);
  while (RING_FULL(&machine->ring)) {
    take_responses(machine);
    if (!RING_FULL(&machine->ring)) {
      break;
    }
    uint32_t room = atomic_load(&machine->room);
    atomic_fetch_add(&machine->room_waiters, 1);
    futex_unlock(&machine->events_lock);
    futex_wait(&machine->room, room);
    atomic_fetch_sub(&machine->room_waiters, 1);
    futex_lock(&machine->events_lock);
  }
  vcpu->request = request;
  atomic_store_explicit(&vcpu->paused, true, memory_order_relaxed);
  atomic_fetch_add(&machine->channel->exits[vcpu->id], 1);
  RING_IDX index = machine->ring.req_prod_pvt++;
  *RING_GET_REQUEST(&machine->ring, index) = *request;
  RING_PUSH_REQUESTS(&machine->ring);
  futex_unlock(&machine->events_lock);
  events_raise(machine);
  return index;
}

bool events_taken(const struct machine *machine, RING_IDX request) {
  RING_IDX next = __atomic_load_n(&machine->ring.sring->req_event, __ATOMIC_ACQUIRE) - 1;
  return (int)(next - request) > 0;
}

static bool nothing_new(const struct vcpu *vcpu, uint32_t seen) {
  return atomic_load(&vcpu->machine->channel->notified) == seen && atomic_load(&vcpu->paused);
}

static void spin(const struct vcpu *vcpu, uint32_t seen) {
  uint64_t end = pt_now_ns() + vcpu->machine->spin_ns;
  do {
    for (int i = 0; i < 16 && nothing_new(vcpu, seen); i++) {
      __builtin_ia32_pause();
    }
  } while (nothing_new(vcpu, seen) && pt_now_ns() < end);
}

static void sleep_on(const struct vcpu *vcpu, uint32_t seen) {
  struct channel *channel = vcpu->machine->channel;
  uint32_t bit = 1u << vcpu->id;
  atomic_fetch_or(&channel->sleeping, bit);
  if (nothing_new(vcpu, seen)) {
    futex_wait_bits(&channel->notified, seen, bit);
  }
  atomic_fetch_and(&channel->sleeping, ~bit);
}

void events_wait(struct vcpu *vcpu) {
  struct machine *machine = vcpu->machine;
  for (;;) {
    uint32_t seen = atomic_load(&machine->channel->notified);
    futex_lock(&machine->events_lock);
    take_responses(machine);
    futex_unlock(&machine->events_lock);
    if (!atomic_load_explicit(&vcpu->paused, memory_order_acquire)) {
      return;
    }
    spin(vcpu, seen);
    if (nothing_new(vcpu, seen)) {
      sleep_on(vcpu, seen);
    }
  }
}

/* Responses that count are carried out; everything else on the old ring is forgotten, as Xen forgets it. */
void events_begin_anew(struct machine *machine) {
  static const uint64_t one = 1;
  struct channel *channel = machine->channel;
  futex_lock(&machine->events_lock);
  take_responses(machine);
  SHARED_RING_INIT(machine->ring.sring);
  FRONT_RING_INIT(&machine->ring, machine->ring.sring, CHANNEL_PAGE_BYTES);
  atomic_store(&channel->notified, 0);
  atomic_fetch_add(&machine->room, 1);
  futex_unlock(&machine->events_lock);
  futex_wake(&machine->room);
  futex_wake(&channel->notified); /* whoever was answered may not have been woken */
  atomic_store(&channel->event, CHANNEL_EVENT_RAISED);
  ssize_t written = write(CHANNEL_EVENT_FD, &one, sizeof(one));
  (void)written; /* full: it is readable */
}

int events_list_orphans(struct machine *machine, struct channel_orphans *out) {
  futex_lock(&machine->events_lock);
  take_responses(machine);
  out->count = 0;
  for (unsigned i = 0; i < machine->options.vcpus; i++) {
    struct vcpu *vcpu = &machine->vcpus[i];
    if (atomic_load(&vcpu->paused)) {
      out->orphans[out->count].exit = atomic_load(&machine->channel->exits[i]);
      out->orphans[out->count++].request = *vcpu->request;
    }
  }
  futex_unlock(&machine->events_lock);
  return (int)out->count;
}

void events_set_views(struct machine *machine, uint16_t view) {
  futex_lock(&machine->events_lock);
  for (unsigned i = 0; i < machine->options.vcpus; i++) {
    machine->vcpus[i].view = view;
    machine->vcpus[i].singlestep = false;
  }
  futex_unlock(&machine->events_lock);
}
