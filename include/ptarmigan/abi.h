/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared memory between the native side and the JVM. This file is the only place where the layout is written:
 * Java reads every offset from here through JavaCPP, so it must stay valid C and C++ and hold no bit-field.
 *
 * Three files:
 *
 *   stream     written by the native side, mapped read-only by Java.
 *              [ pt_stream_header | pad to PT_HEADER_BYTES | PT_SLOT_COUNT slots of PT_SLOT_BYTES ]
 *              One ordered ring of records. The record with sequence s lies in slot s & (PT_SLOT_COUNT - 1).
 *              Sequences start at 1 and are never used again while the stream lives.
 *   decisions  written by Java, mapped read-only by the native side; a new file per JVM generation.
 *              [ pt_decisions_header | pad to PT_HEADER_BYTES | PT_MAX_VCPUS decisions of PT_DECISION_BYTES |
 *                PT_COMMAND_COUNT commands of PT_COMMAND_BYTES ]
 *   notebook   what watches were told last, for the next JVM: written and read by Java, one generation after the
 *              other; never mapped by the native side, which makes it and hands it on. Sparse.
 *              [ pt_notebook_header | pad to PT_HEADER_BYTES | PT_NOTE_COUNT notes of PT_NOTE_BYTES ]
 *
 * Publishing a record (native): sequence = 0 (relaxed), release fence, the fields, sequence = s (release),
 * header.cursor = s (release). Reading it (Java): acquire-read cursor >= s, read the fields. A reader that does not
 * gate the writer copies the fields, then an acquire fence, then reads sequence again: anything but s means that it was
 * lapped and the copy is to be thrown away.
 *
 * Publishing a decision (Java): sequence = 0 (relaxed), release fence, the fields, sequence = s (release). The native
 * side copies a decision once, reads sequence again, and only then validates its copy.
 *
 * Going to sleep, either side: set the own waiting flag, sequentially consistent fence, look for work once more, sleep.
 * Waking the other: publish, sequentially consistent fence, read the other's waiting flag.
 *
 * All integers are little-endian. All times are CLOCK_MONOTONIC in nanoseconds, the clock of Java's System.nanoTime.
 */
#ifndef PTARMIGAN_ABI_H
#define PTARMIGAN_ABI_H

#include <stdint.h>

#ifdef __cplusplus
#define PT_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define PT_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

#define PT_ABI_MAGIC 0x314E47494D525450ULL /* "PTRMIGN1" as it lies in memory */
#define PT_ABI_VERSION 2

#define PT_HEADER_BYTES 4096
#define PT_SLOT_BYTES 512
#define PT_SLOT_COUNT 1024 /* a power of two */
#define PT_MAX_VCPUS 128   /* HVM_MAX_VCPUS, xen/include/public/hvm/hvm_info_table.h */
#define PT_DECISION_BYTES 384
#define PT_COMMAND_COUNT 256 /* a power of two */
#define PT_COMMAND_BYTES 64
#define PT_NOTE_COUNT 131072
#define PT_NOTE_BYTES 128

#define PT_INSN_BYTES 16   /* an instruction has at most 15 bytes, SDM vol. 2A 2.3.11 */
#define PT_WINDOW_BYTES 32 /* memory around a write: four 8-byte entries from gla & ~7 */
#define PT_SOURCE_BYTES 32 /* most that an instruction reads besides and that one exit can use */
#define PT_XMM_BYTES 16
#define PT_XMM_COUNT 16
#define PT_COMPLETION_BYTES 384 /* most data that one completion carries */
#define PT_MAX_ROUNDS 8         /* publications of one exit before it is stepped */

/* General registers in instruction-encoding order: rax rcx rdx rbx rsp rbp rsi rdi r8..r15 (SDM vol. 2A table 2-2). */
#define PT_GPR_COUNT 16
/* Segment registers in instruction-encoding order: es cs ss ds fs gs (SDM vol. 2A table B-8). */
#define PT_SEGMENT_COUNT 6

