/* SPDX-License-Identifier: Apache-2.0 */
#include "intent_verdict.h"

#include "guest_memory.h"
#include "memory_order.h"

#define LONGEST_INSTRUCTION 15
#define CR4_PAE (1u << 5)
/* SDM vol. 3A 4.3 and 4.5: P, A and D lie in the same bits of 4-byte and 8-byte entries. */
#define ENTRY_P 0x01u
#define ENTRY_AD 0x60u

bool pt_intents_valid(const struct pt_intents *intents, size_t bytes, unsigned vcpus) {
  return bytes >= sizeof *intents && pt_load_acquire(&intents->magic) == PT_INTENTS_MAGIC &&
         intents->version == PT_INTENTS_VERSION && intents->vcpus == vcpus &&
         intents->record_bytes == sizeof *intents->records && bytes >= pt_intents_bytes(vcpus);
}

/* Bytes of the window that lie in the frame. */
static uint32_t room(uint64_t gpa) {
  uint64_t left = PT_PAGE_BYTES - (gpa & (PT_PAGE_BYTES - 1));
  return left < PT_WINDOW_BYTES ? (1u << left) - 1 : 0xFFFFFFFFu;
}

static bool sound(const struct pt_intent *intent, uint64_t frames) {
  uint64_t advance = intent->rip - intent->cpu.rip;
  if (intent->cpu.code_bits != 64) {
    if (intent->rip > 0xFFFFFFFFu)
      return false;
    advance &= 0xFFFFFFFFu;
  }
  return intent->check == pt_intent_check(intent) && intent->gpa % PT_ENTRY_BYTES == 0 &&
         intent->gpa >> PT_PAGE_SHIFT < frames && !((intent->mask | intent->earlier) & ~room(intent->gpa)) &&
         !(intent->mask & intent->earlier) && !((intent->attempted | intent->done) & ~intent->mask) &&
         (intent->state == PT_INTENT_INTENDED || intent->state == PT_INTENT_SWAPPED) &&
         (intent->kind == PT_INTENT_WRITE || (intent->kind == PT_INTENT_DENY && !intent->mask)) &&
         advance <= LONGEST_INSTRUCTION;
}

static bool same_registers(const struct pt_cpu *a, const struct pt_cpu *b) {
  return memcmp(a->gpr, b->gpr, sizeof a->gpr) == 0 && a->rip == b->rip && a->rflags == b->rflags && a->cr3 == b->cr3;
}

enum pt_verdict pt_intent_match(const struct pt_intent_record *record, const struct pt_cpu *cpu, uint64_t exit_id,
                                uint64_t frames, struct pt_intent *out) {
  uint32_t current = pt_load_acquire(&record->current);
  if (current == 0)
    return PT_VERDICT_NO_WRITE;
  if (current > 2)
    return PT_VERDICT_DAMAGED;
  *out = record->slots[current - 1];
  if (!sound(out, frames))
    return PT_VERDICT_DAMAGED;
  bool numbered = exit_id && out->exit_id;
  if (numbered && out->exit_id != exit_id)
    return PT_VERDICT_NO_WRITE; /* of an earlier exit, which was answered */
  if (same_registers(&out->cpu, cpu))
    return PT_VERDICT_FINISH;
  return numbered ? PT_VERDICT_DAMAGED : PT_VERDICT_NO_WRITE;
}

bool pt_intent_certain(const struct pt_intent *intent, uint64_t exit_id) {
  return exit_id && intent->exit_id;
}

/* A and D that an entry may have got from the walker since it held value. */
static uint64_t walker_bits(const struct pt_intent *intent, uint64_t value) {
  if (intent->cpu.cr4 & CR4_PAE)
    return value & ENTRY_P ? ENTRY_AD : 0;
  uint64_t low = value & ENTRY_P ? ENTRY_AD : 0;
  return low | (value >> 32 & ENTRY_P ? (uint64_t)ENTRY_AD << 32 : 0);
}

/* found is value, but for A and D that were set since. */
static bool holds(const struct pt_intent *intent, uint64_t found, uint64_t value) {
  return !((found ^ value) & ~walker_bits(intent, value)) && !(value & ~found);
}

static uint64_t intended(const struct pt_intent *intent, unsigned entry) {
  return pt_entry_merged(pt_entry_get(intent->expected, entry), pt_entry_get(intent->bytes, entry),
                         pt_entry_mask(intent->mask, entry));
}

/*
 * Killed between a swap and its mark. The entry held what was judged just before, and nobody but the walker and our
 * swap could change it since; where its A or D could be either's, taking it for the swap is an order that could have
 * been.
 */
static bool swapped_unmarked(const struct pt_intent *intent, unsigned entry, uint64_t found) {
  uint32_t open = intent->attempted & ~intent->done;
  uint64_t value = intended(intent, entry);
  return pt_entry_mask(open, entry) && value != pt_entry_get(intent->expected, entry) && holds(intent, found, value);
}

enum pt_verdict pt_intent_rest(const struct pt_intent *intent, const uint64_t found[PT_WINDOW_ENTRIES],
                               uint32_t *rest) {
  uint32_t written = intent->done;
  *rest = 0;
  if (intent->state == PT_INTENT_SWAPPED)
    return PT_VERDICT_FINISH;
  for (unsigned entry = 0; entry < PT_WINDOW_ENTRIES; entry++)
    if (swapped_unmarked(intent, entry, found[entry]))
      written |= intent->mask & 0xFFu << (entry * PT_ENTRY_BYTES);
  if (!written && !intent->earlier)
    return PT_VERDICT_UNTOUCHED;
  *rest = intent->mask & ~written;
  return PT_VERDICT_FINISH;
}

uint64_t pt_intent_value(const struct pt_intent *intent, unsigned entry, uint64_t found, uint32_t rest) {
  uint64_t expected = pt_entry_get(intent->expected, entry);
  uint64_t value = pt_entry_merged(found, pt_entry_get(intent->bytes, entry), pt_entry_mask(rest, entry));
  /* Bits that the walker set after the write was judged stay: as if it had come after the write. */
  if (holds(intent, found, expected))
    value |= found & ~expected & walker_bits(intent, value);
  return (value & ~intent->held[entry]) | (found & intent->held[entry]);
}
