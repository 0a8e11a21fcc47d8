// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;

/** The commands that run in the JVM. */
@Command(
    name = "ptarmigan",
    description = "Page-table introspection.",
    subcommands = {
      MonitorCommand.class,
      BenchConsumerCommand.class,
      EmulateCommand.class,
      ReplayCommand.class,
      DumpCommand.class,
      SoakCommand.class,
      HelpCommand.class
    },
    synopsisSubcommandLabel = "COMMAND")
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    System.exit(new CommandLine(new Main()).execute(arguments));
  }
}
