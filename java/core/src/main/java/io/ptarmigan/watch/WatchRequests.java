// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Hands watches that any thread asks for, or closes, over to the decider: a lock-free stack that
 * the decider takes whole and turns round. Bounded, since watches waiting to be placed are counted
 * and each is closed once.
 */
final class WatchRequests {
  static final int MOST_WAITING = 1 << 18;

  private static final class Request {
    final PathWatch watch;
    final boolean place;
    Request next;

    Request(PathWatch watch, boolean place) {
      this.watch = watch;
      this.place = place;
    }
  }

  private final Runnable wake;
  private final AtomicReference<Request> newest = new AtomicReference<>();
  private final AtomicInteger waiting = new AtomicInteger();

  /**
   * @param wake called after a request was left, on the thread that left it
   */
  WatchRequests(Runnable wake) {
    this.wake = wake;
  }

  /** Asks for a watch to be placed; false if too many wait already. */
  boolean place(PathWatch watch) {
    if (waiting.incrementAndGet() > MOST_WAITING) {
      waiting.decrementAndGet();
      return false;
    }
    push(new Request(watch, true));
    return true;
  }

  /** Asks for a watch to be removed. Once per watch. */
  void remove(PathWatch watch) {
    push(new Request(watch, false));
  }

  private void push(Request request) {
    Request before;
    do {
      before = newest.get();
      request.next = before;
    } while (!newest.compareAndSet(before, request));
    wake.run();
  }

  boolean isEmpty() {
    return newest.get() == null;
  }

  /** Carries out what was asked for, oldest first. On the decider thread. */
  void drainTo(Paths paths) {
    if (newest.get() == null) {
      return;
    }
    Request request = reversed(newest.getAndSet(null));
    while (request != null) {
      if (request.place) {
        waiting.decrementAndGet();
        paths.place(request.watch);
      } else {
        paths.remove(request.watch);
      }
      request = request.next;
    }
  }

  private static Request reversed(Request newest) {
    Request oldest = null;
    while (newest != null) {
      Request rest = newest.next;
      newest.next = oldest;
      oldest = newest;
      newest = rest;
    }
    return oldest;
  }
}
