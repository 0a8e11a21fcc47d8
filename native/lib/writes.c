/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The write itself: each 8-byte entry is swapped from exactly what was judged to what was decided. What is swapped is
 * never taken back; a swap that finds other memory ends the round, and the rest is judged again.
 */
#include <string.h>

#include "clock.h"
#include "entries.h"
#include "memory_order.h"
#include "monitor.h"
#include "stop_points.h"

static void note_change(struct pt_vcpu *vcpu, unsigned entry, uint32_t mask, uint64_t replaced, uint64_t value) {
  struct pt_change *change = &vcpu->change;
  pt_entry_put(change->replaced, entry, replaced);
  pt_entry_put(change->bytes, entry, value);
  change->mask |= mask << (entry * PT_ENTRY_BYTES);
}

static void begin_change(struct pt_vcpu *vcpu) {
  memset(&vcpu->change, 0, sizeof vcpu->change);
  vcpu->change.gpa = vcpu->exit.gpa & ~(uint64_t)7;
}

static uint64_t *entries_of(struct pt_monitor *monitor, const struct pt_vcpu *vcpu) {
  uint8_t *page = pt_guest_page(monitor->memory, vcpu->exit.gpa >> PT_PAGE_SHIFT);
  if (!page)
    return NULL;
  return (uint64_t *)(void *)(page + (vcpu->exit.gpa & (PT_PAGE_BYTES - 1) & ~(uint64_t)7));
}

/* The bytes that are in memory now keep what they replaced: a later round computes from it. */
static void keep_done(struct pt_vcpu *vcpu) {
  uint32_t written = vcpu->change.mask;
  if (!written)
    return;
  for (unsigned i = 0; i < PT_WINDOW_BYTES; i++)
    if (written & (1u << i))
      vcpu->before[i] = vcpu->change.replaced[i];
  vcpu->done |= written;
  vcpu->partial = vcpu->decision;
}

static uint32_t window_bits(uint32_t mask, unsigned entry) {
  return mask << (entry * PT_ENTRY_BYTES);
}

/* An attempt is marked only while memory is as judged: then nobody but us made it what it is to be. */
static bool swap_one(struct pt_vcpu *vcpu, uint64_t *entry, uint64_t *expected, uint64_t value, uint32_t bits) {
  uint64_t found = pt_load_acquire(entry);
  if (found != *expected)
    return false;
  pt_intent_attempt(vcpu, bits);
  if (!pt_swap8(entry, expected, value)) {
    pt_intent_lost(vcpu, bits);
    return false;
  }
  PT_STOP("entry-swapped");
  pt_intent_done(vcpu, bits);
  return true;
}

static bool swap_two(struct pt_vcpu *vcpu, uint64_t *entries, uint64_t expected[2], const uint64_t value[2],
                     uint32_t bits) {
  if (pt_load_acquire(&entries[0]) != expected[0] || pt_load_acquire(&entries[1]) != expected[1])
    return false;
  pt_intent_attempt(vcpu, bits);
  if (!pt_swap16(entries, expected, value)) {
    pt_intent_lost(vcpu, bits);
    return false;
  }
  PT_STOP("entry-swapped");
  pt_intent_done(vcpu, bits);
  return true;
}

static bool swap_wide(struct pt_vcpu *vcpu, uint64_t *entries) {
  const struct pt_decision *decision = &vcpu->decision;
  unsigned first = (unsigned)__builtin_ctz(decision->mask) / PT_ENTRY_BYTES;
  uint64_t expected[2] = {pt_entry_get(decision->expected, first), pt_entry_get(decision->expected, first + 1)};
  uint64_t value[2] = {pt_entry_get(decision->bytes, first), pt_entry_get(decision->bytes, first + 1)};
  if (!swap_two(vcpu, entries + first, expected, value, decision->mask))
    return false;
  for (unsigned i = 0; i < 2; i++)
    note_change(vcpu, first + i, 0xFF, expected[i], value[i]);
  return true;
}

static bool swap_entries(struct pt_vcpu *vcpu, uint64_t *entries) {
  const struct pt_decision *decision = &vcpu->decision;
  for (unsigned entry = 0; entry < PT_WINDOW_ENTRIES; entry++) {
    uint32_t mask = pt_entry_mask(decision->mask, entry);
    if (!mask)
      continue;
    uint64_t expected = pt_entry_get(decision->expected, entry);
    /* Bytes done by an earlier round are shown to Java as they were before, and judged already: they stay. */
    uint32_t done = pt_entry_mask(vcpu->done, entry);
    if (done)
      expected = pt_entry_merged(expected, pt_load_acquire(&entries[entry]), done);
    uint64_t value = pt_entry_merged(expected, pt_entry_get(decision->bytes, entry), mask);
    if (!swap_one(vcpu, &entries[entry], &expected, value, window_bits(mask, entry)))
      return false;
    note_change(vcpu, entry, mask, expected, value);
  }
  return true;
}

