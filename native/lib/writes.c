/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The write itself: each 8-byte entry is swapped from exactly what was judged to what was decided. What is swapped is
 * never taken back; a swap that finds other memory ends the round, and the rest is judged again.
 */
#include <string.h>

#include "clock.h"
#include "memory_order.h"
#include "monitor.h"

#define ENTRY_BYTES 8
#define WINDOW_ENTRIES (PT_WINDOW_BYTES / ENTRY_BYTES)

static uint32_t entry_mask(uint32_t mask, unsigned entry) {
  return mask >> (entry * ENTRY_BYTES) & 0xFFu;
}

/* Bit n of mask becomes byte n, 0xFF or 0. */
static uint64_t spread(uint32_t mask) {
  uint64_t bytes = 0;
  for (unsigned i = 0; i < ENTRY_BYTES; i++)
    if (mask & (1u << i))
      bytes |= (uint64_t)0xFF << (i * 8);
  return bytes;
}

static uint64_t get_entry(const uint8_t *window, unsigned entry) {
  uint64_t value;
  memcpy(&value, window + entry * ENTRY_BYTES, sizeof value);
  return value;
}

static void put_entry(uint8_t *window, unsigned entry, uint64_t value) {
  memcpy(window + entry * ENTRY_BYTES, &value, sizeof value);
}

static uint64_t merged(uint64_t old, uint64_t value, uint32_t mask) {
  uint64_t written = spread(mask);
  return (old & ~written) | (value & written);
}

static void note_change(struct pt_vcpu *vcpu, unsigned entry, uint32_t mask, uint64_t replaced, uint64_t value) {
  struct pt_change *change = &vcpu->change;
  put_entry(change->replaced, entry, replaced);
  put_entry(change->bytes, entry, value);
  change->mask |= mask << (entry * ENTRY_BYTES);
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

static bool swap_wide(struct pt_vcpu *vcpu, uint64_t *entries) {
  const struct pt_decision *decision = &vcpu->decision;
  unsigned first = (unsigned)__builtin_ctz(decision->mask) / ENTRY_BYTES;
  uint64_t expected[2] = {get_entry(decision->expected, first), get_entry(decision->expected, first + 1)};
  uint64_t value[2] = {get_entry(decision->bytes, first), get_entry(decision->bytes, first + 1)};
  if (!pt_swap16(entries + first, expected, value))
    return false;
  for (unsigned i = 0; i < 2; i++)
    note_change(vcpu, first + i, 0xFF, expected[i], value[i]);
  return true;
}

static bool swap_entries(struct pt_vcpu *vcpu, uint64_t *entries) {
  const struct pt_decision *decision = &vcpu->decision;
  for (unsigned entry = 0; entry < WINDOW_ENTRIES; entry++) {
    uint32_t mask = entry_mask(decision->mask, entry);
    if (!mask)
      continue;
    uint64_t expected = get_entry(decision->expected, entry);
    /* Bytes done by an earlier round are shown to Java as they were before, and judged already: they stay. */
    uint32_t done = entry_mask(vcpu->done, entry);
    if (done)
      expected = merged(expected, pt_load_acquire(&entries[entry]), done);
    uint64_t value = merged(expected, get_entry(decision->bytes, entry), mask);
    if (!pt_swap8(&entries[entry], &expected, value))
      return false;
    note_change(vcpu, entry, mask, expected, value);
  }
  return true;
}

static uint64_t denied_bits(const struct pt_monitor *monitor, const struct pt_vcpu *vcpu, unsigned entry) {
  const struct pt_frame *frame = pt_frame_find(monitor->memory, vcpu->exit.gpa >> PT_PAGE_SHIFT);
  uint64_t gpa = (vcpu->exit.gpa & ~(uint64_t)7) + entry * ENTRY_BYTES;
  return frame ? pt_deny_mask(monitor->denies, frame, gpa) : 0;
}

/* What is swapped replaces exactly what was expected, so comparing these two is enough. */
bool pt_write_denied(const struct pt_monitor *monitor, const struct pt_vcpu *vcpu) {
  const struct pt_decision *decision = &vcpu->decision;
  for (unsigned entry = 0; entry < WINDOW_ENTRIES; entry++) {
    uint64_t changed = get_entry(decision->expected, entry) ^ get_entry(decision->bytes, entry);
    changed &= spread(entry_mask(decision->mask, entry));
    if (changed && changed & denied_bits(monitor, vcpu, entry))
      return true;
  }
  return false;
}

bool pt_write_apply(struct pt_monitor *monitor, struct pt_vcpu *vcpu) {
  begin_change(vcpu);
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
  }
  return swapped;
}

static void note_held_back(struct pt_vcpu *vcpu, unsigned entry, uint64_t bits, uint64_t value) {
  struct pt_change *held = &vcpu->held_back;
  held->gpa = vcpu->change.gpa;
  put_entry(held->replaced, entry, value);
  put_entry(held->bytes, entry, value);
  for (unsigned i = 0; i < ENTRY_BYTES; i++)
    if (bits >> (i * 8) & 0xFF)
      held->mask |= 1u << (entry * ENTRY_BYTES + i);
}

void pt_write_force(struct pt_monitor *monitor, struct pt_vcpu *vcpu) {
  uint32_t rest = vcpu->partial.mask & ~vcpu->done;
  uint64_t *entries = entries_of(monitor, vcpu);
  begin_change(vcpu);
  vcpu->decision = vcpu->partial;
  for (unsigned entry = 0; entries && entry < WINDOW_ENTRIES; entry++) {
    uint32_t mask = entry_mask(rest, entry);
    if (!mask)
      continue;
    uint64_t wanted, value, denied = denied_bits(monitor, vcpu, entry), found = pt_load_acquire(&entries[entry]);
    do {
      wanted = merged(found, get_entry(vcpu->partial.bytes, entry), mask);
      value = (wanted & ~denied) | (found & denied);
    } while (!pt_swap8(&entries[entry], &found, value));
    note_change(vcpu, entry, mask, found, value);
    if (wanted != value)
      note_held_back(vcpu, entry, wanted ^ value, value);
  }
  vcpu->swapped_ns = pt_now_ns();
}
