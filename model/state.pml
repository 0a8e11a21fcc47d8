/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the processes share, under the names of the code: include/ptarmigan/abi.h and plugin.h, native/lib/monitor.h
 * and intent.h.
 */

#define VCPUS 2

/*
 * What each vCPU executes, over and over, with the same registers each time: the hardest for who compares registers.
 * MASK: the entries that it writes. EXECUTED: what becomes of one. OWN: the entry whose old value a register gets.
 */
#if WIDE /* vCPU 0: BTC on entry TARGET; vCPU 1: a MOV that reaches over entries 0 and 1 */
#define ENTRIES 2
#define OWN(v) (v == 0 -> TARGET : 0)
#define MASK(v) (v == 0 -> BIT(TARGET) : 3)
#define EXECUTED(v, old) (v == 0 -> ((old) ^ 1) : 2)
#else /* vCPU 0: XADD on the entry; vCPU 1: BTC on it */
#define ENTRIES 1
#define OWN(v) 0
#define MASK(v) 1
#define EXECUTED(v, old) (v == 0 -> (((old) & WALKER) | (((old) + 1) & 3)) : ((old) ^ 1))
#endif
#define BOTH_ENTRIES 3

#define WALKER 4 /* the bit of an entry that the page walker sets; bits 0 and 1 are the entry's value */
#define VALUE(entry) ((entry) & 3)
#define BIT(e) (1 << (e))

/* All entries. */
#if WIDE
#define COPY(to, from) to[0] = from[0]; to[1] = from[1]
#define CLEAR(to) to[0] = 0; to[1] = 0
#else
#define COPY(to, from) to[0] = from[0]
#define CLEAR(to) to[0] = 0
#endif

mtype:phase = {
  PT_PHASE_IDLE, PT_PHASE_WAITING, PT_PHASE_DECIDED, PT_PHASE_UNDECIDED, PT_PHASE_HELD, PT_PHASE_REPLIED
};
mtype:action = { NO_ACTION, PT_ACTION_WRITE, PT_ACTION_SKIP, PT_ACTION_STEP, PT_ACTION_RETRY, PT_ACTION_MORE };
mtype:result = { NO_RESULT, PT_RESULT_APPLIED, PT_RESULT_DENIED, PT_RESULT_STEPPED, PT_RESULT_RESUMED };
mtype:reply = { NO_REPLY, PT_REPLY_RESUME, PT_REPLY_REGISTERS, PT_REPLY_STEP };
mtype:intent = { NO_INTENT, PT_INTENT_INTENDED, PT_INTENT_SWAPPED };
mtype:kind = { PT_INTENT_WRITE, PT_INTENT_DENY };
mtype:verdict = { NO_ORPHAN, PT_VERDICT_NO_WRITE, PT_VERDICT_UNTOUCHED, PT_VERDICT_FINISH };
/* A vCPU's request as the hypervisor has it: none, on the ring, taken off it, answered but not yet notified. */
mtype:request = { NONE, REQUESTED, TAKEN, RESPONDED };
mtype:rip = { AT_THE_INSTRUCTION, AFTER_IT };

/* The guest and the hypervisor. They outlive ptarmigand. */
byte memory[ENTRIES];
mtype:request request[VCPUS] = NONE;
mtype:reply reply[VCPUS] = NO_REPLY;
mtype:rip rip[VCPUS] = AT_THE_INSTRUCTION;
byte returned[VCPUS];  /* what the registers say that OWN was: XADD's register, BTC's carry flag */
bit stepping[VCPUS];   /* one instruction, in the unrestricted view */
bit restricted = true; /* a write to the table exits */
bit paused;            /* the whole domain */
byte exit_id[VCPUS];   /* of the newest request */

/* The intent file. It outlives ptarmigand. */
typedef Intent {
  mtype:intent state = NO_INTENT; /* NO_INTENT: current names no slot */
  byte exit_id;
  mtype:kind kind = PT_INTENT_WRITE;
  byte mask;
  byte earlier;
  byte attempted;
  byte done;
  byte expected[ENTRIES];
  byte bytes[ENTRIES];
  byte returned /* gpr, rip and rflags after the instruction */
};
Intent intent[VCPUS];

/* The stream: the newest EXIT of each vCPU. Sequences are counted per vCPU, which is all that is ever compared. */
typedef Exit {
  byte sequence;
  byte done;
  byte window[ENTRIES]
};
Exit stream[VCPUS];

/* The decisions file of the current generation. */
typedef Decision {
  byte sequence;
  byte generation;
  mtype:action action = NO_ACTION;
  byte mask;
  byte expected[ENTRIES];
  byte bytes[ENTRIES]
};
Decision slot[VCPUS];
byte consumed[VCPUS]; /* at attach: where this generation begins */

/* What ptarmigand shows of struct pt_monitor, and what it keeps of struct pt_vcpu. */
bit attached = true;
byte generation = 1;
byte steps; /* in flight, all on the one frame */
typedef Vcpu {
  mtype:phase phase = PT_PHASE_IDLE;
  byte sequence;
  byte round;
  byte done;
  byte before[ENTRIES];
  byte partial[ENTRIES]; /* partial.bytes */
  Decision decision;     /* validated copy */
  mtype:result result = NO_RESULT;
  byte changed; /* struct pt_change */
  byte replaced[ENTRIES];
  byte bytes[ENTRIES];
  byte snapshot[ENTRIES];
  bit overdue /* the deadline has passed */
};

#define FOR_EACH_VCPU(action) v = 0; do :: v < VCPUS -> action; v++ :: else -> break od; v = 0
