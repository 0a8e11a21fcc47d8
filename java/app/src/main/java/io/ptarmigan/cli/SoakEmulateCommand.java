// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import io.ptarmigan.proof.Campaign;
import io.ptarmigan.proof.Coverage;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Compares the emulator with the processor on random cases for as long as one likes. */
@Command(
    name = "emulate",
    mixinStandardHelpOptions = true,
    description = {
      "Runs random instructions through the emulator and on the processor and compares.",
      "Prints progress and seed; ends at the first case that differs, made small, with status 1."
    })
public final class SoakEmulateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--hours",
      paramLabel = "N",
      description = "How long; until interrupted if left out.")
  private double hours = Double.POSITIVE_INFINITY;

  @Option(names = "--cases", paramLabel = "N", description = "At most so many cases.")
  private long cases = Long.MAX_VALUE;

  @Option(names = "--seed", paramLabel = "N", description = "Random if left out.")
  private long seed = System.nanoTime() & 0xffff_ffffL;

  @Option(names = "--oracle", paramLabel = "FILE", required = true, description = "Native runner.")
  private Path oracle;

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter output = spec.commandLine().getOut();
    int workers = Math.max(1, Runtime.getRuntime().availableProcessors() - 1);
    Campaign campaign = new Campaign(oracle, seed, workers);
    output.printf("seed %d, %d workers%n", seed, workers);
    long begin = System.nanoTime();
    long nanos = (long) Math.min(hours * TimeUnit.HOURS.toNanos(1), Long.MAX_VALUE / 4.0);
    Coverage coverage = campaign.run(cases, nanos, done -> progress(output, done, begin));
    output.print(coverage.matrix());
    progress(output, campaign.cases(), begin);
    if (campaign.mismatch() == null) {
      output.println("no mismatch");
      return 0;
    }
    output.println("MISMATCH " + campaign.mismatch());
    return 1;
  }

  private void progress(PrintWriter output, long done, long begin) {
    double seconds = (System.nanoTime() - begin) / 1e9;
    output.printf(
        "%d cases in %.0f s, %.0f a second, seed %d%n", done, seconds, done / seconds, seed);
    output.flush();
  }
}