enum pt_record_kind {
  PT_RECORD_EXIT = 1,       /* pt_exit_record: a vCPU is paused and waits for a decision */
  PT_RECORD_OUTCOME = 2,    /* pt_outcome_record: what happened to an exit */
  PT_RECORD_COMPLETION = 3, /* pt_completion_record: the answer to a command */
  PT_RECORD_GAP = 4 /* pt_record_head alone: outcomes before it were not told, and memory is not what they leave */
};

/* pt_exit_record.access; R, W and X as MEM_ACCESS_* of xen/include/public/vm_event.h. */
#define PT_ACCESS_READ 1
#define PT_ACCESS_WRITE 2
#define PT_ACCESS_EXECUTE 4
#define PT_ACCESS_GLA_VALID 8

/* What Java wants done with an exit: pt_decision.action. */
enum pt_action {
  PT_ACTION_WRITE = 1,      /* swap expected -> bytes under mask, then set the registers */
  PT_ACTION_SKIP = 2,       /* denied: set the registers, leave memory as it is */
  PT_ACTION_STEP = 3,       /* let the vCPU execute the instruction in the unrestricted view, then compare */
  PT_ACTION_HV_EMULATE = 4, /* let the hypervisor execute the instruction */
  PT_ACTION_RETRY = 5,      /* resume at the instruction */
  PT_ACTION_MORE = 6        /* publish the exit again with what needs names; memory and registers stay */
};

/* What an instruction needs besides the record: pt_decision.needs and pt_exit_record.attached. */
#define PT_MORE_SOURCE 1 /* source_bytes bytes of guest memory from linear address source_gla (MOVS, POP m) */
#define PT_MORE_XMM 2    /* the XMM register xmm_register */

#define PT_XMM_NONE 0xFFFFFFFFu /* pt_exit_record.xmm_register: xmm holds nothing */

/* pt_decision.flags */
#define PT_DECISION_WIDE \
  1 /* the write is one aligned 16-byte swap (CMPXCHG16B); else each entry is swapped by itself */
#define PT_DECISION_RELEVANT 2 /* a watched translation changes; counted, not interpreted */

/* What happened to an exit: pt_outcome_record.result. */
enum pt_result {
  PT_RESULT_APPLIED = 1,     /* memory swapped (or nothing to swap: mask 0), registers set, vCPU resumed */
  PT_RESULT_DENIED = 2,      /* registers set, memory left, vCPU resumed */
  PT_RESULT_STEPPED = 3,     /* executed by the vCPU itself; replaced and bytes say what changed */
  PT_RESULT_HV_EMULATED = 4, /* executed by the hypervisor; replaced and bytes say what changed */
  PT_RESULT_RESUMED = 5,     /* resumed at the instruction, nothing done */
  PT_RESULT_LOST_SWAP = 6,   /* memory had moved: the exit is published again under a new sequence */
  PT_RESULT_LATE_DENIED = 7  /* bits of a deny rule were put back: replaced is what the guest had written, bytes what
                                memory holds now; or they were kept from being written: then the two are equal. Tells of
                                one exit's memory only, never of its end: another outcome follows (more == 1) */
};

/* Why the exit ended on that rung: pt_outcome_record.cause. */
enum pt_cause {
  PT_CAUSE_DECIDED = 0,   /* Java's decision */
  PT_CAUSE_DEADLINE = 1,  /* no decision in time */
  PT_CAUSE_NO_JVM = 2,    /* no JVM attached, or it is starting, or stalled, or its stream is full */
  PT_CAUSE_REFUSED = 3,   /* the decision did not pass validation */
  PT_CAUSE_ROUNDS = 4,    /* PT_MAX_ROUNDS publications did not settle it */
  PT_CAUSE_INCOMPLETE = 5 /* the record could not be completed: no GLA, unmapped instruction, foreign frame */
};

