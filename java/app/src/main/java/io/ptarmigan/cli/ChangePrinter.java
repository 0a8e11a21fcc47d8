// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import io.ptarmigan.api.TranslationChange;
import java.io.PrintStream;

/** Prints some of the changes, a few a second. On the observer's thread. */
final class ChangePrinter {
  private static final int LINES_PER_SECOND = 3;
  private static final long SECOND_NANOS = 1_000_000_000;

  private final PrintStream output;
  private long secondBegan = System.nanoTime();
  private int printed;

  ChangePrinter(PrintStream output) {
    this.output = output;
  }

  void changed(String name, TranslationChange change) {
    long now = System.nanoTime();
    if (now - secondBegan >= SECOND_NANOS) {
      secondBegan = now;
      printed = 0;
    }
    if (printed < LINES_PER_SECOND) {
      printed++;
      output.println("  " + name + ": " + change);
    }
  }
}
