/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libptarmigan: an exit in, one decision out, for any native VMI loop.
 *
 * The library completes an exit (instruction bytes, memory around the write), publishes it to the JVM, collects and
 * validates the decision, applies it to guest memory and reports what happened. It owns no loop, no thread and no
 * hypervisor handle; the host lends guest memory through struct pt_host.
 *
 *   pt_submit    an exit was taken from the hypervisor; its vCPU is paused
 *   pt_fd        sleep on this (and on your own descriptors) after pt_prepare_sleep said that nothing is ready
 *   pt_poll      carries out commands, collects decisions, applies them, gives up on overdue ones; fills replies
 *   pt_outcome   the host has carried out a reply
 *
 * One reply comes for each submitted exit, whatever the JVM does. All functions are called from one thread.
 * Errors are negative errno values.
 */
#ifndef PTARMIGAN_PLUGIN_H
#define PTARMIGAN_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ptarmigan/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PT_PUBLIC __attribute__((visibility("default")))

struct pt_monitor;
struct pt_intents;

/* What the library needs of the host. The functions are called from within pt_submit, pt_poll and pt_outcome. */
struct pt_host {
  void *context;
  /* Maps a guest frame read-write until unmap; -ENOENT where the guest has none. */
  int (*map_frame)(void *context, uint64_t gfn, void **frame);
  void (*unmap_frame)(void *context, uint64_t gfn, void *frame);
  /* Makes guest writes to frames exit (restricted) or not. In force on return. */
  int (*set_access)(void *context, const uint64_t *gfns, size_t count, bool restricted);
  /* Reads an XMM register (0 to 15) of a vCPU whose exit is outstanding. */
  int (*read_xmm)(void *context, uint32_t vcpu, uint32_t index, uint8_t out[PT_XMM_BYTES]);
};

struct pt_options {
  unsigned vcpus;       /* 1 to PT_MAX_VCPUS */
  unsigned maxphyaddr;  /* 36 to 52 */
  uint64_t frames;      /* guest frames are 0 .. frames - 1 */
  uint64_t deadline_ns; /* a vCPU waits at most this long for Java; 20 ms is usual */
  bool hv_emulate;      /* the host can let the hypervisor execute an instruction */
  /*
   * What becomes of an exit whose deadline passes, or for which there is no JVM. False, fail-open: it is stepped. True,
   * fail-closed: it is held, see pt_held.
   */
  bool fail_closed;
  struct pt_host host;
  /*
   * pt_intents_bytes(vcpus) of memory, aligned to 8, that outlives this process: what recovery needs to know of each
   * write under way (native/lib/intent.h). Written until pt_close. NULL: none is kept.
   */
  struct pt_intents *intents;
};

struct pt_exit {
  uint32_t vcpu;
  uint32_t view;
  uint32_t access; /* PT_ACCESS_* */
  uint64_t gpa;
  uint64_t gla;
  struct pt_cpu cpu;
  uint64_t taken_ns; /* CLOCK_MONOTONIC */
  uint64_t id;       /* the host's own number of this exit, never the same for one vCPU again; 0: it has none */
};

/* What the host is to do with a paused vCPU. */
enum pt_reply_kind {
  PT_REPLY_RESUME = 1,    /* resume as it is: nothing was done */
  PT_REPLY_REGISTERS = 2, /* set general registers, rip and rflags from cpu, resume */
  PT_REPLY_STEP = 3,      /* one instruction in the unrestricted view; pt_outcome before it resumes in the view */
  PT_REPLY_HV_EMULATE = 4 /* let the hypervisor execute the instruction; pt_outcome after it is done */
};

struct pt_reply {
  uint32_t vcpu;
  uint32_t kind;     /* enum pt_reply_kind */
  struct pt_cpu cpu; /* of the exit, with the new registers where kind is PT_REPLY_REGISTERS */
};

