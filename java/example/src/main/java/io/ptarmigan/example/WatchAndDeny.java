// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.example;

import io.ptarmigan.api.Bits;
import io.ptarmigan.api.Monitor;
import io.ptarmigan.api.Plugin;
import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.TranslationListener;
import io.ptarmigan.api.Verdict;
import java.io.PrintStream;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Watches one address, prints how its translation changes, and vetoes the first attempt to map it
 * to another frame. The system properties {@code watch.cr3} and {@code watch.va} say which, decimal
 * or with {@code 0x}.
 */
public final class WatchAndDeny implements Plugin {
  private final PrintStream out;

  public WatchAndDeny() {
    this(System.out);
  }

  WatchAndDeny(PrintStream out) {
    this.out = out;
  }

  @Override
  public void start(Monitor monitor) {
    monitor.watches().watch(property("watch.cr3"), property("watch.va"), Bits.DEFAULT, new Guard());
  }

  private static long property(String name) {
    String text = System.getProperty(name);
    if (text == null) {
      throw new IllegalArgumentException("the system property " + name + " is not set");
    }
    return text.startsWith("0x")
        ? Long.parseUnsignedLong(text.substring(2), 16)
        : Long.parseUnsignedLong(text);
  }

  private final class Guard implements TranslationListener {
    private final AtomicBoolean denied = new AtomicBoolean();

    /** While a virtual CPU waits: compares numbers and returns, prints nothing. */
    @Override
    public Verdict before(TranslationChange proposed) {
      boolean moves =
          proposed.oldFrame() >= 0
              && proposed.newFrame() >= 0
              && proposed.oldFrame() != proposed.newFrame();
      return moves && denied.compareAndSet(false, true) ? Verdict.DENY : Verdict.ALLOW;
    }

    /** On the observer thread: may take its time. */
    @Override
    public void changed(TranslationChange change) {
      out.println(change);
    }
  }
}
