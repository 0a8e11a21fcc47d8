/* SPDX-License-Identifier: Apache-2.0 */
#include "intent.h"

#include "entries.h"
#include "memory_order.h"
#include "monitor.h"

#define CHECK_WORDS (offsetof(struct pt_intent, check) / sizeof(uint64_t))

/* Two sums, of which a damaged word changes at least one. */
uint64_t pt_intent_check(const struct pt_intent *intent) {
  const uint64_t *words = (const uint64_t *)(const void *)intent;
  uint64_t mixed = 0, sum = PT_INTENTS_MAGIC;
  for (size_t i = 0; i < CHECK_WORDS; i++) {
    mixed ^= words[i];
    sum += words[i];
  }
  return sum ^ (mixed << 1 | mixed >> 63);
}

size_t pt_intents_bytes(unsigned vcpus) {
  return sizeof(struct pt_intents) + vcpus * sizeof(struct pt_intent_record);
}

void pt_intents_init(struct pt_intents *intents, unsigned vcpus) {
  pt_store_release(&intents->magic, 0);
  memset(intents->records, 0, vcpus * sizeof *intents->records);
  intents->version = PT_INTENTS_VERSION;
  intents->vcpus = vcpus;
  intents->record_bytes = sizeof *intents->records;
  pt_store_release(&intents->magic, PT_INTENTS_MAGIC);
}

static struct pt_intent *current(const struct pt_vcpu *vcpu) {
  return vcpu->intents ? &vcpu->intents->slots[vcpu->intents->current - 1] : NULL;
}

/* As swaps find memory: bytes that earlier rounds have written are shown to Java as they were before. */
static void fill_memory(struct pt_intent *intent, const struct pt_vcpu *vcpu) {
  memcpy(intent->bytes, vcpu->decision.bytes, PT_WINDOW_BYTES);
  memcpy(intent->expected, vcpu->decision.expected, PT_WINDOW_BYTES);
  if (!vcpu->done)
    return;
  for (unsigned entry = 0; entry < PT_WINDOW_ENTRIES; entry++) {
    uint64_t shown = pt_entry_get(vcpu->decision.expected, entry);
    uint64_t written = pt_entry_get(vcpu->partial.bytes, entry);
    pt_entry_put(intent->expected, entry, pt_entry_merged(shown, written, pt_entry_mask(vcpu->done, entry)));
  }
}

void pt_intent_store(struct pt_vcpu *vcpu, enum pt_intent_kind kind, uint32_t mask, const uint64_t *held) {
  struct pt_intent_record *record = vcpu->intents;
  if (!record)
    return;
  const struct pt_decision *decision = &vcpu->decision;
  uint32_t slot = record->current == 1 ? 1 : 0; /* never the one in use: it may say what is half done */
  struct pt_intent *intent = &record->slots[slot];
  intent->exit_id = vcpu->exit.id;
  intent->gpa = vcpu->exit.gpa & ~(uint64_t)7;
  intent->cpu = vcpu->exit.cpu;
  memcpy(intent->gpr, vcpu->exit.cpu.gpr, sizeof intent->gpr);
  for (uint32_t changed = decision->gpr_mask; changed; changed &= changed - 1)
    intent->gpr[__builtin_ctz(changed)] = decision->gpr[__builtin_ctz(changed)];
  intent->rip = decision->rip;
  intent->rflags = decision->rflags;
  fill_memory(intent, vcpu);
  if (held)
    memcpy(intent->held, held, sizeof intent->held);
  else
    memset(intent->held, 0, sizeof intent->held);
  intent->mask = mask;
  intent->earlier = vcpu->done;
  intent->kind = (uint32_t)kind;
  intent->check = pt_intent_check(intent);
  intent->attempted = intent->done = 0;
  intent->state = mask ? PT_INTENT_INTENDED : PT_INTENT_SWAPPED;
  pt_store_release(&record->current, slot + 1);
}

void pt_intent_attempt(struct pt_vcpu *vcpu, uint32_t mask) {
  struct pt_intent *intent = current(vcpu);
  if (intent)
    pt_store_release(&intent->attempted, intent->attempted | mask);
}

void pt_intent_lost(struct pt_vcpu *vcpu, uint32_t mask) {
  struct pt_intent *intent = current(vcpu);
  if (intent)
    pt_store_release(&intent->attempted, intent->attempted & ~mask);
}

void pt_intent_done(struct pt_vcpu *vcpu, uint32_t mask) {
  struct pt_intent *intent = current(vcpu);
  if (intent)
    pt_store_release(&intent->done, intent->done | mask);
}

void pt_intent_swapped(struct pt_vcpu *vcpu) {
  struct pt_intent *intent = current(vcpu);
  if (intent)
    pt_store_release(&intent->state, PT_INTENT_SWAPPED);
}

void pt_intent_clear(struct pt_vcpu *vcpu) {
  if (vcpu->intents)
    pt_store_release(&vcpu->intents->current, 0);
}
