/* SPDX-License-Identifier: Apache-2.0 */
/* A monitor of a few lines for a sandbox domain: answers each request at once, and keeps count. */
#ifndef PTARMIGAN_TESTS_SANDBOX_MONITOR_H
#define PTARMIGAN_TESTS_SANDBOX_MONITOR_H

/* cmocka.h needs the four headers before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdbool.h>

#include "daemon/vm_event_abi.h"
#include "hypervisor.h"

enum { MONITOR_VCPUS = 32 };

enum monitor_policy {
  MONITOR_STEPS,   /* every store by a step in the unrestricted view */
  MONITOR_EMULATES /* the plain 8-byte MOVs that it knows by their bytes; steps for the rest */
};

struct monitor {
  struct hv_domain *domain;
  struct hv_info info;
  vm_event_back_ring_t ring;
  enum monitor_policy policy;
  uint64_t denied_gpa; /* entry whose R/W bit is kept clear; 0 none */
  bool stepping[MONITOR_VCPUS];
  unsigned spins;       /* turns that find nothing before it sleeps */
  uint64_t delay_loops; /* between taking a request and answering it */

  uint64_t spoil_at; /* the emulated MOV that changes a register it should not; 0 none */

  uint64_t requests;
  uint64_t responses;
  uint64_t exits;
  uint64_t emulated;
  uint64_t lost_swaps;
  uint64_t user_stores;    /* exits whose GLA is in a user space of the guest */
  uint64_t wrong_requests; /* whose GLA does not walk to their GPA, or that name a vCPU, view or version there is not */
  unsigned most_waiting;   /* requests found on the ring at once */
};

/* Attaches and protects all page tables; fails the test where that does not work. */
void monitor_attach(struct monitor *monitor, const char *options, enum monitor_policy policy);

/* Takes and answers what is on the ring. False where that was nothing. */
bool monitor_turn(struct monitor *monitor);

/* Turns until the domain has ended, at most that long. False where it has not. */
bool monitor_run(struct monitor *monitor, unsigned seconds);

/* Translates by the guest's tables. False where va is not mapped. */
bool monitor_walk(struct monitor *monitor, uint64_t cr3, uint64_t va, uint64_t *gpa);

/* The 8 bytes at gpa. */
_Atomic uint64_t *monitor_entry(struct monitor *monitor, uint64_t gpa);

/* Puts a response on the ring and notifies. */
void monitor_respond(struct monitor *monitor, const vm_event_response_t *response);

/* Answers so that the vCPU goes on in that view, with single stepping toggled. */
void monitor_step(struct monitor *monitor, const vm_event_request_t *request, uint16_t view);

/* Takes one request, waiting for it for at most a second; fails the test where none comes. */
void monitor_take(struct monitor *monitor, vm_event_request_t *request);

#endif
