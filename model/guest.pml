/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual CPUs, the page walker, and what the hypervisor does of itself. Says what must be true of each instruction. */

/* For the checks only. */
byte effect[VCPUS]; /* entries that the instruction under way has written */
byte found[VCPUS];  /* OWN as it then was */
bit owed[VCPUS];    /* a request of this vCPU has had no reply */
bit denied[VCPUS];  /* the instruction under way is not to write */

/* Entry e becomes value by the instruction of vCPU v: by a swap, by force, or by the vCPU itself. */
inline write(v, e, value) {
  assert(!(effect[v] & BIT(e)));                        /* done once */
  assert(TRUSTED_ONLY(value == EXECUTED(v, memory[e]))); /* judged on what it replaces */
  assert(!steps || stepping[v]);                        /* no other write while a step is in flight */
  effect[v] = effect[v] | BIT(e);
  if
  :: e == OWN(v) -> found[v] = memory[e]
  :: else
  fi;
  memory[e] = value
}

hidden byte computed;

/* The same once more is no second effect, as long as nobody else has written in between. */
inline write_again(v, e, value) {
  if
  :: effect[v] & BIT(e) -> assert(VALUE(memory[e]) == VALUE(value))
  :: else -> write(v, e, value)
  fi
}

inline execute_on(v, e) {
  if
  :: MASK(v) & BIT(e) -> computed = EXECUTED(v, memory[e]); write(v, e, computed)
  :: else
  fi
}

inline execute(v) {
  returned[v] = memory[OWN(v)];
  execute_on(v, 0);
#if WIDE
  execute_on(v, 1);
#endif
  rip[v] = AFTER_IT
}

/* The instruction is over: all of it was done, and the registers fit. */
inline retire(v) {
  assert(TRUSTED_ONLY(denied[v] || effect[v] == MASK(v)));
  assert(TRUSTED_ONLY(denied[v] || MASK(v) == BOTH_ENTRIES || returned[v] == found[v]));
  effect[v] = 0;
  found[v] = 0;
  returned[v] = 0;
  denied[v] = false;
  rip[v] = AT_THE_INSTRUCTION
}

inline ask(v) {
  assert(!owed[v]);
  owed[v] = true;
  exit_id[v]++;
  request[v] = REQUESTED
}

/* A response is put on the ring; it counts once notified. */
inline respond(v, how) {
  assert(owed[v]); /* one reply */
  owed[v] = false;
  reply[v] = how;
  request[v] = RESPONDED
}

inline take_response(v) {
  if
  :: request[v] == RESPONDED ->
    request[v] = NONE;
    if
    :: reply[v] == PT_REPLY_REGISTERS -> rip[v] = AFTER_IT
    :: else
    fi;
    stepping[v] = (reply[v] == PT_REPLY_STEP); /* the reply at a step's end takes the vCPU back to its view */
    reply[v] = NO_REPLY
  :: else
  fi
}

inline notify() {
  d_step {
    take_response(0);
    take_response(1)
  }
}

#define RUNS(v) (request[v] == NONE && !paused)

proctype cpu(byte self) {
  byte left = (self == 0 -> WRITES_0 : WRITES_1);
  do
  :: left == 0 -> break
  :: d_step { left && RUNS(self) && rip[self] == AT_THE_INSTRUCTION && restricted && !stepping[self] -> ask(self) }
  :: d_step {
       left && RUNS(self) && rip[self] == AT_THE_INSTRUCTION && (!restricted || stepping[self]) ->
       execute(self);
       if
       :: stepping[self] -> ask(self) /* VM_EVENT_REASON_SINGLESTEP */
       :: else
       fi
     }
  :: d_step {
       left && RUNS(self) && rip[self] == AFTER_IT && !stepping[self] ->
       retire(self);
       left--
     }
  od
}

/* Sets bits behind the monitor's back. */
proctype walker() {
  byte walks;
end:
  do
  :: d_step { walks < WALKS && !(memory[0] & WALKER) -> memory[0] = memory[0] | WALKER; walks++ }
#if WIDE
  :: d_step { walks < WALKS && !(memory[1] & WALKER) -> memory[1] = memory[1] | WALKER; walks++ }
#endif
  od
}
