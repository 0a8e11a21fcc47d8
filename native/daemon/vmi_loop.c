/* SPDX-License-Identifier: Apache-2.0 */
#include "vmi_loop.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "stop_points.h"
#include "translate.h"

#define SECOND_NS 1000000000u
#define HELD_NS (60u * (uint64_t)SECOND_NS) /* the domain waits so long for its first JVM */
#define QUIET_NS (SECOND_NS / 100)          /* no request for so long after lifting protections: drained */
#define LONGEST_SLEEP_NS (SECOND_NS / 10)
#define JVM_END_MS 30000 /* to drain the stream and print a summary */
#define BUSY_TURNS 4096  /* look after the slow matters at least so often */
#define REPLIES 64

static void enter(struct vmi_loop *loop, enum life life) {
  loop->life = life;
  loop->since_ns = pt_now_ns();
}

static void respond(struct vmi_loop *loop, const vm_event_response_t *response) {
  event_ring_put(&loop->ring, response);
  loop->unnotified = true;
}

static void notify(struct vmi_loop *loop) {
  if (!loop->unnotified)
    return;
  loop->unnotified = false;
  loop->hv->notify(loop->domain);
}

/* Also where nobody is paused: the response gives the request's slot of the ring back. */
static void respond_bare(struct vmi_loop *loop, const vm_event_request_t *request) {
  vm_event_response_t response;
  translate_bare(request, &response);
  respond(loop, &response);
}

/* The step of this vCPU is over. What it changed is published before the vCPU goes back to the restricted view. */
static void end_step(struct vmi_loop *loop, const vm_event_request_t *request) {
  vm_event_response_t response;
  loop->stepping[request->vcpu_id] = false;
  pt_outcome(loop->monitor, request->vcpu_id);
  translate_step_end(request, loop->info.restricted_view, &response);
  respond(loop, &response);
}

static void take(struct vmi_loop *loop, const vm_event_request_t *request) {
  bool known = request->version == VM_EVENT_INTERFACE_VERSION && request->vcpu_id < loop->info.vcpus &&
               request->flags & VM_EVENT_FLAG_VCPU_PAUSED;
  if (known && request->reason == VM_EVENT_REASON_SINGLESTEP && loop->stepping[request->vcpu_id]) {
    end_step(loop, request);
    return;
  }
  if (known && request->reason == VM_EVENT_REASON_MEM_ACCESS) {
    struct pt_exit exit;
    translate_request(request, pt_now_ns(), &exit);
    exit.id = loop->hv->exit_id ? loop->hv->exit_id(loop->domain, request->vcpu_id) : 0;
    if (pt_submit(loop->monitor, &exit) == 0) {
      loop->requests[request->vcpu_id] = *request;
      return;
    }
  }
  respond_bare(loop, request);
}

static bool take_requests(struct vmi_loop *loop) {
  vm_event_request_t request;
  bool any = false;
  while (event_ring_take(&loop->ring, &request)) {
    take(loop, &request);
    any = true;
  }
  notify(loop);
  return any;
}

static bool answer(struct vmi_loop *loop) {
  struct pt_reply replies[REPLIES];
  size_t count = pt_poll(loop->monitor, replies, REPLIES);
  for (size_t i = 0; i < count; i++) {
    vm_event_response_t response;
    translate_reply(&loop->requests[replies[i].vcpu], &replies[i], &response);
    respond(loop, &response);
    PT_STOP("response-on-ring");
  }
  notify(loop);
  if (count > 0)
    PT_STOP("notified");
  for (size_t i = 0; i < count; i++) {
    if (replies[i].kind == PT_REPLY_STEP)
      loop->stepping[replies[i].vcpu] = true;
    else
      pt_outcome(loop->monitor, replies[i].vcpu);
  }
  return count > 0;
}

static void stop(struct vmi_loop *loop) {
  pt_lift_protections(loop->monitor);
  if (loop->life == LIFE_HELD)
    loop->hv->resume(loop->domain);
  enter(loop, LIFE_STOPPING);
}

