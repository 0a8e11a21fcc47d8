/* SPDX-License-Identifier: Apache-2.0 */
/* Futexes on words shared by processes, and a lock made of one. All are usable in signal handlers. */
#ifndef PTARMIGAN_SANDBOX_FUTEX_H
#define PTARMIGAN_SANDBOX_FUTEX_H

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Sleeps while *word is value, until woken with one of bits. May return without cause. */
static inline void futex_wait_bits(_Atomic uint32_t *word, uint32_t value, uint32_t bits) {
  syscall(SYS_futex, word, FUTEX_WAIT_BITSET, value, NULL, NULL, bits);
}

/* Wakes all that wait with one of bits. 0 or a negative errno. */
static inline int futex_wake_bits(_Atomic uint32_t *word, uint32_t bits) {
  return syscall(SYS_futex, word, FUTEX_WAKE_BITSET, INT_MAX, NULL, NULL, bits) < 0 ? -errno : 0;
}

static inline void futex_wait(_Atomic uint32_t *word, uint32_t value) {
  futex_wait_bits(word, value, FUTEX_BITSET_MATCH_ANY);
}

static inline void futex_wake(_Atomic uint32_t *word) {
  futex_wake_bits(word, FUTEX_BITSET_MATCH_ANY);
}

/* 0 free, 1 held, 2 held and waited for. A holder must not be interrupted by a handler that takes the same lock. */
typedef _Atomic uint32_t futex_lock_t;

static inline void futex_lock(futex_lock_t *lock) {
  for (int spins = 0; spins < 100; spins++) {
    uint32_t unheld = 0;
    if (atomic_compare_exchange_weak_explicit(lock, &unheld, 1, memory_order_acquire, memory_order_relaxed)) {
      return;
    }
    __builtin_ia32_pause();
  }
  while (atomic_exchange_explicit(lock, 2, memory_order_acquire) != 0) {
    futex_wait(lock, 2);
  }
}

static inline void futex_unlock(futex_lock_t *lock) {
  if (atomic_exchange_explicit(lock, 0, memory_order_release) == 2) {
    futex_wake_bits(lock, FUTEX_BITSET_MATCH_ANY);
  }
}

#endif
