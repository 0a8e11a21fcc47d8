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
      double best = 0;
      for (int round = 0; round < ROUNDS; round++) {
        best = Math.max(best, feed.exitsPerSecond(ROUND_NANOS));
      }
      feed.end();
      report(best);
      return monitor.deciderCounters().failures() == 0 ? 0 : 1;
    }
  }

  private void report(double exitsPerSecond) {
    PrintWriter output = spec.commandLine().getOut();
    String text =
        json
            ? "{\"exits_per_s\":%.0f,\"ns_per_exit\":%.1f}%n"
            : "%.0f exits a second, %.1f ns each (best of " + ROUNDS + " seconds)%n";
    output.printf(Locale.ROOT, text, exitsPerSecond, 1e9 / exitsPerSecond);
    output.flush();
  }
}
