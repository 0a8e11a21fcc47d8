// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import com.fasterxml.jackson.jr.ob.JSON;
import io.ptarmigan.abi.Counter;
import io.ptarmigan.observe.Share;
import io.ptarmigan.watch.WriteCounters;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.HdrHistogram.Histogram;

/** What came of a run: all numbers by name, and what is wrong with them. */
final class Summary {
  private final Map<String, Object> values = new LinkedHashMap<>();
  private final List<String> faults = new ArrayList<>();

  /**
   * Draws up the account.
   *
   * @param guest the guest's own account; empty where it gives none
   */
  Summary(Run run, Optional<SandboxFiles.Result> guest) {
    for (Counter counter : Counter.values()) {
      values.put(counter.field(), run.stream.counter(counter));
    }
    values.put("deadline_ns", run.stream.deadlineNanos());
    values.put("watch_events", run.monitor.changes());
    values.put("resync", run.monitor.resyncs());
    addGuest(guest);
    addJava(run);
    addLatencies(run.whole);
    values.put("seconds", Math.round(run.seconds() * 1e3) / 1e3);
    values.put("exits_per_s", Math.round(run.exits() / run.seconds()));
    if (!run.drained()) {
      faults.add("a handler did not reach the end of the stream");
    }
    require("replies", number("exits"), "not every exit has one reply");
    require("lost", 0, "exits or stores are lost");
    require("deny_rules_refused", 0, "deny rules are not in force");
    require("guest_mismatches", 0, "the guest can tell that it is watched");
  }

  private void addGuest(Optional<SandboxFiles.Result> guest) {
    long lost = number("exits") - number("replies");
    values.put("guest_stores", null);
    values.put("guest_mismatches", null);
    if (guest.isPresent()) {
      SandboxFiles.Result result = guest.get();
      values.put("guest_stores", result.stores());
      values.put("guest_mismatches", result.mismatches());
      values.put("walker_ad", result.walkerUpdates());
      lost += Math.abs(result.stores() - number("stores"));
    }
    values.put("lost", lost);
  }

  private void addJava(Run run) {
    values.put("journal_lost", run.monitor.recordsLost());
    OptionalDouble allocated = run.allocations().bytesPerExit();
    values.put(
        "alloc_bytes_per_exit", allocated.isPresent() ? tidy(allocated.getAsDouble()) : null);
    values.put("jvm_gc_count", run.collectionsSinceStart());
    values.put("changes_dropped", run.monitor.changesDropped());
    values.put("watches_unnoted", run.monitor.writeCounters().get(WriteCounters.UNNOTED));
    values.put("decider_failures", run.monitor.deciderCounters().failures());
    values.put("deny_rules_refused", run.monitor.writeCounters().get(WriteCounters.RULES_REFUSED));
    values.put("interrupt_like", run.monitor.deciderCounters().interruptLike());
    values.put("plan_hits", run.plans.hits());
    values.put("plan_misses", run.plans.misses());
  }

  /** Nothing at all is the number 0, and only that. */
  private static Number tidy(double bytes) {
    if (bytes == 0) {
      return 0;
    }
    return bytes;
  }

  private void addLatencies(Map<Share, Histogram> latencies) {
    latencies.forEach(
        (share, histogram) ->
            values.put(share.text() + "_p50_ns", histogram.getValueAtPercentile(50)));
    Histogram total = latencies.get(Share.TOTAL);
    values.put("total_p99_ns", total.getValueAtPercentile(99));
    values.put("total_p999_ns", total.getValueAtPercentile(99.9));
  }

  private long number(String name) {
    return ((Number) values.get(name)).longValue();
  }

  private void require(String name, long expected, String fault) {
    if (values.get(name) != null && number(name) != expected) {
      faults.add(fault + ": " + name + " is " + values.get(name) + ", not " + expected);
    }
  }

  /** Adds to what is wrong. */
  void fault(String fault) {
    faults.add(fault);
  }

  /** Sentences about what is wrong; empty for a good run. */
  List<String> faults() {
    return faults;
  }

  /** One object on one line. */
  void printJson(PrintStream output) throws IOException {
    output.println(JSON.std.with(JSON.Feature.WRITE_NULL_PROPERTIES).asString(values));
  }

  void printWords(PrintStream output) {
    values.forEach(
        (name, value) ->
            output.println(
                String.format(
                    Locale.ROOT, "  %-22s %s", name, value == null ? "not known" : value)));
  }
}
