// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import io.ptarmigan.api.Monitor;
import io.ptarmigan.api.Plugin;
import java.util.List;

/** Places the watches of the command line and prints some of what they see. */
final class Watching implements Plugin {
  private final List<NamedWatch> watches;
  private final ChangePrinter printer;

  Watching(List<NamedWatch> watches, ChangePrinter printer) {
    this.watches = watches;
    this.printer = printer;
  }

  @Override
  public void start(Monitor monitor) {
    for (NamedWatch watch : watches) {
      watch.rule().place(monitor.watches(), change -> printer.changed(watch.name(), change));
    }
  }
}