enum pt_state {
  PT_STATE_STARTING = 0, /* the domain is held until Java is ready */
  PT_STATE_RUNNING = 1,
  PT_STATE_ENDED = 2 /* no exit will follow; what the ring holds is still to be drained */
};

enum pt_command_kind {
  PT_COMMAND_PROTECT_READ = 1,  /* protect the frame of gpa (counted), then read length bytes from gpa */
  PT_COMMAND_RELEASE = 2,       /* drop one protection of the frame of gpa */
  PT_COMMAND_READ = 3,          /* read length bytes from gpa */
  PT_COMMAND_PROTECT_RANGE = 4, /* protect (counted) the frames of length bytes from gpa; length up to 4 GiB */
  /*
   * From now on the bits in mask of the entry at gpa do not change, whoever executes the instruction; then read it.
   * Adds to the bits denied already. The frame is protected as long as one of its entries has denied bits, whatever
   * RELEASE says. length is that of an entry and is 8; gpa is a multiple of it; A and D (bits 5 and 6) can't be denied,
   * since the page walker sets them. -ENOSPC: PT_DENY_RULES entries have denied bits. Rules of a JVM that is gone hold
   * until the next one is ready.
   */
  PT_COMMAND_DENY = 5,
  PT_COMMAND_ALLOW = 6 /* the bits in mask of the entry at gpa may change again; -ENOENT: this JVM denied none of it */
};

#define PT_DENY_RULES 4096 /* entries with denied bits, at most */

/* One vCPU's registers at the exit. */
struct pt_cpu {
  uint64_t gpr[PT_GPR_COUNT];
  uint64_t rip;
  uint64_t rflags;
  uint64_t cr0;
  uint64_t cr3;
  uint64_t cr4;
  uint64_t efer;
  uint64_t dr7;
  uint64_t segment_base[PT_SEGMENT_COUNT];
  uint32_t code_bits; /* 16, 32 or 64: default operand and address size of the code segment */
  uint32_t cpl;       /* current privilege level, 0 to 3 */
  uint16_t segment_selector[PT_SEGMENT_COUNT];
  uint32_t pad;
};

/* First 16 bytes of every slot. */
struct pt_record_head {
  uint64_t sequence; /* 0 while the slot is being written */
  uint32_t kind;     /* enum pt_record_kind */
  uint32_t vcpu;
};

struct pt_exit_record {
  struct pt_record_head head;
  uint64_t first;  /* sequence of the first publication of this exit; head.sequence if this is it */
  uint32_t round;  /* publications before this one */
  uint32_t view;   /* altp2m index in which the exit was raised */
  uint32_t access; /* PT_ACCESS_* */
  uint32_t done;   /* bit n: byte n of the window is written already by an earlier round */
  uint64_t gpa;    /* guest-physical address of the access */
  uint64_t gla;    /* guest-linear address of the access, valid with PT_ACCESS_GLA_VALID */
  struct pt_cpu cpu;
  uint32_t insn_count;   /* valid bytes in insn; fewer than 16 where the next page is not mapped */
  uint32_t window_count; /* valid bytes in window; fewer than 32 at the end of the page */
  uint8_t insn[PT_INSN_BYTES];
  uint8_t window[PT_WINDOW_BYTES]; /* memory from gpa & ~7, each 8-byte entry read at once; done bytes as they were
                                      before */
  uint64_t taken_ns;               /* request taken from the hypervisor */
  uint64_t published_ns;           /* this record published */
  uint32_t attached;               /* PT_MORE_* that a decision asked for; without a bit its fields hold nothing */
  uint32_t source_count;           /* valid bytes in source; fewer than asked for where they cannot be read, even 0 */
  uint32_t source_aliased;         /* 1: a part of the source lies in the frame of gpa, but not under the page of gla */
  uint32_t xmm_register;           /* the one that xmm holds, or PT_XMM_NONE where it cannot be read */
  uint8_t source[PT_SOURCE_BYTES];
  uint8_t xmm[PT_XMM_BYTES];
};

