/* SPDX-License-Identifier: Apache-2.0 */
/* A window of memory as 8-byte entries, and parts of an entry by byte mask. */
#ifndef PTARMIGAN_ENTRIES_H
#define PTARMIGAN_ENTRIES_H

#include <stdint.h>
#include <string.h>

#include "ptarmigan/abi.h"

#define PT_ENTRY_BYTES 8
#define PT_WINDOW_ENTRIES (PT_WINDOW_BYTES / PT_ENTRY_BYTES)

/* The bytes of a window's mask that lie in that entry. */
static inline uint32_t pt_entry_mask(uint32_t mask, unsigned entry) {
  return mask >> (entry * PT_ENTRY_BYTES) & 0xFFu;
}

/* Bit n of mask becomes byte n, 0xFF or 0. */
static inline uint64_t pt_entry_spread(uint32_t mask) {
  uint64_t bytes = 0;
  for (unsigned i = 0; i < PT_ENTRY_BYTES; i++)
    if (mask & (1u << i))
      bytes |= (uint64_t)0xFF << (i * 8);
  return bytes;
}

static inline uint64_t pt_entry_get(const uint8_t *window, unsigned entry) {
  uint64_t value;
  memcpy(&value, window + entry * PT_ENTRY_BYTES, sizeof value);
  return value;
}

static inline void pt_entry_put(uint8_t *window, unsigned entry, uint64_t value) {
  memcpy(window + entry * PT_ENTRY_BYTES, &value, sizeof value);
}

/* old with the bytes under mask taken from value. */
static inline uint64_t pt_entry_merged(uint64_t old, uint64_t value, uint32_t mask) {
  uint64_t written = pt_entry_spread(mask);
  return (old & ~written) | (value & written);
}

#endif
