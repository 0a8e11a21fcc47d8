// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import picocli.CommandLine.Command;

/** Tests that go on for as long as one likes. */
@Command(
    name = "soak",
    description = "Tests that go on for as long as one likes.",
    subcommands = SoakEmulateCommand.class,
    synopsisSubcommandLabel = "COMMAND")
final class SoakCommand {}
