/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ptarmigan's protocol between guest, native side and JVM, for Spin. docs/protocol.md says what stands for what;
 * model/check runs it in the configurations that it names, each given by macros:
 *
 *   WIDE, TARGET     a MOV over two entries, and the entry that the other vCPU writes; else XADD and BTC on one
 *   WRITES_0 _1      instructions of each vCPU          WALKS       bits that the page walker sets
 *   ROUNDS           publications of one exit           REPEATS     of an answer, of the one before
 *   DENIES, ASKS     Java may deny; may say MORE, STEP  JVM_DEATHS  deaths of the JVM
 *   KILLS            of ptarmigand, or of recover       ANSWERS     > 0: a hostile JVM gives so many
 *   FAIL_CLOSED      what has no decision is held           RESUMES     of the domain, that lift it
 *   LIVENESS         one_exit_one_reply below, under weak fairness
 *
 * Other macros are mutations: model/mutations lists them.
 */
#include "state.pml"

#if ANSWERS
#define TRUSTED_ONLY(condition) true /* such a JVM may have anything written; not twice, and not lose a reply */
#else
#define TRUSTED_ONLY(condition) (condition)
#endif

/* Only where answers come twice can one be met half written. */
#if REPEATS
#define WHILE_WRITTEN(steps) steps
#else
#define WHILE_WRITTEN(steps) atomic { steps }
#endif

#include "guest.pml"
#if ANSWERS
#include "hostile.pml"
#else
#include "java.pml"
#endif
#include "intent.pml"
#include "stations.pml"
#include "ladder.pml"
#include "recover.pml"

proctype ptarmigand() {
  Vcpu vcpu[VCPUS];
  byte known[ENTRIES]; /* for the checks only: the table's values as outcomes tell them */
  byte v, jvm_deaths, resumes, kills;
  bit lost;
#if KILLS
  mtype:verdict verdict[VCPUS] = NO_ORPHAN;
  byte rest[VCPUS];
#endif
  vmi_loop_run();
#if KILLS
died:
  atomic {
    lost = false;
    attached = false;
    steps = 0;
    FOR_EACH_VCPU(bury())
  }
  recover()
#endif
}

init {
  atomic {
    run cpu(0);
    run cpu(1);
    run walker();
    run java();
    run ptarmigand()
  }
}

#ifdef LIVENESS
#define PAUSED(i) (request[i] != NONE)
ltl one_exit_one_reply { [](PAUSED(0) -> <>!PAUSED(0)) && [](PAUSED(1) -> <>!PAUSED(1)) }
#endif
