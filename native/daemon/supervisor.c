/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

#define SECOND_NS 1000000000ull
#define START_NS (60 * SECOND_NS) /* a cold start on a busy machine takes seconds */
#define STALLED_NS (2 * SECOND_NS)
#define SOUND_NS (10 * SECOND_NS) /* one that was ready for so long did not fail at its start */
#define DELAY_FIRST_NS (SECOND_NS / 10)
#define DELAY_LONGEST_NS (10 * SECOND_NS)
#define KILLED_STATUS (128 + SIGKILL)

void supervisor_init(struct supervisor *supervisor, struct pt_monitor *monitor, const struct launcher *launcher) {
  *supervisor = (struct supervisor){.monitor = monitor, .launcher = launcher};
}

/* The JVM failed by itself: the next one waits, longer each time. */
static void back_off(struct supervisor *supervisor, uint64_t now) {
  supervisor->restart_ns = now + supervisor->delay_ns;
  uint64_t next = supervisor->delay_ns ? supervisor->delay_ns * 2 : DELAY_FIRST_NS;
  supervisor->delay_ns = next < DELAY_LONGEST_NS ? next : DELAY_LONGEST_NS;
}

static void plan_restart(struct supervisor *supervisor, bool failed, uint64_t now) {
  if (supervisor->ready && (!failed || now - supervisor->at_ns > SOUND_NS)) {
    supervisor->restart_ns = now;
    supervisor->delay_ns = 0;
  } else if (failed) {
    back_off(supervisor, now);
  } else {
    supervisor->restart_ns = now + DELAY_FIRST_NS; /* killed at its start, perhaps for want of memory */
  }
}

static void start(struct supervisor *supervisor, uint64_t now) {
  struct pt_channel channel;
  int error = pt_attach_jvm(supervisor->monitor, &channel);
  if (error == 0)
    error = jvm_start(&supervisor->jvm, supervisor->launcher, &channel);
  supervisor->ready = false;
  supervisor->at_ns = now;
  if (error == 0) {
    supervisor->phase = JVM_RUNS;
    return;
  }
  fprintf(stderr, "ptarmigand: cannot start the JVM: %s\n", strerror(-error));
  pt_detach_jvm(supervisor->monitor);
  back_off(supervisor, now);
}

/* Nobody but the JVM itself made it end, and none ever worked. */
static bool hopeless(const struct supervisor *supervisor) {
  return !supervisor->worked && supervisor->status != KILLED_STATUS;
}

/* It has ended already: collects its status without waiting. */
static void collect(struct supervisor *supervisor, uint64_t now) {
  bool given_up = supervisor->phase == JVM_KILLED;
  supervisor->status = jvm_finish(&supervisor->jvm, 0);
  supervisor->phase = JVM_NONE;
  pt_detach_jvm(supervisor->monitor);
  if (!given_up)
    fprintf(stderr, "ptarmigand: the JVM has ended with status %d\n", supervisor->status);
  plan_restart(supervisor, given_up || supervisor->status != KILLED_STATUS, now);
}

static void give_up(struct supervisor *supervisor, const char *why) {
  fprintf(stderr, "ptarmigand: the JVM %s: killing it\n", why);
  pt_detach_jvm(supervisor->monitor);
  jvm_kill(&supervisor->jvm);
  supervisor->phase = JVM_KILLED;
}

static void note_ready(struct supervisor *supervisor, uint64_t now) {
  if (supervisor->ready || !pt_ready(supervisor->monitor))
    return;
  supervisor->ready = supervisor->worked = true;
  supervisor->at_ns = now;
}

static void look(struct supervisor *supervisor, uint64_t now) {
  uint64_t stalled = pt_stalled_since(supervisor->monitor);
  if (supervisor->ready && stalled && now - stalled > STALLED_NS)
    give_up(supervisor, "does not answer");
  else if (!supervisor->ready && now - supervisor->at_ns > START_NS)
    give_up(supervisor, "did not become ready");
}

bool supervisor_check(struct supervisor *supervisor, bool restart) {
  if (!supervisor->launcher)
    return true;
  uint64_t now = pt_now_ns();
  if (supervisor->phase == JVM_NONE) {
    if (restart && now >= supervisor->restart_ns)
      start(supervisor, now);
    return true;
  }
  note_ready(supervisor, now);
  if (jvm_ended(&supervisor->jvm)) {
    collect(supervisor, now);
    return !hopeless(supervisor);
  }
  if (supervisor->phase == JVM_RUNS)
    look(supervisor, now);
  return true;
}

int supervisor_fd(const struct supervisor *supervisor) {
  return supervisor->phase == JVM_NONE ? -1 : jvm_fd(&supervisor->jvm);
}

int supervisor_finish(struct supervisor *supervisor, int timeout_ms) {
  if (supervisor->phase == JVM_NONE)
    return supervisor->status;
  supervisor->status = jvm_finish(&supervisor->jvm, timeout_ms);
  supervisor->phase = JVM_NONE;
  pt_detach_jvm(supervisor->monitor);
  return supervisor->status;
}
