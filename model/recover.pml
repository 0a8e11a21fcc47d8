/* SPDX-License-Identifier: Apache-2.0 */
/*
 * native/daemon/recover.c and native/lib/intent_verdict.c: what becomes of vCPUs whose ptarmigand was killed. The
 * domain is held meanwhile. It may be killed too, and run again.
 */

/* A response that was put on the ring without a notify may reach the vCPU, or may not. */
inline bury() {
  if
  :: request[v] == RESPONDED -> owed[v] = true; reply[v] = NO_REPLY; request[v] = TAKEN
  :: request[v] == RESPONDED -> take_response(v)
  :: else
  fi;
  d_step {
    forget_exit();
    verdict[v] = NO_ORPHAN;
    rest[v] = 0
  }
}

#ifdef RECOVER_KNOWS_NO_EXIT_ID
#define SAME_EXIT true
#else
#define SAME_EXIT (intent[v].exit_id == exit_id[v])
#endif
/* Two exits at the instruction look alike here: registers alone tell nothing. */
#define INTENT_MATCHES (intent[v].state != NO_INTENT && SAME_EXIT)

/* Killed between a swap and its mark: the entry held what was judged, and only the walker can have come between. */
#ifdef RECOVER_TAKES_WALKER_BITS_FOR_WRITES
#define HOLDS(e) (memory[e] == intent[v].bytes[e])
#else
#define HOLDS(e) (VALUE(memory[e]) == VALUE(intent[v].bytes[e]))
#endif
#define SWAPPED_UNMARKED(e) \
  (intent[v].attempted & ~intent[v].done & BIT(e) && intent[v].bytes[e] != intent[v].expected[e] && HOLDS(e))

inline look(e) {
  if
  :: SWAPPED_UNMARKED(e) -> rest[v] = rest[v] & ~BIT(e)
  :: else
  fi
}

inline pt_intent_rest() {
  verdict[v] = PT_VERDICT_FINISH;
  if
  :: intent[v].state == PT_INTENT_SWAPPED -> rest[v] = 0
  :: else ->
    rest[v] = intent[v].mask & ~intent[v].done;
    look(0);
#if WIDE
    look(1);
#endif
    if
    :: rest[v] == intent[v].mask && !intent[v].earlier -> verdict[v] = PT_VERDICT_UNTOUCHED
    :: else
    fi
  fi
}

#if defined(RECOVER_EXECUTES_AGAIN)
#define pt_intent_verdict() verdict[v] = PT_VERDICT_UNTOUCHED
#elif defined(RECOVER_COMPLETES)
#define pt_intent_verdict() pt_intent_rest(); verdict[v] = PT_VERDICT_FINISH; rest[v] = 0
#else
#define pt_intent_verdict() pt_intent_rest()
#endif

inline judge_orphan() {
  if
  :: request[v] == NONE /* it runs, or was about to */
  :: request[v] != NONE && (stepping[v] || !INTENT_MATCHES) -> verdict[v] = PT_VERDICT_NO_WRITE
  :: request[v] != NONE && !stepping[v] && INTENT_MATCHES -> d_step { pt_intent_verdict() }
  fi
}

/* From here memory no longer says what was done. */
inline mark_found() {
#ifndef RECOVER_MARKS_NOTHING
  if
  :: verdict[v] == PT_VERDICT_FINISH && intent[v].state == PT_INTENT_INTENDED ->
    intent[v].done = intent[v].mask & ~rest[v];
    KILL_POINT
  :: else
  fi
#else
  skip
#endif
}

inline finish_memory(e) {
  if
  :: rest[v] & BIT(e) ->
    d_step { write_again(v, e, intent[v].bytes[e]) }
    KILL_POINT
  :: else
  fi
}

inline finish() {
  if
  :: verdict[v] == PT_VERDICT_FINISH ->
    finish_memory(0);
#if WIDE
    finish_memory(1);
#endif
    intent[v].state = PT_INTENT_SWAPPED;
    KILL_POINT
  :: else
  fi
}

inline answer() {
  if
  :: verdict[v] == NO_ORPHAN
  :: verdict[v] == PT_VERDICT_FINISH ->
    d_step {
      respond(v, PT_REPLY_REGISTERS);
#ifndef RECOVER_SETS_NO_REGISTERS
      returned[v] = intent[v].returned;
#endif
      denied[v] = (intent[v].kind == PT_INTENT_DENY)
    }
    KILL_POINT
  :: else -> respond(v, PT_REPLY_RESUME); KILL_POINT
  fi
}

inline recover() {
  atomic {
    paused = true;
    FOR_EACH_VCPU(judge_orphan());
    FOR_EACH_VCPU(mark_found());
    v = 1; /* the order is the backend's: this is the one that could hurt */
    do
    :: finish();
       if
       :: v == 0 -> break
       :: else -> v--
       fi
    od;
    restricted = false;
    stepping[0] = false;
    stepping[1] = false;
    FOR_EACH_VCPU(answer());
    notify();
    KILL_POINT;
    paused = false
  }
}
