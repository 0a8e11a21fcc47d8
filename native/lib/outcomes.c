/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "clock.h"
#include "memory_order.h"
#include "monitor.h"

static void raise(uint64_t *longest, uint64_t pause) {
  if (pause > pt_load_relaxed(longest))
    pt_store_relaxed(longest, pause);
}

static void note_pause(struct pt_counters *counters, const struct pt_vcpu *vcpu, uint64_t pause) {
  raise(&counters->longest_pause_ns, pause);
  if (vcpu->cause == PT_CAUSE_DECIDED)
    raise(&counters->longest_decided_ns, pause);
  else if (vcpu->cause == PT_CAUSE_DEADLINE)
    raise(&counters->longest_late_ns, pause);
  else if (vcpu->cause == PT_CAUSE_NO_JVM)
    raise(&counters->longest_no_jvm_ns, pause);
}

void pt_outcome_publish(struct pt_monitor *monitor, const struct pt_vcpu *vcpu, enum pt_result result,
                        const struct pt_change *change, uint32_t stores, bool more) {
  struct pt_stream *stream = &monitor->stream;
  bool decided = vcpu->cause == PT_CAUSE_DECIDED && vcpu->sequence != 0;
  uint64_t now = pt_now_ns();
  pt_count(&monitor->counters->stores, stores);
  note_pause(monitor->counters, vcpu, now - vcpu->exit.taken_ns);
  /* A JVM that is starting and has asked for nothing yet knows of no memory that could have changed. */
  if (!monitor->attached || (monitor->commands_seen == 0 && !pt_says_ready(monitor)))
    return;
  if (monitor->gap || pt_stream_full(stream)) {
    pt_count(&monitor->counters->outcomes_dropped, 1);
    pt_gap_open(monitor);
    return;
  }
  struct pt_outcome_record *record = pt_stream_reserve(stream);
  record->exit = vcpu->sequence;
  record->first = vcpu->first;
  record->result = (uint32_t)result;
  record->cause = (uint32_t)vcpu->cause;
  record->gpa = change->gpa;
  record->mask = change->mask;
  record->stores = stores;
  memcpy(record->replaced, change->replaced, PT_WINDOW_BYTES);
  memcpy(record->bytes, change->bytes, PT_WINDOW_BYTES);
  record->more = more;
  record->round = vcpu->round;
  record->rip = vcpu->exit.cpu.rip;
  record->cr3 = vcpu->exit.cpu.cr3;
  record->taken_ns = vcpu->exit.taken_ns;
  record->published_ns = vcpu->published_ns;
  record->seen_ns = decided ? vcpu->decision.seen_ns : 0;
  record->decided_ns = decided ? vcpu->decision.decided_ns : 0;
  record->collected_ns = vcpu->collected_ns;
  record->swapped_ns = vcpu->swapped_ns;
  record->replied_ns = now;
  pt_stream_publish(stream, PT_RECORD_OUTCOME, pt_vcpu_id(vcpu));
  pt_stream_wake(stream);
}

void pt_outcome_late_denied(struct pt_monitor *monitor, const struct pt_vcpu *vcpu, const struct pt_change *change) {
  for (uint32_t left = change->mask; left; left >>= 8)
    if (left & 0xFF)
      pt_count(&monitor->counters->late_denied, 1);
  pt_outcome_publish(monitor, vcpu, PT_RESULT_LATE_DENIED, change, 0, true);
}