/* One or more per exit publication, none for one that MORE answered; the last of a publication has more == 0. */
struct pt_outcome_record {
  struct pt_record_head head;
  uint64_t exit;   /* sequence of the EXIT that this answers; 0 for an exit that was never published */
  uint64_t first;  /* sequence of its first publication, 0 likewise */
  uint32_t result; /* enum pt_result */
  uint32_t cause;  /* enum pt_cause */
  uint64_t gpa;    /* of byte 0 of replaced and bytes, a multiple of 8 */
  uint32_t mask;   /* bit n: byte n was written (APPLIED) or differs (STEPPED, HV_EMULATED) */
  uint32_t stores; /* stores of the guest that this accounts for: 1, or the elements of a REP; 0 in a LOST_SWAP */
  uint8_t replaced[PT_WINDOW_BYTES]; /* memory before, under mask and in the rest of each touched entry */
  uint8_t bytes[PT_WINDOW_BYTES];    /* memory after, likewise */
  uint32_t more;                     /* 1: another OUTCOME of the same publication follows at once */
  uint32_t round;                    /* that of the EXIT */
  uint64_t rip;                      /* of the instruction */
  uint64_t cr3;                      /* in force at the exit */
  uint64_t taken_ns;
  uint64_t published_ns; /* first publication */
  uint64_t seen_ns;      /* Java took the last publication; 0 where Java did not decide */
  uint64_t decided_ns;   /* Java published its decision; 0 likewise */
  uint64_t collected_ns; /* the native side saw the decision, or gave up waiting */
  uint64_t swapped_ns;   /* memory final */
  uint64_t replied_ns;   /* vCPU told to resume */
};

struct pt_completion_record {
  struct pt_record_head head;
  uint64_t command; /* pt_command.id */
  uint32_t kind;    /* enum pt_command_kind */
  int32_t status;   /* 0 or a negative errno */
  uint64_t gpa;
  uint32_t length; /* valid bytes in data */
  uint32_t pad;
  uint8_t data[PT_COMPLETION_BYTES];
};

/* Written by Java, one per vCPU. Nothing in it is trusted. */
struct pt_decision {
  uint64_t sequence;   /* of the EXIT that it answers; 0 while being written */
  uint32_t generation; /* of the JVM */
  uint32_t action;     /* enum pt_action */
  union {
    uint32_t mask;  /* bit n: byte n of the window is to be written */
    uint32_t needs; /* MORE: PT_MORE_* */
  };
  uint32_t flags; /* PT_DECISION_* */
  union {
    uint32_t stores;       /* stores that the instruction makes here: 1, or the elements of a REP */
    uint32_t source_bytes; /* MORE: 1 to PT_SOURCE_BYTES */
  };
  union {
    uint32_t gpr_mask;     /* bit n: gpr[n] replaces the register */
    uint32_t xmm_register; /* MORE: 0 to PT_XMM_COUNT - 1 */
  };
  union {
    uint64_t rip;        /* after the instruction; used by WRITE and SKIP */
    uint64_t source_gla; /* MORE: linear address of the source's first byte */
  };
  uint64_t rflags; /* after the instruction, likewise */
  uint64_t seen_ns;
  uint64_t decided_ns;
  uint8_t expected[PT_WINDOW_BYTES]; /* memory that was judged, whole entries */
  uint8_t bytes[PT_WINDOW_BYTES];    /* memory to be */
  uint64_t gpr[PT_GPR_COUNT];        /* last: mostly untouched, and then two cache lines are all that travels */
};

