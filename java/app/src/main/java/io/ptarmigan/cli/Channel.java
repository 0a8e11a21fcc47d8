// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import io.ptarmigan.ring.Decisions;
import io.ptarmigan.ring.NativeWake;
import io.ptarmigan.ring.NotebookFile;
import io.ptarmigan.ring.Stream;
import io.ptarmigan.watch.Notebook;
import java.util.Map;

/** What the native side hands to the JVM that it starts: descriptors, named in the environment. */
record Channel(Stream stream, Decisions decisions, NativeWake wake, Notebook notebook) {
  private static final String STREAM = "PTARMIGAN_STREAM_FD";
  private static final String DECISIONS = "PTARMIGAN_DECISIONS_FD";
  private static final String WAKE = "PTARMIGAN_WAKE_FD";
  private static final String NOTEBOOK = "PTARMIGAN_NOTEBOOK_FD";
  private static final String GENERATION = "PTARMIGAN_GENERATION";

  /**
   * Attaches to the channel that the environment names.
   *
   * @throws IllegalStateException where a name is missing or a descriptor cannot be used
   * @throws io.ptarmigan.ring.IncompatibleLayoutException where the native side is of another kind
   */
  static Channel inherited(Map<String, String> environment) {
    Stream stream = Stream.attach(number(environment, STREAM));
    Decisions decisions =
        Decisions.attach(number(environment, DECISIONS), number(environment, GENERATION));
    return new Channel(
        stream,
        decisions,
        new NativeWake(stream, number(environment, WAKE)),
        NotebookFile.attach(number(environment, NOTEBOOK)));
  }

  private static int number(Map<String, String> environment, String name) {
    String text = environment.get(name);
    if (text == null) {
      throw new IllegalStateException(name + " is not set: this command is started by ptarmigand");
    }
    try {
      return Integer.parseUnsignedInt(text);
    } catch (NumberFormatException e) {
      throw new IllegalStateException(name + " is not a number: " + text, e);
    }
  }
}
