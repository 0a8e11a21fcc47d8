/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exit from submit to outcome. The rungs: Java's decision; a single step; and, where a part of the write is in
 * memory already and must not be done twice, the rest of it by force.
 */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "memory_order.h"
#include "monitor.h"
#include "stop_points.h"

static void note_writer(struct pt_monitor *monitor, const struct pt_exit *exit) {
  struct pt_frame *frame = pt_frame_find(monitor->memory, exit->gpa >> PT_PAGE_SHIFT);
  if (!frame)
    return;
  if (frame->first_writer == 0)
    frame->first_writer = exit->vcpu + 1;
  else if (frame->first_writer != exit->vcpu + 1)
    frame->shared = true;
  if (frame->shared)
    pt_count(&monitor->counters->shared_frame, 1);
}

int pt_submit(struct pt_monitor *monitor, const struct pt_exit *exit) {
  if (exit->vcpu >= monitor->options.vcpus)
    return -EINVAL;
  struct pt_vcpu *vcpu = &monitor->vcpus[exit->vcpu];
  if (vcpu->phase != PT_PHASE_IDLE)
    return -EBUSY;
  pt_count(&monitor->counters->exits, 1);
  note_writer(monitor, exit);
  monitor->outstanding++;
  vcpu->exit = *exit;
  vcpu->cause = PT_CAUSE_DECIDED;
  vcpu->first = vcpu->sequence = 0;
  vcpu->published_ns = vcpu->collected_ns = vcpu->swapped_ns = 0;
  vcpu->deadline_ns = exit->taken_ns + monitor->options.deadline_ns;
  vcpu->round = 0;
  vcpu->done = 0;
  vcpu->held_back.mask = 0;
  vcpu->told = false;
  vcpu->attachments.attached = 0;
  PT_STOP("taken");
  vcpu->phase = PT_PHASE_WAITING;
  if (!pt_exit_publish(monitor, vcpu) && !pt_hold(monitor, vcpu, vcpu->cause))
    vcpu->phase = PT_PHASE_UNDECIDED;
  PT_STOP("published");
  return 0;
}

static void reply(struct pt_vcpu *vcpu, enum pt_reply_kind kind, enum pt_result result, struct pt_reply *out) {
  vcpu->phase = PT_PHASE_REPLIED;
  vcpu->result = result;
  out->vcpu = pt_vcpu_id(vcpu);
  out->kind = (uint32_t)kind;
  out->cpu = vcpu->exit.cpu;
}

static void set_registers(const struct pt_decision *decision, struct pt_cpu *cpu) {
  for (unsigned i = 0; i < PT_GPR_COUNT; i++)
    if (decision->gpr_mask & (1u << i))
      cpu->gpr[i] = decision->gpr[i];
  cpu->rip = decision->rip;
  cpu->rflags = decision->rflags;
}

/* The next rung: finish what is half done, else let the vCPU do it. False: a step on the frame is in flight. */
static bool undecided(struct pt_monitor *monitor, struct pt_vcpu *vcpu, struct pt_reply *out) {
  vcpu->collected_ns = pt_now_ns();
  if (vcpu->done) {
    if (pt_step_blocks(monitor, vcpu))
      return false;
    pt_write_force(monitor, vcpu);
    reply(vcpu, PT_REPLY_REGISTERS, PT_RESULT_APPLIED, out);
    set_registers(&vcpu->decision, &out->cpu);
    return true;
  }
  if (!pt_step_begin(monitor, vcpu))
    return false;
  reply(vcpu, PT_REPLY_STEP, PT_RESULT_STEPPED, out);
  return true;
}

static bool give_up(struct pt_monitor *monitor, struct pt_vcpu *vcpu, enum pt_cause cause, struct pt_reply *out) {
  vcpu->phase = PT_PHASE_UNDECIDED;
  vcpu->cause = cause;
  return undecided(monitor, vcpu, out);
}

/* For want of a decision: held where that is the policy, else the next rung. */
static bool do_without(struct pt_monitor *monitor, struct pt_vcpu *vcpu, enum pt_cause cause, struct pt_reply *out) {
  return !pt_hold(monitor, vcpu, cause) && give_up(monitor, vcpu, cause, out);
}

static bool publish_again(struct pt_monitor *monitor, struct pt_vcpu *vcpu, struct pt_reply *out) {
  if (++vcpu->round >= PT_MAX_ROUNDS)
    return give_up(monitor, vcpu, PT_CAUSE_ROUNDS, out);
  if (!pt_exit_publish(monitor, vcpu))
    return do_without(monitor, vcpu, vcpu->cause, out);
  vcpu->phase = PT_PHASE_WAITING;
  return false;
}

