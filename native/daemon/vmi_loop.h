/* SPDX-License-Identifier: Apache-2.0 */
/* The native VMI loop: one thread between a hypervisor backend and libptarmigan. */
#ifndef PTARMIGAN_VMI_LOOP_H
#define PTARMIGAN_VMI_LOOP_H

#include "event_ring.h"
#include "hold.h"
#include "hypervisor.h"
#include "idle.h"
#include "ptarmigan/plugin.h"
#include "supervisor.h"

enum life {
  LIFE_HELD, /* attached; the domain waits until Java is ready */
  LIFE_RUNNING,
  LIFE_STOPPING, /* told to stop: protections lifted, the last exits are answered */
  LIFE_ENDED
};

struct vmi_loop {
  const struct hv_backend *hv;
  struct hv_domain *domain;
  struct hv_info info;
  struct event_ring ring;
  struct pt_monitor *monitor;
  struct idle idle;
  enum life life;
  uint64_t since_ns; /* in this life */
  int signal_fd;
  struct supervisor supervisor;
  struct hold hold;
  bool failed;                               /* the first JVM was never ready */
  bool unnotified;                           /* responses lie on the ring that the hypervisor was not told of */
  vm_event_request_t requests[PT_MAX_VCPUS]; /* not answered yet, by vCPU */
  bool stepping[PT_MAX_VCPUS];
};

/*
 * Runs until the domain ends or a signal on signal_fd says stop; SIGUSR1 there lifts a hold. Returns the exit status of
 * the last JVM, or 0 where there was none.
 */
int vmi_loop_run(struct vmi_loop *loop);

#endif
