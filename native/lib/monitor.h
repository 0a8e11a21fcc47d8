/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state behind plugin.h, and the stations of one exit in the order in which it passes them:
 *
 *   exits.c        complete the record, publish it
 *   attachments.c  add to it what Java asked for with MORE
 *   decisions.c    collect Java's answer, copy it once, validate the copy
 *   stall.c        no answer in time: is the next one worth waiting for?
 *   hold.c       wait on where no decision came and the policy is fail-closed
 *   intent.c       note for whoever comes after our death what is about to be written
 *   writes.c       swap memory entry by entry; publish again what was lost
 *   steps.c        remember a frame, compare it after a single step
 *   deny_rules.c   bits that no rung may change
 *   outcomes.c     tell Java what happened
 *   gap.c          or that it was not told
 *
 * ladder.c drives them; commands.c carries out what Java asks for besides; monitor.c opens, attaches and sleeps.
 */
#ifndef PTARMIGAN_MONITOR_H
#define PTARMIGAN_MONITOR_H

#include "deny_rules.h"
#include "guest_memory.h"
#include "intent.h"
#include "stall.h"
#include "stream.h"

enum pt_phase {
  PT_PHASE_IDLE = 0,  /* running, as far as we know */
  PT_PHASE_WAITING,   /* published, no decision yet */
  PT_PHASE_DECIDED,   /* decision valid, held up by a step in flight on the frame */
  PT_PHASE_UNDECIDED, /* no decision will come: next rung */
  PT_PHASE_HELD,      /* no decision came, and the policy is fail-closed */
  PT_PHASE_REPLIED    /* the host has the reply; pt_outcome is due */
};

/* What changed in memory for one exit, as pt_outcome_record tells it. */
struct pt_change {
  uint64_t gpa; /* a multiple of 8 */
  uint32_t mask;
  uint8_t replaced[PT_WINDOW_BYTES];
  uint8_t bytes[PT_WINDOW_BYTES];
};

#define PT_SNAPSHOT_FRAMES 2 /* the frame of the exit, and the next one where the store may run into it */

struct pt_snapshot {
  size_t count;
  uint64_t gfn[PT_SNAPSHOT_FRAMES];
  uint8_t bytes[PT_SNAPSHOT_FRAMES][PT_PAGE_BYTES];
};

/* The instruction at RIP, read once per exit: every round judges the same one. */
struct pt_instruction {
  uint32_t count; /* bytes that could be read */
  uint8_t bytes[PT_INSN_BYTES];
};

/* What Java asked for with MORE, see pt_exit_record. */
struct pt_attachments {
  uint32_t attached; /* PT_MORE_* */
  uint64_t source_gla;
  uint32_t source_bytes; /* asked for */
  uint32_t source_count;
  bool source_aliased;
  uint32_t xmm_register;
  uint8_t source[PT_SOURCE_BYTES];
};

struct pt_vcpu {
  enum pt_phase phase;
  struct pt_exit exit;
  struct pt_instruction instruction;
  struct pt_attachments attachments;
  uint64_t sequence; /* of the newest publication; 0: never published, or held and published to no JVM there is */
  uint64_t first;
  uint64_t published_ns;
  uint64_t collected_ns;
  uint64_t swapped_ns;
  uint64_t deadline_ns;
  uint32_t round;
  uint32_t done;                   /* bytes of the window that are written for good */
  uint8_t before[PT_WINDOW_BYTES]; /* what the done bytes replaced */
  struct pt_decision decision;     /* validated copy */
  struct pt_decision partial;      /* the one that wrote the done bytes */
  uint64_t noted_sequence;         /* of the last decision collected or counted as stale */
  enum pt_result result;
  enum pt_cause cause;
  struct pt_change change;
  bool told;                  /* its outcome was published before its reply was carried out */
  struct pt_change held_back; /* what a deny rule kept from being written; mask 0: nothing */
  struct pt_snapshot snapshot;
  struct pt_intent_record *intents; /* in memory that the host lends; NULL: none is kept */
};

/* A PROTECT_RANGE under way: it is cut into pieces. */
struct pt_range {
  bool active;
  struct pt_command command;
  int error; /* not 0: what is protected of it is being released */
  uint64_t next_gfn;
  uint64_t end_gfn;
};

