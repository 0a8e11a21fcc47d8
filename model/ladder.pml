/* SPDX-License-Identifier: Apache-2.0 */
/*
 * native/lib/ladder.c: one exit from submit to outcome, and native/daemon/vmi_loop.c around it. One thread; what it does
 * to its own memory between two looks at what others share is one step here.
 */

#ifdef NO_STEP_EXCLUSIVITY
#define BLOCKED false
#else
#define BLOCKED (steps > 0)
#endif

inline forget_exit() {
  vcpu[v].phase = PT_PHASE_IDLE;
  vcpu[v].result = NO_RESULT;
  vcpu[v].sequence = 0;
  vcpu[v].round = 0;
  vcpu[v].done = 0;
  vcpu[v].changed = 0;
  vcpu[v].overdue = false;
  vcpu[v].decision.action = NO_ACTION;
  vcpu[v].decision.mask = 0;
  vcpu[v].decision.generation = 0;
  CLEAR(vcpu[v].decision.expected);
  CLEAR(vcpu[v].decision.bytes);
  CLEAR(vcpu[v].partial);
  CLEAR(vcpu[v].before);
  CLEAR(vcpu[v].snapshot)
}

inline put_reply(how, what) {
  d_step {
    respond(v, how);
    if
    :: how == PT_REPLY_REGISTERS -> returned[v] = vcpu[v].decision.expected[OWN(v)]
    :: else
    fi;
    vcpu[v].result = what;
    vcpu[v].phase = PT_PHASE_REPLIED
  }
  KILL_POINT
}

inline publish_again() {
  vcpu[v].round++;
  if
  :: vcpu[v].round >= ROUNDS -> vcpu[v].phase = PT_PHASE_UNDECIDED /* PT_CAUSE_ROUNDS */
  :: else -> pt_exit_publish()
  fi
}

inline pt_write_apply() {
#ifdef MARKED_SWAPPED_BEFORE_THE_SWAP
  pt_intent_store(PT_INTENT_WRITE, vcpu[v].decision.mask, PT_INTENT_SWAPPED);
#else
  pt_intent_store(PT_INTENT_WRITE, vcpu[v].decision.mask, PT_INTENT_INTENDED);
#endif
  if
  :: vcpu[v].decision.mask & 1 -> swap(0)
  :: else
  fi;
#if WIDE
  if
  :: vcpu[v].decision.mask & 2 && !lost -> swap(1)
  :: else
  fi;
#endif
}

/* What was swapped before in this turn, and is told after its reply, is told before what this exit has swapped. */
inline tell_earlier_swaps(other) {
#ifdef LOST_SWAP_TOLD_OUT_OF_ORDER
  skip
#else
  if
  :: vcpu[other].phase == PT_PHASE_REPLIED && vcpu[other].result == PT_RESULT_APPLIED -> pt_outcome_publish(other)
  :: else
  fi
#endif
}

inline apply() {
  pt_write_apply();
  atomic {
    if
    :: lost ->
      lost = false;
      keep_done();
      tell_earlier_swaps(1 - v);
      pt_outcome_publish(v); /* PT_RESULT_LOST_SWAP */
      publish_again()
    :: else ->
      pt_intent_swapped();
      put_reply(PT_REPLY_REGISTERS, PT_RESULT_APPLIED)
    fi
  }
}

inline decided() {
  if
  :: vcpu[v].decision.action == PT_ACTION_WRITE && !BLOCKED -> apply()
  :: vcpu[v].decision.action == PT_ACTION_STEP -> vcpu[v].phase = PT_PHASE_UNDECIDED /* the same rung */
  :: atomic { vcpu[v].decision.action == PT_ACTION_MORE -> publish_again() }
  :: atomic { vcpu[v].decision.action == PT_ACTION_RETRY -> put_reply(PT_REPLY_RESUME, PT_RESULT_RESUMED) }
  :: atomic {
       vcpu[v].decision.action == PT_ACTION_SKIP ->
       pt_intent_store(PT_INTENT_DENY, 0, PT_INTENT_SWAPPED);
#ifdef DENIAL_TOLD_AS_A_WRITE
       note_change(0, vcpu[v].decision.bytes[0]);
#endif
       denied[v] = true;
       put_reply(PT_REPLY_REGISTERS, PT_RESULT_DENIED)
     }
  :: else /* held up by the step in flight */
  fi
}

/* Finish what is half done, else let the vCPU do it. */
inline undecided() {
  atomic {
    if
    :: BLOCKED
    :: !BLOCKED && vcpu[v].done ->
      d_step {
        vcpu[v].decision.mask = MASK(v) & ~vcpu[v].done;
        COPY(vcpu[v].decision.bytes, vcpu[v].partial)
      }
      pt_intent_store(PT_INTENT_WRITE, vcpu[v].decision.mask, PT_INTENT_INTENDED);
      force(0);
#if WIDE
      force(1);
#endif
      pt_intent_swapped();
      put_reply(PT_REPLY_REGISTERS, PT_RESULT_APPLIED)
    :: !BLOCKED && !vcpu[v].done ->
      d_step { pt_step_begin() }
      put_reply(PT_REPLY_STEP, PT_RESULT_STEPPED)
    fi
  }
}

inline pass_the_deadline() {
#ifdef DEADLINE_LEAVES_THE_DECISION
  pt_step_begin();
  put_reply(PT_REPLY_STEP, PT_RESULT_STEPPED);
  vcpu[v].phase = PT_PHASE_WAITING;
  vcpu[v].overdue = false
#else
  do_without(v) /* PT_CAUSE_DEADLINE */
#endif
}

