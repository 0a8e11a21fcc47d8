/* SPDX-License-Identifier: Apache-2.0 */
/* Every access to memory that another process or thread changes goes through one of these. */
#ifndef PTARMIGAN_MEMORY_ORDER_H
#define PTARMIGAN_MEMORY_ORDER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define pt_load_relaxed(pointer) __atomic_load_n((pointer), __ATOMIC_RELAXED)
#define pt_load_acquire(pointer) __atomic_load_n((pointer), __ATOMIC_ACQUIRE)
#define pt_store_relaxed(pointer, value) __atomic_store_n((pointer), (value), __ATOMIC_RELAXED)
#define pt_store_release(pointer, value) __atomic_store_n((pointer), (value), __ATOMIC_RELEASE)

static inline void pt_fence_acquire(void) {
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
}

static inline void pt_fence_release(void) {
  __atomic_thread_fence(__ATOMIC_RELEASE);
}

/* Between "publish" and "is the other side asleep?", and between "I sleep" and "is there work?". */
static inline void pt_fence_full(void) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* One writer only: no locked instruction needed. */
static inline void pt_count(uint64_t *counter, uint64_t amount) {
  pt_store_relaxed(counter, pt_load_relaxed(counter) + amount);
}

/* Swaps 8 aligned bytes; on failure *expected is what was found. */
static inline bool pt_swap8(uint64_t *entry, uint64_t *expected, uint64_t value) {
  return __atomic_compare_exchange_n(entry, expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Swaps 16 bytes aligned to 16 (CMPXCHG16B); on failure expected is what was found. */
static inline bool pt_swap16(uint64_t *entry, uint64_t expected[2], const uint64_t value[2]) {
  bool swapped;
  __asm__ volatile("lock cmpxchg16b %1"
                   : "=@ccz"(swapped), "+m"(*(uint64_t(*)[2])entry), "+a"(expected[0]), "+d"(expected[1])
                   : "b"(value[0]), "c"(value[1])
                   : "memory");
  return swapped;
}

static inline void pt_spin_hint(void) {
  __builtin_ia32_pause();
}

#endif
