/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine: a process that plays the hypervisor and the processors of one sandbox domain.
 *
 * Guest code is real code run by real threads, one per vCPU, with the guest's memory (a memfd) mapped where the guest's
 * own tables say. The hypervisor's half lives in signal handlers on those threads: a fault is a VM exit. Everything
 * below is usable in such a handler unless it says otherwise. The guest's memory is mapped a second time, always
 * writable, at ram.bytes: what the hypervisor and the page walker see.
 */
#ifndef PTARMIGAN_SANDBOX_MACHINE_H
#define PTARMIGAN_SANDBOX_MACHINE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

#include "channel.h"
#include "daemon/vm_event_abi.h"
#include "futex.h"
#include "guest/boot.h"
#include "options.h"

struct machine;

enum { TLB_ENTRIES = 64, RECENT_ADDRESSES = 128, LIFTED_FRAMES = 8 };

struct tlb_entry {
  uint64_t va;   /* of the 4 KiB page mapped; 0 where the entry is free */
  uint64_t gfn;  /* what it maps to */
  uint64_t size; /* bytes of the guest's page that it is part of */
};

/* Where a vCPU's thread is. HOST never touches guest memory through the guest's mappings. A futex. */
enum vcpu_mode { VCPU_HOST = 0, VCPU_GUEST = 1 };

struct vcpu {
  struct machine *machine;
  unsigned id;
  pthread_t thread;
  pid_t tid;
  _Atomic uint32_t mode; /* enum vcpu_mode */
  _Atomic uint64_t cr3;
  uint64_t gs_base;
  uint64_t host_rsp; /* of vcpu_enter */
  bool interrupts_off;
  bool off; /* halted for good, or crashed */

  /* What responses have said; under machine.events_lock while paused is set. */
  _Atomic bool paused;
  const vm_event_request_t *request; /* that it waits with */
  bool set_registers;
  struct vm_event_regs_x86 registers;
  uint16_t view;
  bool singlestep;

  /* A step in the unrestricted view, see step.c. */
  bool exclusive;
  bool silent; /* nobody asked for it: it ends without an event */
  unsigned lifted_count;
  uint64_t lifted[LIFTED_FRAMES];
  uint64_t spoil_gpa; /* entry to be spoilt once its store is done; 0 none */

  struct tlb_entry tlb[TLB_ENTRIES]; /* under ram.lock */
  unsigned tlb_next;
  _Atomic uint64_t recent[RECENT_ADDRESSES]; /* linear addresses that walks were for, by a hash of the page; 0 none */
  uint32_t random;                           /* of the walker's share that runs on this thread */

  _Atomic uint64_t exits; /* MEM_ACCESS requests */
  _Atomic uint64_t steps; /* SINGLESTEP requests */
};

struct ram {
  uint8_t *bytes;
  uint64_t size;
  int fd;
  futex_lock_t lock;    /* over mappings and restrictions */
  uint64_t *restricted; /* bit per frame */
  uint64_t text_bytes;  /* of the image: read-only and executable */
};

struct machine {
  struct sandbox_options options;
  struct ram ram;
  struct channel *channel;
  struct guest_header *header; /* in ram */
  struct guest_boot *boot;     /* in ram */
  uint64_t pool_gpa;
  uint64_t pool_bytes;
  bool reference;   /* the unmonitored run */
  uint64_t spin_ns; /* how long a vCPU waits awake for its response */

  futex_lock_t events_lock;
  vm_event_front_ring_t ring;
  _Atomic uint32_t room; /* counts responses taken; a futex */
  _Atomic uint32_t room_waiters;

  futex_lock_t step_lock;  /* held by the vCPU that has the machine to itself */
  _Atomic uint32_t parked; /* 1 while it has; a futex */
  _Atomic uint32_t paused; /* 1 while no vCPU is to run; a futex */

  _Atomic uint64_t protected_stores;
  _Atomic uint64_t walker_updates;
  _Atomic uint32_t walker_stop;
  pthread_t walker;
  _Atomic uint32_t crashes;
  _Atomic uint32_t running; /* vCPUs */
  int idle_fd;              /* eventfd, readable when running has come to 0 */

  struct vcpu vcpus[GUEST_MAX_VCPUS];
};

#endif