struct pt_monitor {
  struct pt_options options;
  struct pt_stream stream;
  struct pt_decisions_region decisions;
  bool attached;
  bool inheriting;     /* protections of an earlier generation are still held */
  bool was_ready;      /* the newest JVM has been ready */
  bool gap;            /* it was not told all outcomes, and does not know yet */
  uint32_t generation; /* of the newest JVM, attached or not */
  struct pt_stall stall;
  int wake_fd;
  int notebook_fd;
  uint64_t commands_seen; /* index of the newest command taken */
  struct pt_range range;
  struct pt_guest_memory *memory;
  struct pt_deny_rules *denies;
  uint32_t outstanding; /* vCPUs that are not IDLE */
  uint32_t steps;       /* in flight */
  uint32_t held;        /* vCPUs that are HELD */
  struct pt_counters *counters;
  struct pt_vcpu *vcpus;
};

/* monitor.c: the JVM is attached and says that its decider runs. */
bool pt_says_ready(const struct pt_monitor *monitor);
/* And it is not stalled: an exit may wait for it. */
bool pt_listens(struct pt_monitor *monitor);
/* Counts the JVM when it becomes ready. True: this one has been. */
bool pt_note_ready(struct pt_monitor *monitor);

/* exits.c: publishes vcpu's exit as it stands, under a new sequence. False: no room, or it cannot be completed. */
bool pt_exit_publish(struct pt_monitor *monitor, struct pt_vcpu *vcpu);

/* attachments.c: notes what a valid MORE asks for; it is read with the next publication. */
void pt_attachments_ask(struct pt_vcpu *vcpu, const struct pt_decision *more);
/* Fills the record's part. Memory is read afresh until a part of the write is done. */
void pt_attachments_fill(struct pt_monitor *monitor, struct pt_vcpu *vcpu, struct pt_exit_record *record);

enum pt_collected {
  PT_COLLECTED_NONE,
  PT_COLLECTED_VALID,  /* vcpu->decision */
  PT_COLLECTED_REFUSED /* the answer to this exit makes no sense */
};

/* decisions.c */
enum pt_collected pt_decision_collect(struct pt_monitor *monitor, struct pt_vcpu *vcpu);

/* writes.c: the decision would change bits that a deny rule holds. */
bool pt_write_denied(const struct pt_monitor *monitor, const struct pt_vcpu *vcpu);
/* True when every byte of the decision is in memory; false when an entry held something else. */
bool pt_write_apply(struct pt_monitor *monitor, struct pt_vcpu *vcpu);
/* The rest of a write of which a part is in memory already, whatever the entries hold now; denied bits stay. */
void pt_write_force(struct pt_monitor *monitor, struct pt_vcpu *vcpu);

/* steps.c: begin returns false while another step is in flight on a frame that this one may write to. */
bool pt_step_begin(struct pt_monitor *monitor, struct pt_vcpu *vcpu);
/* Puts denied bits back, publishes an outcome for what changed and ends the step. */
void pt_step_end(struct pt_monitor *monitor, struct pt_vcpu *vcpu);
bool pt_step_blocks(struct pt_monitor *monitor, const struct pt_vcpu *vcpu);

/* hold.c: true where an exit without a decision for that cause is to wait on; it does then. */
bool pt_hold(struct pt_monitor *monitor, struct pt_vcpu *vcpu, enum pt_cause cause);
/* The exit is held no longer and goes on in another phase. */
void pt_hold_end(struct pt_monitor *monitor, struct pt_vcpu *vcpu, enum pt_phase phase);
/* The JVM is ready and does not know of the exit, which is held. */
bool pt_hold_publishable(struct pt_monitor *monitor, const struct pt_vcpu *vcpu);
/* Publishes held exits to such a JVM. */
void pt_hold_publish(struct pt_monitor *monitor);

/* outcomes.c: more: another outcome of the same publication follows. */
void pt_outcome_publish(struct pt_monitor *monitor, const struct pt_vcpu *vcpu, enum pt_result result,
                        const struct pt_change *change, uint32_t stores, bool more);
/* Counts and tells what a deny rule put back or held back; another outcome of the same exit is to follow. */
void pt_outcome_late_denied(struct pt_monitor *monitor, const struct pt_vcpu *vcpu, const struct pt_change *change);

/* gap.c: an outcome is dropped; and tells Java so, once it has caught up. */
void pt_gap_open(struct pt_monitor *monitor);
void pt_gap_close(struct pt_monitor *monitor);

/* commands.c: carries out what has come, a bounded amount. */
void pt_commands_run(struct pt_monitor *monitor);
bool pt_command_waits(const struct pt_monitor *monitor);

static inline uint32_t pt_vcpu_id(const struct pt_vcpu *vcpu) {
  return vcpu->exit.vcpu;
}

#endif
