/* SPDX-License-Identifier: Apache-2.0 */
/* The stations of an exit of vCPU v, by the files of native/lib that hold them. */

/* outcomes.c: an entry's change is told once, and in the order in which memory changed. */
inline tell(i, e) {
  if
  :: vcpu[i].changed & BIT(e) ->
    assert(VALUE(known[e]) == VALUE(vcpu[i].replaced[e])); /* told as it happened */
    known[e] = VALUE(vcpu[i].bytes[e])
  :: else
  fi
}

inline pt_outcome_publish(i) {
  d_step {
    tell(i, 0);
#if WIDE
    tell(i, 1);
#endif
    vcpu[i].changed = 0;
    CLEAR(vcpu[i].replaced);
    CLEAR(vcpu[i].bytes)
  }
}

/* hold.c: no decision came. Wait on where the policy is fail-closed, else the next rung. */
inline do_without(i) {
#if FAIL_CLOSED
  vcpu[i].phase = PT_PHASE_HELD
#else
  vcpu[i].phase = PT_PHASE_UNDECIDED
#endif
}

/* exits.c: memory as it is; what is done already, as it was before. */
inline pt_exit_publish() {
  d_step {
    vcpu[v].sequence = 0;
    do_without(v); /* PT_CAUSE_NO_JVM */
    if
    :: attached ->
      stream[v].window[0] = (vcpu[v].done & 1 -> vcpu[v].before[0] : memory[0]);
#if WIDE
      stream[v].window[1] = (vcpu[v].done & 2 -> vcpu[v].before[1] : memory[1]);
#endif
      stream[v].done = vcpu[v].done;
      stream[v].sequence++;
      vcpu[v].sequence = stream[v].sequence;
      vcpu[v].phase = PT_PHASE_WAITING
    :: else
    fi
  }
}

#ifdef NO_SEQUENCE_CHECK
#define IS_CURRENT(i) (slot[i].sequence != 0)
#else
#define IS_CURRENT(i) (vcpu[i].sequence && slot[i].sequence == vcpu[i].sequence)
#endif

/* decisions.c: bytes that are done are not written again, what is half done is not started afresh. */
#ifdef DONE_BYTES_MAY_BE_WRITTEN
#define MASK_VALID (!(vcpu[v].decision.mask & ~MASK(1)))
#else
#define MASK_VALID (!(vcpu[v].decision.mask & ~MASK(1)) && !(vcpu[v].decision.mask & vcpu[v].done))
#endif
#ifdef NO_GENERATION_CHECK
#define GENERATION_VALID true
#else
#define GENERATION_VALID (vcpu[v].decision.generation == generation)
#endif

inline validate() {
  vcpu[v].phase = PT_PHASE_UNDECIDED; /* PT_CAUSE_REFUSED */
  if
  :: !GENERATION_VALID
  :: else ->
    if
    :: vcpu[v].decision.action == PT_ACTION_WRITE || vcpu[v].decision.action == PT_ACTION_SKIP ->
      if
      :: MASK_VALID -> vcpu[v].phase = PT_PHASE_DECIDED
      :: else
      fi
    :: vcpu[v].decision.action == PT_ACTION_STEP || vcpu[v].decision.action == PT_ACTION_RETRY ||
       vcpu[v].decision.action == PT_ACTION_MORE ->
      if
      :: !vcpu[v].done -> vcpu[v].phase = PT_PHASE_DECIDED
      :: else
      fi
    :: else
    fi
  fi
}

/* The fields are copied once, in no order that anybody relies on; then the sequence is looked at again. */
inline pt_decision_collect() {
  d_step {
    vcpu[v].decision.action = slot[v].action;
    vcpu[v].decision.generation = slot[v].generation;
    vcpu[v].decision.mask = slot[v].mask;
    COPY(vcpu[v].decision.expected, slot[v].expected)
  }
  d_step { COPY(vcpu[v].decision.bytes, slot[v].bytes) }
  d_step {
    if
#ifndef NO_SECOND_LOOK_AT_THE_SEQUENCE
    :: !IS_CURRENT(v) /* it was being written: look again later */
#endif
    :: else -> validate()
    fi
  }
}

inline note_change(e, value) {
  vcpu[v].replaced[e] = memory[e];
  vcpu[v].bytes[e] = value;
  vcpu[v].changed = vcpu[v].changed | BIT(e)
}

/* writes.c: one entry from exactly what was judged to what was decided. */
#ifdef SWAP_WITHOUT_COMPARISON
#define AS_JUDGED(e) true
#else
#define AS_JUDGED(e) (memory[e] == vcpu[v].decision.expected[e])
#endif
#ifdef ATTEMPT_MARKED_UNSEEN
#define SEEN_AS_JUDGED(e) true
#else
#define SEEN_AS_JUDGED(e) AS_JUDGED(e)
#endif

inline swap(e) {
  atomic {
    if
    :: SEEN_AS_JUDGED(e) -> pt_intent_attempt(e)
    :: else
    fi
  }
  atomic {
    d_step {
      if
      :: AS_JUDGED(e) ->
        note_change(e, vcpu[v].decision.bytes[e]);
        write(v, e, vcpu[v].decision.bytes[e])
      :: else -> lost = true
      fi
    }
    KILL_POINT;
    if
    :: lost -> pt_intent_lost(e)
    :: else -> pt_intent_done(e)
    fi
  }
}

inline keep_before(e) {
  if
  :: vcpu[v].changed & BIT(e) -> vcpu[v].before[e] = vcpu[v].replaced[e]
  :: else
  fi
}

inline keep_done() {
  d_step {
    if
    :: vcpu[v].changed ->
      keep_before(0);
#if WIDE
      keep_before(1);
#endif
#ifndef LOST_SWAP_FORGETS_WHAT_IS_DONE
      vcpu[v].done = vcpu[v].done | vcpu[v].changed;
#endif
      COPY(vcpu[v].partial, vcpu[v].decision.bytes)
    :: else
    fi
  }
}

/* The rest of a write of which a part is in memory, whatever is there now. */
inline force(e) {
  if
  :: MASK(v) & ~vcpu[v].done & BIT(e) ->
    d_step {
      note_change(e, vcpu[v].partial[e]);
      write(v, e, vcpu[v].partial[e])
    }
    KILL_POINT;
    pt_intent_done(e)
  :: else
  fi
}

/* steps.c: the frame before and after; what differs, but for the walker's bit, is the step's. */
inline pt_step_begin() {
  steps++;
  COPY(vcpu[v].snapshot, memory)
}

inline compare(e) {
  if
  :: VALUE(vcpu[v].snapshot[e]) != VALUE(memory[e]) ->
    vcpu[v].replaced[e] = vcpu[v].snapshot[e];
    vcpu[v].bytes[e] = memory[e];
    vcpu[v].changed = vcpu[v].changed | BIT(e)
  :: else
  fi
}

inline pt_step_end() {
  d_step {
#ifndef STEP_NOT_COMPARED
    compare(0);
#if WIDE
    compare(1);
#endif
#endif
    CLEAR(vcpu[v].snapshot)
#ifndef STEP_IS_NEVER_OVER
    ;
    steps--
#endif
  }
  pt_outcome_publish(v)
}
