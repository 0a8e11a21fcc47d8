/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fail-closed: an exit for which no decision came waits on instead of being stepped, until a JVM decides it after all
 * or the host lifts the hold. The host keeps the domain paused meanwhile.
 */
#include "clock.h"
#include "memory_order.h"
#include "monitor.h"

bool pt_hold(struct pt_monitor *monitor, struct pt_vcpu *vcpu, enum pt_cause cause) {
  if (!monitor->options.fail_closed || (cause != PT_CAUSE_DEADLINE && cause != PT_CAUSE_NO_JVM))
    return false;
  vcpu->phase = PT_PHASE_HELD;
  vcpu->cause = cause;
  monitor->held++;
  pt_count(&monitor->counters->held, 1);
  return true;
}

void pt_hold_end(struct pt_monitor *monitor, struct pt_vcpu *vcpu, enum pt_phase phase) {
  vcpu->phase = phase;
  monitor->held--;
}

bool pt_hold_publishable(struct pt_monitor *monitor, const struct pt_vcpu *vcpu) {
  return vcpu->phase == PT_PHASE_HELD && vcpu->sequence == 0 && pt_ready(monitor) && pt_listens(monitor) &&
         !pt_stream_full(&monitor->stream);
}

/* It gets the exit as a new one, with all the time that one has. */
void pt_hold_publish(struct pt_monitor *monitor) {
  for (unsigned i = 0; i < monitor->options.vcpus; i++) {
    struct pt_vcpu *vcpu = &monitor->vcpus[i];
    if (!pt_hold_publishable(monitor, vcpu))
      continue;
    vcpu->cause = PT_CAUSE_DECIDED;
    if (pt_exit_publish(monitor, vcpu)) {
      vcpu->deadline_ns = pt_now_ns() + monitor->options.deadline_ns;
      pt_hold_end(monitor, vcpu, PT_PHASE_WAITING);
    } else {
      pt_hold_end(monitor, vcpu, PT_PHASE_UNDECIDED);
    }
  }
}

unsigned pt_held(const struct pt_monitor *monitor) {
  return monitor->held;
}

void pt_lift_hold(struct pt_monitor *monitor) {
  for (unsigned i = 0; i < monitor->options.vcpus; i++)
    if (monitor->vcpus[i].phase == PT_PHASE_HELD)
      pt_hold_end(monitor, &monitor->vcpus[i], PT_PHASE_UNDECIDED);
}