/* Written by Java. The command with index i (from 1) lies in slot i & (PT_COMMAND_COUNT - 1). */
struct pt_command {
  uint64_t id;     /* Java's own, echoed in the completion */
  uint32_t kind;   /* enum pt_command_kind */
  uint32_t length; /* bytes */
  uint64_t gpa;
  uint64_t mask; /* of DENY and ALLOW */
  uint64_t reserved[4];
};

/* Running totals since attach, written by the native side with relaxed stores. */
struct pt_counters {
  uint64_t exits;          /* requests taken that wait for a decision: everything but steps coming back */
  uint64_t replies;        /* of those, answered */
  uint64_t emulated;       /* APPLIED */
  uint64_t denied;         /* DENIED */
  uint64_t stepped;        /* STEPPED because Java said so */
  uint64_t hv_emulated;    /* HV_EMULATED */
  uint64_t fail_policy;    /* answered without a valid decision */
  uint64_t timed_out;      /* of fail_policy, or held: the deadline passed */
  uint64_t retried;        /* publications after the first */
  uint64_t swap_conflicts; /* swaps that found other memory than expected */
  uint64_t relevant;       /* exits whose decision was flagged PT_DECISION_RELEVANT and took effect */
  uint64_t refused;        /* decisions that did not pass validation */
  uint64_t stale;          /* decisions for a sequence or generation that is not current */
  uint64_t stores;         /* sum of pt_outcome_record.stores */
  uint64_t shared_frame;   /* exits on frames written by more than one vCPU */
  uint64_t page_cache_hits;
  uint64_t page_cache_misses;
  uint64_t outcomes_dropped; /* OUTCOME records that found the stream full; a GAP stands for them */
  uint64_t walker_ad;        /* A/D updates by the page walker that arrived as exits */
  uint64_t commands;         /* commands carried out */
  uint64_t late_denied;  /* entries of which denied bits were put back, or kept from being written, below Java's rung */
  uint64_t more;         /* of retried: because Java asked for what the instruction needs besides */
  uint64_t jvm_restarts; /* JVMs attached after the first */
  uint64_t jvm_ready;    /* JVMs that became ready */
  uint64_t stalls;       /* times that the JVM was found stalled, failed trials included */
  /* Longest time from taken_ns to replied_ns of any exit, a single step included; and of those by cause. */
  uint64_t longest_pause_ns;
  uint64_t longest_decided_ns; /* DECIDED */
  uint64_t longest_late_ns;    /* DEADLINE */
  uint64_t longest_no_jvm_ns;  /* NO_JVM */
  uint64_t held;               /* times that an exit was held, under a fail-closed policy, for want of a decision */
};

struct pt_stream_header {
  /* Set once, before the JVM starts. */
  uint64_t magic;   /* PT_ABI_MAGIC, stored last, release */
  uint32_t version; /* PT_ABI_VERSION, stored just before magic */
  uint32_t header_bytes;
  uint32_t slot_bytes;
  uint32_t slot_count;
  uint32_t vcpus;
  uint32_t maxphyaddr; /* bits of a guest-physical address, 36 to 52 */
  uint64_t deadline_ns;
  uint8_t pad0[88];
  /* Native, release: sequence of the newest record. */
  uint64_t cursor;
  uint8_t pad1[120];
  /* Native: futex word, raised by one to wake Java. */
  uint32_t wake;
  uint8_t pad2[124];
  /* Native: 1 while it sleeps and Java must write the eventfd after publishing. */
  uint32_t native_waiting;
  uint8_t pad3[124];
  /* Native. */
  uint32_t generation;    /* of the JVM that is attached; 0 none */
  uint32_t state;         /* enum pt_state */
  uint64_t commands_done; /* index of the last command carried out in this generation */
  uint64_t running_ns;    /* when the state became RUNNING; 0 before */
  uint8_t pad4[104];
  struct pt_counters counters;
};

