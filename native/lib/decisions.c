/* SPDX-License-Identifier: Apache-2.0 */
/* Java's answer is read once into private memory; everything after works on that copy and trusts none of it. */
#include <stddef.h>
#include <string.h>

#include "clock.h"
#include "memory_order.h"
#include "monitor.h"

/* CF PF AF ZF SF DF OF: what an emulated instruction can change (SDM vol. 1 3.4.3); RF may only be cleared. */
#define CHANGEABLE_FLAGS 0xCD5u
#define RF (1u << 16)
#define LONGEST_INSTRUCTION 15
#define KNOWN_FLAGS (PT_DECISION_WIDE | PT_DECISION_RELEVANT)

static uint32_t window_mask(const struct pt_vcpu *vcpu) {
  uint64_t start = vcpu->exit.gpa & (PT_PAGE_BYTES - 1) & ~(uint64_t)7;
  uint64_t room = PT_PAGE_BYTES - start;
  return room < PT_WINDOW_BYTES ? (1u << room) - 1 : 0xFFFFFFFFu;
}

static bool registers_valid(const struct pt_vcpu *vcpu, const struct pt_decision *decision) {
  const struct pt_cpu *cpu = &vcpu->exit.cpu;
  uint64_t changed = cpu->rflags ^ decision->rflags;
  uint64_t advance = decision->rip - cpu->rip;
  if (cpu->code_bits != 64) {
    /* A longer RIP would not load outside 64-bit code (SDM vol. 3C 26.3.1.4): the guest would be gone. */
    if (decision->rip > 0xFFFFFFFFu)
      return false;
    advance &= 0xFFFFFFFFu;
  }
  if (decision->gpr_mask >> PT_GPR_COUNT || advance > LONGEST_INSTRUCTION)
    return false;
  return (changed & ~(uint64_t)(CHANGEABLE_FLAGS | RF)) == 0 && !(decision->rflags & ~cpu->rflags & RF);
}

static bool wide_valid(const struct pt_vcpu *vcpu, uint32_t mask) {
  uint64_t base = vcpu->exit.gpa & ~(uint64_t)7;
  unsigned first = mask ? (unsigned)__builtin_ctz(mask) : 0;
  return vcpu->done == 0 && mask == 0xFFFFu << first && (base + first) % 16 == 0;
}

static bool write_valid(const struct pt_vcpu *vcpu, const struct pt_decision *decision) {
  if (decision->mask & ~window_mask(vcpu) || decision->mask & vcpu->done || decision->stores > PT_WINDOW_BYTES)
    return false;
  return !(decision->flags & PT_DECISION_WIDE) || wide_valid(vcpu, decision->mask);
}

static bool more_valid(const struct pt_vcpu *vcpu, const struct pt_decision *decision) {
  uint32_t needs = decision->needs;
  if (vcpu->done || decision->flags || needs == 0 || needs & ~(uint32_t)(PT_MORE_SOURCE | PT_MORE_XMM))
    return false;
  if (needs & PT_MORE_SOURCE && (decision->source_bytes == 0 || decision->source_bytes > PT_SOURCE_BYTES))
    return false;
  return !(needs & PT_MORE_XMM) || decision->xmm_register < PT_XMM_COUNT;
}

static bool valid(const struct pt_monitor *monitor, const struct pt_vcpu *vcpu, const struct pt_decision *decision) {
  if (decision->flags & ~(uint32_t)KNOWN_FLAGS)
    return false;
  switch (decision->action) {
    case PT_ACTION_WRITE:
    case PT_ACTION_SKIP:
      return write_valid(vcpu, decision) && registers_valid(vcpu, decision);
    case PT_ACTION_MORE:
      return more_valid(vcpu, decision);
    case PT_ACTION_STEP:
    case PT_ACTION_RETRY:
      return vcpu->done == 0;
    case PT_ACTION_HV_EMULATE:
      return vcpu->done == 0 && monitor->options.hv_emulate;
    default:
      return false;
  }
}

/* An answer that nobody waits for any more: late, or of another generation. Counted once. */
static void note_stale(struct pt_monitor *monitor, struct pt_vcpu *vcpu, uint64_t sequence) {
  if (sequence == vcpu->noted_sequence)
    return;
  vcpu->noted_sequence = sequence;
  if (sequence != 0)
    pt_count(&monitor->counters->stale, 1);
}

/* Copies only what the decision says it uses: most leave the general registers alone. */
static void copy(struct pt_decision *to, const struct pt_decision *from) {
  memcpy(to, from, offsetof(struct pt_decision, gpr));
  if (to->gpr_mask)
    memcpy(to->gpr, from->gpr, sizeof to->gpr);
}

enum pt_collected pt_decision_collect(struct pt_monitor *monitor, struct pt_vcpu *vcpu) {
  const struct pt_decision *shared =
      (const void *)(monitor->decisions.decisions + (size_t)pt_vcpu_id(vcpu) * PT_DECISION_BYTES);
  uint64_t sequence = pt_load_acquire(&shared->sequence);
  if (sequence != vcpu->sequence) {
    note_stale(monitor, vcpu, sequence);
    return PT_COLLECTED_NONE;
  }
  copy(&vcpu->decision, shared);
  pt_fence_acquire();
  if (pt_load_relaxed(&shared->sequence) != sequence)
    return PT_COLLECTED_NONE;
  vcpu->noted_sequence = sequence;
  vcpu->collected_ns = pt_now_ns();
  if (vcpu->decision.generation != monitor->generation || !valid(monitor, vcpu, &vcpu->decision)) {
    pt_count(&monitor->counters->refused, 1);
    return PT_COLLECTED_REFUSED;
  }
  return PT_COLLECTED_VALID;
}
