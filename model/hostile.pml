/* SPDX-License-Identifier: Apache-2.0 */
/* A JVM that answers anything at any time. */

inline either(value, first, second) {
  if
  :: value = first
  :: value = second
  fi
}

inline anything(v) {
  slot[v].generation = generation;
  either(slot[v].sequence, stream[v].sequence, stream[v].sequence - 1);
  slot[v].mask = 0;
  CLEAR(slot[v].expected);
  CLEAR(slot[v].bytes);
  if
  :: slot[v].action = NO_ACTION
  :: slot[v].action = PT_ACTION_STEP
  :: slot[v].action = PT_ACTION_RETRY
  :: slot[v].action = PT_ACTION_MORE
  :: slot[v].action = PT_ACTION_SKIP; slot[v].generation = generation - 1
  :: slot[v].action = PT_ACTION_SKIP; slot[v].mask = BOTH_ENTRIES
  :: slot[v].action = PT_ACTION_WRITE; slot[v].mask = 1; slot[v].expected[0] = memory[0] ^ 1; slot[v].bytes[0] = 1
  :: slot[v].action = PT_ACTION_WRITE;
     slot[v].mask = BOTH_ENTRIES;
     COPY(slot[v].expected, memory);
     COPY(slot[v].bytes, memory);
     either(slot[v].expected[ENTRIES - 1], slot[v].expected[ENTRIES - 1], 3) /* 3: the swap is lost half way */
  fi
}

proctype java() {
  byte answers, at;
end:
  do
  :: atomic {
       answers < ANSWERS && attached ->
       answers++;
       either(at, 0, 1);
       anything(at)
     }
  od
}