struct pt_decisions_header {
  /* Set by the native side before the file is handed over. */
  uint64_t magic;
  uint32_t version;
  uint32_t header_bytes;
  uint32_t decision_bytes;
  uint32_t decision_count;
  uint32_t command_bytes;
  uint32_t command_count;
  uint32_t generation;
  uint8_t pad0[92];
  /* Java, release: sequence of the newest record that the decider is done with; the writer never laps it. */
  uint64_t consumed;
  uint8_t pad1[120];
  /* Java: 1 while it sleeps on pt_stream_header.wake. */
  uint32_t java_waiting;
  uint8_t pad2[124];
  /* Java: generation once the decider runs and its first protections are asked for. */
  uint32_t ready;
  uint8_t pad3[124];
  /* Java, release: index of the newest command. */
  uint64_t commands_published;
  uint8_t pad4[120];
};

/* Java may die between any two stores, and find anything at all: a file whose magic, version or sizes differ is empty.
 */
struct pt_notebook_header {
  uint64_t magic;
  uint32_t version;
  uint32_t header_bytes;
  uint32_t note_bytes;
  uint32_t note_count;
  uint64_t notes;   /* notes beyond this were never written */
  uint64_t changes; /* told in all generations */
  uint64_t resyncs; /* of those, found in memory without having been seen as a write */
};

/* Counts only where check agrees with the rest. */
struct pt_note_copy {
  uint64_t sequence; /* the valid copy with the greater one is the note; 0: none */
  uint64_t cr3;      /* of the watch; with gla and bits its key */
  uint64_t gla;
  uint64_t bits;      /* in entry layout */
  uint64_t effective; /* told last: rights, key and frame in force, in entry layout; 0 unless mapped */
  uint32_t state;     /* told last: Java's Translation.state() */
  uint32_t level;     /* told last: of the entry that maps the page; 0 unless mapped */
  uint64_t reserved;
  uint64_t check;
};

/* Written in turn, so that one is whole whenever Java dies. */
struct pt_note {
  struct pt_note_copy copies[2];
};

#define PT_NOTEBOOK_BYTES (PT_HEADER_BYTES + PT_NOTE_COUNT * PT_NOTE_BYTES)
#define PT_STREAM_BYTES (PT_HEADER_BYTES + PT_SLOT_COUNT * PT_SLOT_BYTES)
#define PT_COMMANDS_OFFSET (PT_HEADER_BYTES + PT_MAX_VCPUS * PT_DECISION_BYTES)
#define PT_DECISIONS_BYTES (PT_COMMANDS_OFFSET + PT_COMMAND_COUNT * PT_COMMAND_BYTES)

PT_STATIC_ASSERT(sizeof(struct pt_exit_record) <= PT_SLOT_BYTES, "an exit fits its slot");
PT_STATIC_ASSERT(sizeof(struct pt_outcome_record) <= PT_SLOT_BYTES, "an outcome fits its slot");
PT_STATIC_ASSERT(sizeof(struct pt_completion_record) <= PT_SLOT_BYTES, "a completion fits its slot");
PT_STATIC_ASSERT(sizeof(struct pt_decision) <= PT_DECISION_BYTES, "a decision fits its slot");
PT_STATIC_ASSERT(sizeof(struct pt_command) == PT_COMMAND_BYTES, "a command fills its slot");
PT_STATIC_ASSERT(sizeof(struct pt_stream_header) <= PT_HEADER_BYTES, "the stream header fits");
PT_STATIC_ASSERT(sizeof(struct pt_decisions_header) <= PT_HEADER_BYTES, "the decisions header fits");
PT_STATIC_ASSERT(sizeof(struct pt_notebook_header) <= PT_HEADER_BYTES, "the notebook header fits");
PT_STATIC_ASSERT(sizeof(struct pt_note) == PT_NOTE_BYTES, "a note fills its slot");
PT_STATIC_ASSERT((PT_SLOT_COUNT & (PT_SLOT_COUNT - 1)) == 0, "slot count is a power of two");

#endif