/* Descriptors for the JVM, owned by the library; -1 where there is none. */
struct pt_channel {
  int stream_fd;    /* read-only mappings only */
  int decisions_fd; /* of this generation */
  int wake_fd;      /* eventfd, written by Java when the native side sleeps */
  int notebook_fd;  /* the same file for all generations */
  uint32_t generation;
};

PT_PUBLIC size_t pt_intents_bytes(unsigned vcpus);
PT_PUBLIC int pt_open(const struct pt_options *options, struct pt_monitor **out);
PT_PUBLIC void pt_close(struct pt_monitor *monitor);

/*
 * Starts a new JVM generation with a fresh decisions file. Exits that an earlier generation left unanswered are
 * answered by policy; the new one sees every record published from now on.
 */
PT_PUBLIC int pt_attach_jvm(struct pt_monitor *monitor, struct pt_channel *out);
/* No JVM any more: exits outstanding and to come are answered by policy (stepped, or held) at once. */
PT_PUBLIC void pt_detach_jvm(struct pt_monitor *monitor);
PT_PUBLIC bool pt_attached(const struct pt_monitor *monitor);
/*
 * True once this generation's decider runs and the commands it gave before saying so are done. Until it says so exits
 * are answered by policy at once.
 */
PT_PUBLIC bool pt_ready(const struct pt_monitor *monitor);
/*
 * CLOCK_MONOTONIC time at which the attached JVM was found stalled: it missed some deadlines or let its stream run
 * full, and exits are answered by policy at once. 0 where it is not, or has caught up. The host may kill one that stays
 * so.
 */
PT_PUBLIC uint64_t pt_stalled_since(struct pt_monitor *monitor);
/* Tells Java that the domain runs, or that no exit will follow. */
PT_PUBLIC void pt_run(struct pt_monitor *monitor);
PT_PUBLIC void pt_end(struct pt_monitor *monitor);

/* -EBUSY: this vCPU has an exit outstanding; -EINVAL: no such vCPU. The exit is not taken then. */
PT_PUBLIC int pt_submit(struct pt_monitor *monitor, const struct pt_exit *exit);
/* Fills up to capacity replies and returns how many. */
PT_PUBLIC size_t pt_poll(struct pt_monitor *monitor, struct pt_reply *replies, size_t capacity);
/* The reply to vcpu was carried out: resumed, or the step is over (and the vCPU has not resumed in the view yet). */
PT_PUBLIC int pt_outcome(struct pt_monitor *monitor, uint32_t vcpu);

/* Readable when Java has published something while the native side slept. Clear it by reading 8 bytes. */
PT_PUBLIC int pt_fd(const struct pt_monitor *monitor);
/* True: nothing is ready and Java will write pt_fd when something is. Call pt_awake after the sleep. */
PT_PUBLIC bool pt_prepare_sleep(struct pt_monitor *monitor);
PT_PUBLIC void pt_awake(struct pt_monitor *monitor);
/* CLOCK_MONOTONIC time of the earliest deadline; UINT64_MAX where no vCPU waits. */
PT_PUBLIC uint64_t pt_next_deadline(const struct pt_monitor *monitor);

/*
 * Exits that are held: their vCPUs get no reply, and no deadline counts for them. While there are any the host keeps
 * the whole domain paused and tells its user. A held exit is answered when the JVM decides it after all; when a new JVM
 * is ready it is published to it with a fresh deadline; or pt_lift_hold lets all that are held go by the fail-open
 * policy.
 */
PT_PUBLIC unsigned pt_held(const struct pt_monitor *monitor);
PT_PUBLIC void pt_lift_hold(struct pt_monitor *monitor);

/*
 * Makes every protected frame writable, so that no further exit is raised. Exits outstanding still need their answers;
 * from now on they get them by the fail-open policy, those that are held included.
 */
PT_PUBLIC void pt_lift_protections(struct pt_monitor *monitor);
/* No vCPU waits for anything. */
PT_PUBLIC bool pt_idle(const struct pt_monitor *monitor);

PT_PUBLIC const struct pt_counters *pt_counters(const struct pt_monitor *monitor);

#ifdef __cplusplus
}
#endif

#endif
