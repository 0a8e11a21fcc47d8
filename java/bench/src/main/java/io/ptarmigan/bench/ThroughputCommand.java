// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.bench;

import io.ptarmigan.monitor.GuestMonitor;
import io.ptarmigan.monitor.GuestMonitorBuilder;
import io.ptarmigan.monitor.Rehearsal;
import io.ptarmigan.ring.WaitTimes;
import io.ptarmigan.x86.Emulator;
import io.ptarmigan.x86.IcedDecoder;
import io.ptarmigan.x86.PlanCache;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Exits a second through barrier, emulator, write processing and decision, on one consumer. */
@Command(
    name = "throughput",
    mixinStandardHelpOptions = true,
    description = {
      "Exits a second through the whole Java path on one consumer thread.",
      "Prebuilt exits and their outcomes, published by a second thread as fast as it can."
    })
final class ThroughputCommand implements Callable<Integer> {
  private static final int PLANS = 4096;
  private static final int REHEARSED = 300_000;
  private static final int ROUNDS = 5;
  private static final long SPIN_NANOS = 2_000;
  private static final long ROUND_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** The consumer waits for the feed now and then; falling asleep is not what is measured. */
  private static final WaitTimes AWAKE = new WaitTimes(SPIN_NANOS, ROUND_NANOS);

  @Spec private CommandSpec spec;

  @Option(names = "--json", description = "One JSON object.")
  private boolean json;

  @Override
  public Integer call() {
    Emulator emulator = new Emulator(new PlanCache(new IcedDecoder(), PLANS));
    Rehearsal.run(emulator, REHEARSED);
    ExitFeed feed = new ExitFeed();
    GuestMonitorBuilder builder =
        new GuestMonitorBuilder(feed.stream(), feed.decisions(), feed.wake())
            .emulator(emulator)
            .waitTimes(AWAKE);
    try (GuestMonitor monitor = builder.build()) {
      monitor.start();
      double[] rounds = new double[ROUNDS];
      for (int round = 0; round < ROUNDS; round++) {
        rounds[round] = feed.exitsPerSecond(ROUND_NANOS);
      }
      feed.end();
      Arrays.sort(rounds);
      report(rounds[0], rounds[ROUNDS / 2], rounds[ROUNDS - 1]);
      return monitor.deciderCounters().failures() == 0 ? 0 : 1;
    }
  }

  private void report(double least, double median, double most) {
    PrintWriter output = spec.commandLine().getOut();
    String text =
        json
            ? "{\"exits_per_s\":%.0f,\"exits_per_s_min\":%.0f,\"exits_per_s_max\":%.0f}%n"
            : "%.0f exits a second (%.0f to %.0f): median, minimum and maximum of "
                + ROUNDS
                + " seconds%n";
    output.printf(Locale.ROOT, text, median, least, most);
    output.flush();
  }
}
