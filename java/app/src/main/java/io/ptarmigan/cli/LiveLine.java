// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import io.ptarmigan.abi.Counter;
import io.ptarmigan.observe.Share;
import io.ptarmigan.watch.WriteCounters;
import java.io.PrintStream;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import org.HdrHistogram.Histogram;

/** One line a second about what happened since the line before. */
final class LiveLine {
  private static final Counter[] LADDER = {
    Counter.EMULATED,
    Counter.DENIED,
    Counter.STEPPED,
    Counter.HV_EMULATED,
    Counter.FAIL_POLICY,
    Counter.LATE_DENIED
  };

  private final PrintStream output;
  private final Map<Counter, Long> before = new EnumMap<>(Counter.class);
  private double secondsBefore;
  private long planHitsBefore;
  private long planMissesBefore;

  LiveLine(PrintStream output) {
    this.output = output;
    for (Counter counter : Counter.values()) {
      before.put(counter, 0L);
    }
  }

  void print(Run run, Map<Share, Histogram> interval) {
    Map<Counter, Long> since = new EnumMap<>(Counter.class);
    for (Counter counter : Counter.values()) {
      long now = run.stream.counter(counter);
      since.put(counter, now - before.put(counter, now));
    }
    double seconds = run.seconds();
    StringBuilder text = new StringBuilder();
    append(
        text,
        "%4.0f s %7.0f exits/s |",
        seconds,
        since.get(Counter.EXITS) / (seconds - secondsBefore));
    secondsBefore = seconds;
    interval.forEach((share, histogram) -> appendShare(text, share, histogram));
    text.append(" us |");
    appendCaches(text, run, since);
    append(text, " watched changes %d |", run.monitor.writeCounters().get(WriteCounters.CHANGES));
    for (Counter rung : LADDER) {
      append(text, " %s %d", rung.field(), since.get(rung));
    }
    output.println(text);
  }

  private static void appendShare(StringBuilder text, Share share, Histogram histogram) {
    append(
        text,
        " %s %.1f/%.1f/%.1f",
        share.text(),
        histogram.getValueAtPercentile(50) / 1e3,
        histogram.getValueAtPercentile(99) / 1e3,
        histogram.getValueAtPercentile(99.9) / 1e3);
  }

  private void appendCaches(StringBuilder text, Run run, Map<Counter, Long> since) {
    long hits = run.plans.hits();
    long misses = run.plans.misses();
    append(
        text,
        " cache hits: plans %.2f%%, pages %.2f%% |",
        percent(hits - planHitsBefore, misses - planMissesBefore),
        percent(since.get(Counter.PAGE_CACHE_HITS), since.get(Counter.PAGE_CACHE_MISSES)));
    planHitsBefore = hits;
    planMissesBefore = misses;
  }

  private static double percent(long hits, long misses) {
    return hits + misses == 0 ? 100 : 100.0 * hits / (hits + misses);
  }

  private static void append(StringBuilder text, String format, Object... values) {
    text.append(String.format(Locale.ROOT, format, values));
  }
}
