// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.jr.ob.JSON;
import io.ptarmigan.abi.Counter;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.monitor.GuestMonitor;
import io.ptarmigan.monitor.GuestMonitorBuilder;
import io.ptarmigan.observe.LatencyHandler;
import io.ptarmigan.ring.StreamProducer;
import io.ptarmigan.x86.Emulator;
import io.ptarmigan.x86.IcedDecoder;
import io.ptarmigan.x86.PlanCache;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SummaryTest {
  /** What every report of a run names. */
  private static final Set<String> NAMES =
      Set.of(
          "exits",
          "replies",
          "emulated",
          "denied",
          "late_denied",
          "held",
          "deny_rules_refused",
          "stepped",
          "hv_emulated",
          "fail_policy",
          "timed_out",
          "retried",
          "swap_conflicts",
          "relevant",
          "walker_ad",
          "watch_events",
          "guest_stores",
          "lost",
          "guest_mismatches",
          "journal_lost",
          "alloc_bytes_per_exit",
          "jvm_gc_count",
          "native_p50_ns",
          "ring_p50_ns",
          "java_p50_ns",
          "reply_p50_ns",
          "total_p50_ns",
          "total_p99_ns",
          "total_p999_ns",
          "exits_per_s");

  private final StreamProducer producer = new StreamProducer();

  @BeforeEach
  void aGoodRun() {
    producer.counter(Counter.EXITS, 100);
    producer.counter(Counter.REPLIES, 100);
    producer.counter(Counter.STORES, 120);
  }

  private Summary summary(Optional<SandboxFiles.Result> guest) throws InterruptedException {
    PlanCache plans = new PlanCache(new IcedDecoder(), 8);
    LatencyHandler latencies = new LatencyHandler();
    GuestMonitorBuilder builder =
        new GuestMonitorBuilder(producer.stream(), producer.decisions(), producer.wake())
            .emulator(new Emulator(plans))
            .follower("latencies", latencies);
    try (GuestMonitor monitor = builder.build()) {
      monitor.start();
      producer.state(Native.PT_STATE_ENDED);
      LiveLine line = new LiveLine(System.out);
      Run run = new Run(producer.stream(), monitor, plans, latencies, line);
      run.follow();
      return new Summary(run, guest);
    }
  }

  private static Optional<SandboxFiles.Result> guest(long stores, long mismatches) {
    return Optional.of(new SandboxFiles.Result(stores, mismatches, 9));
  }

  private static Map<String, Object> json(Summary summary) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    summary.printJson(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    List<String> lines = bytes.toString(StandardCharsets.UTF_8).lines().toList();
    assertEquals(1, lines.size());
    return JSON.std.mapFrom(lines.get(0));
  }

  @Test
  void everyNumberHasItsName() throws Exception {
    Map<String, Object> values = json(summary(guest(120, 0)));
    assertTrue(values.keySet().containsAll(NAMES), () -> values.keySet().toString());
    assertEquals(100, values.get("exits"));
    assertEquals(120, values.get("guest_stores"));
    assertEquals(9, values.get("walker_ad"));
    assertEquals(0, values.get("lost"));
  }

  @Test
  void aGoodRunHasNoFault() throws Exception {
    assertEquals(List.of(), summary(guest(120, 0)).faults());
  }

  @Test
  void anExitWithoutReplyIsAFault() throws Exception {
    producer.counter(Counter.REPLIES, 99);
    Summary summary = summary(guest(120, 0));
    assertEquals(1, json(summary).get("lost"));
    assertEquals(2, summary.faults().size());
  }

  @Test
  void aStoreMoreOrLessThanTheGuestCountedIsAFault() throws Exception {
    assertEquals(3, json(summary(guest(123, 0))).get("lost"));
    Summary summary = summary(guest(118, 0));
    assertEquals(2, json(summary).get("lost"));
    assertEquals(1, summary.faults().size());
  }

  @Test
  void aGuestThatCanTellIsAFault() throws Exception {
    assertEquals(1, summary(guest(120, 5)).faults().size());
  }

  @Test
  void whatNobodyCountedIsNotMadeUp() throws Exception {
    Map<String, Object> values = json(summary(Optional.empty()));
    assertNull(values.get("guest_stores"));
    assertNull(values.get("guest_mismatches"));
    assertNull(values.get("alloc_bytes_per_exit"));
    assertEquals(0, values.get("lost"));
  }
}