static void tell(struct pt_monitor *monitor, struct pt_vcpu *vcpu) {
  if (vcpu->held_back.mask)
    pt_outcome_late_denied(monitor, vcpu, &vcpu->held_back);
  pt_outcome_publish(monitor, vcpu, vcpu->result, &vcpu->change,
                     vcpu->result == PT_RESULT_RESUMED ? 0 : vcpu->decision.stores, false);
  vcpu->told = true;
}

/* Outcomes come in the order of the swaps: those of this poll that wait for their replies are told now. */
static void tell_earlier_swaps(struct pt_monitor *monitor) {
  for (unsigned i = 0; i < monitor->options.vcpus; i++) {
    struct pt_vcpu *vcpu = &monitor->vcpus[i];
    if (vcpu->phase == PT_PHASE_REPLIED && vcpu->result == PT_RESULT_APPLIED && !vcpu->told)
      tell(monitor, vcpu);
  }
}

/* The swap found other memory: what is in memory is told, the rest is judged again. */
static bool lost(struct pt_monitor *monitor, struct pt_vcpu *vcpu, struct pt_reply *out) {
  if (vcpu->change.mask)
    tell_earlier_swaps(monitor);
  pt_outcome_publish(monitor, vcpu, PT_RESULT_LOST_SWAP, &vcpu->change, 0, false);
  return publish_again(monitor, vcpu, out);
}

static bool more(struct pt_monitor *monitor, struct pt_vcpu *vcpu, struct pt_reply *out) {
  pt_attachments_ask(vcpu, &vcpu->decision);
  pt_count(&monitor->counters->more, 1);
  return publish_again(monitor, vcpu, out);
}

static bool decided(struct pt_monitor *monitor, struct pt_vcpu *vcpu, struct pt_reply *out) {
  const struct pt_decision *decision = &vcpu->decision;
  switch (decision->action) {
    case PT_ACTION_WRITE:
      if (pt_step_blocks(monitor, vcpu))
        return false;
      if (pt_write_denied(monitor, vcpu)) {
        pt_count(&monitor->counters->refused, 1);
        return give_up(monitor, vcpu, PT_CAUSE_REFUSED, out);
      }
      if (!pt_write_apply(monitor, vcpu))
        return lost(monitor, vcpu, out);
      reply(vcpu, PT_REPLY_REGISTERS, PT_RESULT_APPLIED, out);
      set_registers(decision, &out->cpu);
      return true;
    case PT_ACTION_MORE:
      return more(monitor, vcpu, out);
    case PT_ACTION_SKIP:
      pt_intent_store(vcpu, PT_INTENT_DENY, 0, NULL);
      vcpu->change.gpa = vcpu->exit.gpa & ~(uint64_t)7;
      vcpu->change.mask = decision->mask;
      memcpy(vcpu->change.replaced, decision->expected, PT_WINDOW_BYTES);
      memcpy(vcpu->change.bytes, decision->bytes, PT_WINDOW_BYTES);
      vcpu->swapped_ns = vcpu->collected_ns;
      reply(vcpu, PT_REPLY_REGISTERS, PT_RESULT_DENIED, out);
      set_registers(decision, &out->cpu);
      return true;
    case PT_ACTION_RETRY:
      memset(&vcpu->change, 0, sizeof vcpu->change);
      reply(vcpu, PT_REPLY_RESUME, PT_RESULT_RESUMED, out);
      return true;
    default: /* STEP, HV_EMULATE: both execute it elsewhere and are compared */
      if (!pt_step_begin(monitor, vcpu))
        return false;
      if (decision->action == PT_ACTION_STEP)
        reply(vcpu, PT_REPLY_STEP, PT_RESULT_STEPPED, out);
      else
        reply(vcpu, PT_REPLY_HV_EMULATE, PT_RESULT_HV_EMULATED, out);
      return true;
  }
}

static void note_missed(struct pt_monitor *monitor, uint64_t now) {
  if (pt_stall_missed(&monitor->stall, monitor->stream.next - 1, now))
    pt_count(&monitor->counters->stalls, 1);
}

