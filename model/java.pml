/* SPDX-License-Identifier: Apache-2.0 */
/* The JVM: right, but as late as it likes, and what it has answered it may answer again when another exit waits. */

#define HAS_NEWS(v) (attached && mine == generation && stream[v].sequence != seen[v])

inline judge(v) {
  answer[n].sequence = stream[v].sequence;
  answer[n].generation = mine;
  answer[n].mask = MASK(v) & ~stream[v].done;
  COPY(answer[n].expected, stream[v].window);
  answer[n].bytes[0] = EXECUTED(v, stream[v].window[0]);
#if WIDE
  answer[n].bytes[1] = EXECUTED(v, stream[v].window[1]);
#endif
  at[n] = v;
  seen[v] = stream[v].sequence
}

/* Each generation has a file of its own, and nobody reads that of an old one. */
#ifdef ONE_FILE_FOR_ALL_GENERATIONS
#define STORE(assignments) d_step { assignments }
#else
#define STORE(assignments) d_step { if :: mine == generation -> assignments :: else fi }
#endif

/* ring.DecisionWriter: sequence 0, the fields, the sequence. */
inline publish(v) {
  STORE(slot[v].sequence = 0);
  STORE(slot[v].generation = answer[n].generation; slot[v].action = answer[n].action; slot[v].mask = answer[n].mask;
        COPY(slot[v].expected, answer[n].expected));
  STORE(COPY(slot[v].bytes, answer[n].bytes));
  STORE(slot[v].sequence = answer[n].sequence)
}

#if REPEATS
#define ANSWERS_KEPT 2
#else
#define ANSWERS_KEPT 1
#endif

proctype java() {
  byte mine = 1, repeats;
  byte seen[VCPUS];
  Decision answer[ANSWERS_KEPT];
  byte at[ANSWERS_KEPT], n;
end:
  do
  :: atomic {
       HAS_NEWS(0) || HAS_NEWS(1) ->
       d_step {
         n = ANSWERS_KEPT - 1 - n;
         if
         :: HAS_NEWS(0) -> judge(0)
         :: else -> judge(1)
         fi
       }
       if
       :: answer[n].action = PT_ACTION_WRITE
       :: ASKS && answer[n].mask == MASK(at[n]) -> answer[n].action = PT_ACTION_MORE
       :: ASKS && answer[n].mask == MASK(at[n]) -> answer[n].action = PT_ACTION_STEP
       :: DENIES -> answer[n].action = PT_ACTION_SKIP
       fi
     }
     WHILE_WRITTEN(publish(at[n]))
#if REPEATS
  :: repeats < REPEATS && answer[n].sequence -> repeats++; publish(at[n])
  :: repeats < REPEATS && answer[1 - n].sequence -> repeats++; n = 1 - n; publish(at[n])
#endif
  :: d_step {
       attached && mine != generation ->
       mine = generation;
       answer[0].sequence = 0;
       answer[ANSWERS_KEPT - 1].sequence = 0;
       seen[0] = consumed[0];
       seen[1] = consumed[1]
     }
  od
}
