// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import io.ptarmigan.api.Bits;
import io.ptarmigan.api.TranslationListener;
import io.ptarmigan.api.Watch;
import io.ptarmigan.api.Watches;
import io.ptarmigan.paging.EntryFormat;
import java.util.Objects;

/** Checks what users ask for, on their threads, before it is left for the decider. */
final class WatchPlacing implements Watches {
  private final EntryFormat format;
  private final WatchRequests requests;

  WatchPlacing(EntryFormat format, WatchRequests requests) {
    this.format = format;
    this.requests = requests;
  }

  @Override
  public Watch watch(long cr3, long address, Bits bits, TranslationListener listener) {
    return place(cr3, address, bits, false, listener);
  }

  @Override
  public Watch deny(long cr3, long address, Bits bits, TranslationListener listener) {
    if (bits.mask() == 0) {
      throw new IllegalArgumentException("no bits to deny");
    }
    return place(cr3, address, bits, true, listener);
  }

  private Watch place(
      long cr3, long address, Bits bits, boolean denies, TranslationListener listener) {
    Objects.requireNonNull(listener, "listener");
    long root = format.rootAddress(cr3);
    if (!format.canonical(address)) {
      throw new IllegalArgumentException(String.format("0x%x is not canonical", address));
    }
    if (!format.physical(root)) {
      throw new IllegalArgumentException(String.format("no table can be at 0x%x", root));
    }
    PathWatch watch =
        new PathWatch(requests, cr3, root, address, bits, denies, listener, format.levels());
    if (!requests.place(watch)) {
      throw new IllegalStateException(
          WatchRequests.MOST_WAITING + " watches wait to be placed already");
    }
    return watch;
  }
}