static bool waiting(struct pt_monitor *monitor, struct pt_vcpu *vcpu, uint64_t now, struct pt_reply *out) {
  switch (pt_decision_collect(monitor, vcpu)) {
    case PT_COLLECTED_VALID:
      PT_STOP("decision-collected");
      vcpu->phase = PT_PHASE_DECIDED;
      return decided(monitor, vcpu, out);
    case PT_COLLECTED_REFUSED:
      return give_up(monitor, vcpu, PT_CAUSE_REFUSED, out);
    default:
      break;
  }
  if (monitor->stall.stalled)
    return do_without(monitor, vcpu, PT_CAUSE_NO_JVM, out);
  if (now < vcpu->deadline_ns)
    return false;
  pt_count(&monitor->counters->timed_out, 1);
  note_missed(monitor, now);
  return do_without(monitor, vcpu, PT_CAUSE_DEADLINE, out);
}

/*
 * A decision that comes after all ends the hold. No other exit will miss its deadline while the domain is paused, so
 * each further one that this exit waits counts as missed: a JVM that does not come back is found stalled.
 */
static bool held(struct pt_monitor *monitor, struct pt_vcpu *vcpu, uint64_t now, struct pt_reply *out) {
  if (vcpu->sequence == 0)
    return false;
  enum pt_collected collected = pt_decision_collect(monitor, vcpu);
  if (collected == PT_COLLECTED_NONE) {
    if (now >= vcpu->deadline_ns + monitor->options.deadline_ns) {
      vcpu->deadline_ns = now;
      note_missed(monitor, now);
    }
    return false;
  }
  pt_hold_end(monitor, vcpu, PT_PHASE_DECIDED);
  vcpu->cause = PT_CAUSE_DECIDED;
  return collected == PT_COLLECTED_VALID ? decided(monitor, vcpu, out) : give_up(monitor, vcpu, PT_CAUSE_REFUSED, out);
}

static bool advance(struct pt_monitor *monitor, struct pt_vcpu *vcpu, uint64_t now, struct pt_reply *out) {
  switch (vcpu->phase) {
    case PT_PHASE_WAITING:
      return waiting(monitor, vcpu, now, out);
    case PT_PHASE_DECIDED:
      return decided(monitor, vcpu, out);
    case PT_PHASE_UNDECIDED:
      return undecided(monitor, vcpu, out);
    case PT_PHASE_HELD:
      return held(monitor, vcpu, now, out);
    default:
      return false;
  }
}

size_t pt_poll(struct pt_monitor *monitor, struct pt_reply *replies, size_t capacity) {
  size_t count = 0;
  pt_commands_run(monitor);
  pt_gap_close(monitor);
  if (pt_note_ready(monitor) && monitor->inheriting) {
    pt_deny_disinherit(monitor->denies);
    monitor->inheriting = !pt_frames_disinherit(monitor->memory);
  }
  if (monitor->outstanding == 0)
    return 0;
  if (monitor->held > 0)
    pt_hold_publish(monitor);
  uint64_t now = pt_now_ns();
  for (unsigned i = 0; i < monitor->options.vcpus && count < capacity; i++)
    if (advance(monitor, &monitor->vcpus[i], now, &replies[count]))
      count++;
  return count;
}

static uint64_t *rung_counter(struct pt_counters *counters, const struct pt_vcpu *vcpu) {
  if (vcpu->cause != PT_CAUSE_DECIDED)
    return &counters->fail_policy;
  switch (vcpu->result) {
    case PT_RESULT_APPLIED:
      return &counters->emulated;
    case PT_RESULT_DENIED:
      return &counters->denied;
    case PT_RESULT_STEPPED:
      return &counters->stepped;
    case PT_RESULT_HV_EMULATED:
      return &counters->hv_emulated;
    default:
      return &counters->fail_policy;
  }
}

int pt_outcome(struct pt_monitor *monitor, uint32_t id) {
  if (id >= monitor->options.vcpus || monitor->vcpus[id].phase != PT_PHASE_REPLIED)
    return -EINVAL;
  struct pt_vcpu *vcpu = &monitor->vcpus[id];
  struct pt_counters *counters = monitor->counters;
  pt_count(&counters->replies, 1);
  pt_count(rung_counter(counters, vcpu), 1);
  if (vcpu->cause == PT_CAUSE_DECIDED)
    pt_stall_decided(&monitor->stall);
  if (vcpu->cause == PT_CAUSE_DECIDED && vcpu->decision.flags & PT_DECISION_RELEVANT)
    pt_count(&counters->relevant, 1);
  if (vcpu->result == PT_RESULT_STEPPED || vcpu->result == PT_RESULT_HV_EMULATED)
    pt_step_end(monitor, vcpu);
  else if (!vcpu->told)
    tell(monitor, vcpu);
  pt_intent_clear(vcpu);
  PT_STOP("replied-marked");
  vcpu->phase = PT_PHASE_IDLE;
  monitor->outstanding--;
  return 0;
}
