// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.stress;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Hands out places in shared buffers, one per test state, in turn. More than jcstress keeps alive
 * at once, so that no two states meet.
 */
final class Places {
  static final int COUNT = 1 << 15;

  private final AtomicInteger next = new AtomicInteger();

  int take() {
    return next.getAndIncrement() & (COUNT - 1);
  }
}