static uint64_t denied_bits(const struct pt_monitor *monitor, const struct pt_vcpu *vcpu, unsigned entry) {
  const struct pt_frame *frame = pt_frame_find(monitor->memory, vcpu->exit.gpa >> PT_PAGE_SHIFT);
  uint64_t gpa = (vcpu->exit.gpa & ~(uint64_t)7) + entry * PT_ENTRY_BYTES;
  return frame ? pt_deny_mask(monitor->denies, frame, gpa) : 0;
}

/* What is swapped replaces exactly what was expected, so comparing these two is enough. */
bool pt_write_denied(const struct pt_monitor *monitor, const struct pt_vcpu *vcpu) {
  const struct pt_decision *decision = &vcpu->decision;
  for (unsigned entry = 0; entry < PT_WINDOW_ENTRIES; entry++) {
    uint64_t changed = pt_entry_get(decision->expected, entry) ^ pt_entry_get(decision->bytes, entry);
    changed &= pt_entry_spread(pt_entry_mask(decision->mask, entry));
    if (changed && changed & denied_bits(monitor, vcpu, entry))
      return true;
  }
  return false;
}

static void store_intent(const struct pt_monitor *monitor, struct pt_vcpu *vcpu, uint32_t mask) {
  uint64_t held[PT_WINDOW_ENTRIES] = {0};
  for (unsigned entry = 0; entry < PT_WINDOW_ENTRIES; entry++)
    if (pt_entry_mask(mask, entry))
      held[entry] = denied_bits(monitor, vcpu, entry);
  pt_intent_store(vcpu, PT_INTENT_WRITE, mask, held);
}

bool pt_write_apply(struct pt_monitor *monitor, struct pt_vcpu *vcpu) {
  begin_change(vcpu);
  store_intent(monitor, vcpu, vcpu->decision.mask);
  PT_STOP("intent-stored");
  if (!vcpu->decision.mask) {
    vcpu->swapped_ns = vcpu->collected_ns;
    return true;
  }
  uint64_t *entries = entries_of(monitor, vcpu);
  bool wide = vcpu->decision.flags & PT_DECISION_WIDE;
  bool swapped = entries && (wide ? swap_wide(vcpu, entries) : swap_entries(vcpu, entries));
  vcpu->swapped_ns = pt_now_ns();
  if (!swapped) {
    pt_count(&monitor->counters->swap_conflicts, 1);
    keep_done(vcpu);
    return false;
  }
  PT_STOP("swapped");
  pt_intent_swapped(vcpu);
  PT_STOP("swap-marked");
  return true;
}

static void note_held_back(struct pt_vcpu *vcpu, unsigned entry, uint64_t bits, uint64_t value) {
  struct pt_change *held = &vcpu->held_back;
  held->gpa = vcpu->change.gpa;
  pt_entry_put(held->replaced, entry, value);
  pt_entry_put(held->bytes, entry, value);
  for (unsigned i = 0; i < PT_ENTRY_BYTES; i++)
    if (bits >> (i * 8) & 0xFF)
      held->mask |= 1u << (entry * PT_ENTRY_BYTES + i);
}

void pt_write_force(struct pt_monitor *monitor, struct pt_vcpu *vcpu) {
  uint32_t rest = vcpu->partial.mask & ~vcpu->done;
  uint64_t *entries = entries_of(monitor, vcpu);
  begin_change(vcpu);
  vcpu->decision = vcpu->partial;
  store_intent(monitor, vcpu, rest);
  for (unsigned entry = 0; entries && entry < PT_WINDOW_ENTRIES; entry++) {
    uint32_t mask = pt_entry_mask(rest, entry);
    if (!mask)
      continue;
    uint64_t wanted, value, denied = denied_bits(monitor, vcpu, entry), found = pt_load_acquire(&entries[entry]);
    do {
      wanted = pt_entry_merged(found, pt_entry_get(vcpu->partial.bytes, entry), mask);
      value = (wanted & ~denied) | (found & denied);
    } while (!pt_swap8(&entries[entry], &found, value));
    pt_intent_done(vcpu, window_bits(mask, entry));
    note_change(vcpu, entry, mask, found, value);
    if (wanted != value)
      note_held_back(vcpu, entry, wanted ^ value, value);
  }
  pt_intent_swapped(vcpu);
  vcpu->swapped_ns = pt_now_ns();
}