/* The guest goes on while there is no Java: exits are answered by policy. */
static void check_jvm(struct vmi_loop *loop) {
  bool sound = supervisor_check(&loop->supervisor, loop->life < LIFE_STOPPING);
  if (sound || loop->life != LIFE_HELD)
    return;
  loop->failed = true; /* it never worked: starting it again would not help */
  stop(loop);
}

static void run_domain(struct vmi_loop *loop) {
  pt_run(loop->monitor);
  loop->hv->resume(loop->domain);
  enter(loop, LIFE_RUNNING);
}

static void check_signal(struct vmi_loop *loop) {
  struct signalfd_siginfo signal;
  if (read(loop->signal_fd, &signal, sizeof signal) <= 0 || loop->life >= LIFE_STOPPING)
    return;
  if (signal.ssi_signo != SIGUSR1)
    stop(loop);
  else if (loop->life == LIFE_HELD)
    run_domain(loop);
  else
    pt_lift_hold(loop->monitor);
}

static bool may_run(const struct vmi_loop *loop, uint64_t waited_ns) {
  return !loop->supervisor.launcher || pt_ready(loop->monitor) || (waited_ns > HELD_NS && !loop->hold.closed);
}

static void check_life(struct vmi_loop *loop) {
  uint64_t age = pt_now_ns() - loop->since_ns;
  if (loop->hv->state(loop->domain) == HV_DOMAIN_ENDED) {
    enter(loop, LIFE_ENDED);
  } else if (loop->life == LIFE_HELD && may_run(loop, age)) {
    run_domain(loop);
  } else if (loop->life == LIFE_STOPPING && age > QUIET_NS && pt_idle(loop->monitor)) {
    enter(loop, LIFE_ENDED);
  }
}

/* Everything that need not be looked at for each exit. */
static void slow_matters(struct vmi_loop *loop) {
  check_signal(loop);
  check_jvm(loop);
  check_life(loop);
}

static void sleep_until(struct vmi_loop *loop, uint64_t deadline_ns) {
  uint64_t now = pt_now_ns();
  uint64_t left = deadline_ns > now ? deadline_ns - now : 0;
  if (left > LONGEST_SLEEP_NS)
    left = LONGEST_SLEEP_NS;
  struct timespec timeout = {.tv_nsec = (long)left};
  struct pollfd fds[] = {
      {.fd = loop->hv->event_fd(loop->domain), .events = POLLIN},
      {.fd = pt_fd(loop->monitor), .events = POLLIN},
      {.fd = loop->signal_fd, .events = POLLIN},
      {.fd = supervisor_fd(&loop->supervisor), .events = POLLIN},
  };
  ppoll(fds, sizeof fds / sizeof *fds, &timeout, NULL);
}

static void rest(struct vmi_loop *loop) {
  if (!idle_step(&loop->idle))
    return;
  loop->hv->acknowledge(loop->domain);
  if (!event_ring_waits(&loop->ring) && pt_prepare_sleep(loop->monitor)) {
    sleep_until(loop, pt_next_deadline(loop->monitor));
    pt_awake(loop->monitor);
  }
  slow_matters(loop);
}

static void run_until_ended(struct vmi_loop *loop) {
  unsigned turns = 0;
  while (loop->life != LIFE_ENDED) {
    bool worked = take_requests(loop);
    worked |= answer(loop);
    hold_follow(&loop->hold, loop->hv, loop->domain, loop->monitor);
    if (worked)
      idle_reset(&loop->idle);
    else
      rest(loop);
    if (++turns % BUSY_TURNS == 0)
      slow_matters(loop);
  }
}

int vmi_loop_run(struct vmi_loop *loop) {
  event_ring_open(&loop->ring, loop->hv->ring(loop->domain));
  idle_init(&loop->idle);
  enter(loop, LIFE_HELD);
  run_until_ended(loop);
  pt_end(loop->monitor);
  int status = supervisor_finish(&loop->supervisor, JVM_END_MS);
  return loop->failed && status == 0 ? EXIT_FAILURE : status;
}
