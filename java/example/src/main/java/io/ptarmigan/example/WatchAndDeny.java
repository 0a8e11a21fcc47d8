// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.example;

import io.ptarmigan.api.Bits;
import io.ptarmigan.api.Monitor;
import io.ptarmigan.api.Plugin;
import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.TranslationListener;
import java.io.PrintStream;

/**
 * Prints how the translation of one address changes, and keeps the right to write to another as it
 * is, at every level of its path. The system properties {@code watch.cr3}, {@code watch.va} and
 * {@code deny.va} say which, decimal or with {@code 0x}; without {@code deny.va} nothing is denied.
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
    long cr3 = property("watch.cr3");
    monitor.watches().watch(cr3, property("watch.va"), Bits.DEFAULT, out::println);
    if (System.getProperty("deny.va") != null) {
      monitor.watches().deny(cr3, property("deny.va"), Bits.RW, new Alarm());
    }
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

  /** Both are called on the observer thread, which may take its time. */
  private final class Alarm implements TranslationListener {
    @Override
    public void denied(TranslationChange attempt) {
      out.println(attempt);
    }

    @Override
    public void changed(TranslationChange change) {
      out.println(change);
    }
  }
}