inline advance() {
  if
#if FAIL_CLOSED
  :: d_step { vcpu[v].phase == PT_PHASE_HELD && !vcpu[v].sequence && attached -> vcpu[v].overdue = false }
     pt_exit_publish()
  :: vcpu[v].phase == PT_PHASE_HELD && IS_CURRENT(v) -> WHILE_WRITTEN(pt_decision_collect())
#endif
  :: vcpu[v].phase == PT_PHASE_WAITING ->
    if
    :: IS_CURRENT(v) -> WHILE_WRITTEN(pt_decision_collect())
    :: atomic {
         !IS_CURRENT(v) ->
         if
         :: vcpu[v].overdue -> pass_the_deadline()
         :: else
         fi
       }
    fi
  :: else
  fi;
  if
  :: vcpu[v].phase == PT_PHASE_DECIDED -> decided()
  :: else
  fi;
  if
  :: vcpu[v].phase == PT_PHASE_UNDECIDED -> undecided()
  :: else
  fi
}

/* A request is taken off the ring. The step of a vCPU is over when the next one comes from it. */
inline take() {
  if
  :: request[v] == REQUESTED && vcpu[v].phase == PT_PHASE_IDLE ->
    request[v] = TAKEN;
    KILL_POINT;
    pt_exit_publish()
  :: request[v] == REQUESTED && vcpu[v].phase != PT_PHASE_IDLE ->
    request[v] = TAKEN;
    pt_step_end();
    pt_intent_clear();
    d_step {
      respond(v, PT_REPLY_RESUME);
      forget_exit()
    }
    KILL_POINT
  :: else
  fi
}

/* Once the hypervisor was notified. */
inline pt_outcome() {
  if
  :: vcpu[v].phase == PT_PHASE_REPLIED && vcpu[v].result != PT_RESULT_STEPPED ->
    pt_outcome_publish(v);
    pt_intent_clear();
    d_step { forget_exit() }
  :: else
  fi
}

#ifdef INTENT_CLEARED_BEFORE_THE_REPLY
inline clear_early() {
  if
  :: vcpu[v].phase == PT_PHASE_REPLIED -> pt_intent_clear()
  :: else
  fi
}
#endif

inline undecide(i) {
  if
  :: vcpu[i].phase == PT_PHASE_WAITING -> do_without(i)
  :: else
  fi;
  if
#ifndef HELD_EXIT_STAYS_WITH_ITS_JVM
  :: vcpu[i].phase == PT_PHASE_HELD -> vcpu[i].sequence = 0
#endif
  :: else
  fi
}

inline pt_detach_jvm() {
  attached = false;
  undecide(0);
  undecide(1)
}

inline pt_attach_jvm() {
  generation++;
#ifndef ONE_FILE_FOR_ALL_GENERATIONS
  slot[0].sequence = 0;
  slot[1].sequence = 0;
#endif
  consumed[0] = stream[0].sequence;
  consumed[1] = stream[1].sequence;
  attached = true
}

/* What the loop wakes up for. */
#define GOES_ON(i) (vcpu[i].phase == PT_PHASE_DECIDED || vcpu[i].phase == PT_PHASE_UNDECIDED)
#define WAITS(i) (vcpu[i].phase == PT_PHASE_WAITING)
#define HELD(i) (vcpu[i].phase == PT_PHASE_HELD)
#define HAS_WORK(i) \
  (request[i] == REQUESTED || (WAITS(i) && (IS_CURRENT(i) || vcpu[i].overdue)) || (GOES_ON(i) && !BLOCKED) || \
   (HELD(i) && (IS_CURRENT(i) || (!vcpu[i].sequence && attached))))

inline lift(i) {
  if
  :: HELD(i) -> vcpu[i].phase = PT_PHASE_UNDECIDED
  :: else
  fi
}

#define ALL_IDLE (vcpu[0].phase == PT_PHASE_IDLE && vcpu[1].phase == PT_PHASE_IDLE)
#define ALL_KNOWN (known[0] == VALUE(memory[0]) && known[ENTRIES - 1] == VALUE(memory[ENTRIES - 1]))

inline vmi_loop_run() {
end:
  do
  :: atomic { HAS_WORK(0) || HAS_WORK(1) -> FOR_EACH_VCPU(take()); notify(); KILL_POINT }
     FOR_EACH_VCPU(advance());
     atomic {
#ifdef INTENT_CLEARED_BEFORE_THE_REPLY
       FOR_EACH_VCPU(clear_early());
#endif
       notify();
       KILL_POINT;
       FOR_EACH_VCPU(pt_outcome());
       assert(!ALL_IDLE || ALL_KNOWN); /* what happened was told, and nothing else */
       paused = (HELD(0) || HELD(1))
     }
#ifndef NO_DEADLINE
  :: d_step { WAITS(0) && !vcpu[0].overdue -> vcpu[0].overdue = true }
  :: d_step { WAITS(1) && !vcpu[1].overdue -> vcpu[1].overdue = true }
#endif
#if FAIL_CLOSED /* bin/ptarmigan resume: pt_lift_hold */
  :: d_step { (HELD(0) || HELD(1)) && resumes < RESUMES -> resumes++; lift(0); lift(1); paused = false }
#endif
  :: d_step { attached && jvm_deaths < JVM_DEATHS -> jvm_deaths++; pt_detach_jvm() }
  :: d_step { !attached && generation == jvm_deaths -> pt_attach_jvm() }
  od
}
