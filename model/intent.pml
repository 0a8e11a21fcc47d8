/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The intent file as ptarmigand writes it (native/lib/intent.c), and the points at which it may be killed: after each
 * store that outlives it. Where no configuration kills it nobody reads the file, and it is left out.
 */

#if KILLS
#define KILL_POINT if :: kills < KILLS -> kills++; goto died :: true fi
#define MARK(assignment) assignment; KILL_POINT
#else
#define KILL_POINT skip
#define MARK(assignment) skip
#endif

/* The slot that nobody reads is filled, then named: one store. */
inline pt_intent_store(what, bits, first_state) {
#if KILLS
  d_step {
    intent[v].exit_id = exit_id[v];
    intent[v].kind = what;
    intent[v].mask = bits;
    intent[v].earlier = vcpu[v].done;
    intent[v].attempted = 0;
    intent[v].done = 0;
    COPY(intent[v].expected, vcpu[v].decision.expected);
    COPY(intent[v].bytes, vcpu[v].decision.bytes);
    intent[v].returned = vcpu[v].decision.expected[OWN(v)];
    intent[v].state = first_state
  }
  KILL_POINT
#else
  skip
#endif
}

#define pt_intent_attempt(e) MARK(intent[v].attempted = intent[v].attempted | BIT(e))
#ifdef LOST_SWAP_KEEPS_ITS_ATTEMPT
#define pt_intent_lost(e) skip
#else
#define pt_intent_lost(e) MARK(intent[v].attempted = intent[v].attempted & ~BIT(e))
#endif
#ifdef NO_SWAPPED_MARKS
#define pt_intent_swapped() skip
#define pt_intent_done(e) skip
#else
#define pt_intent_swapped() MARK(intent[v].state = PT_INTENT_SWAPPED)
#define pt_intent_done(e) MARK(intent[v].done = intent[v].done | BIT(e))
#endif
#define pt_intent_clear() MARK(intent[v].state = NO_INTENT)
