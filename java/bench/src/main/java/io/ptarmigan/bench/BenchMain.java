// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.bench;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;

/** The benchmarks that run in the JVM alone. */
@Command(
    name = "ptarmigan bench",
    description = "Benchmarks.",
    subcommands = {EmulateCommand.class, ThroughputCommand.class, HelpCommand.class},
    synopsisSubcommandLabel = "COMMAND")
public final class BenchMain {
  private BenchMain() {}

  public static void main(String[] arguments) {
    System.exit(new CommandLine(new BenchMain()).execute(arguments));
  }
}
