// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.abi.CommandLayout;
import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.api.Bits;
import io.ptarmigan.paging.EntryFormat;
import io.ptarmigan.paging.PagingMode;
import io.ptarmigan.policy.WatchRule;
import io.ptarmigan.policy.WritePolicy;
import io.ptarmigan.ring.CommandWriter;
import io.ptarmigan.ring.DecisionWriter;
import io.ptarmigan.ring.StreamProvider;
import io.ptarmigan.ring.StreamRecord;
import io.ptarmigan.watch.PageTableWrites;
import io.ptarmigan.x86.Emulator;
import io.ptarmigan.x86.IcedDecoder;
import io.ptarmigan.x86.PlanCache;
import java.util.HashMap;
import java.util.Map;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Tag;

/** The decider's path, fallback included, under records that a hostile guest brings about. */
class HostileRecordsPropertyTest {
  private static final int RECORDS = 300;
  private static final long LONG_RUN_NANOS = 300_000_000_000L;
  private static final int MAXPHYADDR = 40;
  private static final Emulator EMULATOR = new Emulator(new PlanCache(new IcedDecoder(), 8192));

  /** One decider with watches, and the books of what it asked for. */
  private static final class Trial {
    final HostileGuest guest;
    final DeciderCounters counters = new DeciderCounters();
    final Map<Long, Integer> protections = new HashMap<>();
    final StreamProvider provider;
    final Decider decider;
    final DeciderFallback fallback;
    final PageTableWrites writes;
    final long[] answered = new long[Native.PT_MAX_VCPUS];
    long commandsSeen;

    Trial(long seed) {
      guest = new HostileGuest(seed);
      var producer = guest.producer;
      var wake = producer.wake();
      var commands = new CommandWriter(producer.stream(), producer.decisions(), wake);
      var format = new EntryFormat(PagingMode.FOUR_LEVEL, MAXPHYADDR);
      var decisions = new DecisionWriter(producer.decisions(), wake);
      provider = new StreamProvider(producer.stream());
      writes =
          new PageTableWrites(
              format, commands, new ChangeRing(format, new FailureCounter()), () -> {});
      decider = new Decider(EMULATOR, writes, decisions, commands, counters);
      fallback = new DeciderFallback(new StreamProvider(producer.stream()), decisions, counters);
      for (int i = 0; i < 8; i++) {
        WritePolicy policy = i % 3 == 0 ? WritePolicy.DENY : WritePolicy.ALLOW;
        new WatchRule(HostileGuest.ROOT, (long) i % 5 << 12 + 9 * (i % 4), Bits.DEFAULT, policy)
            .place(writes.watches(), change -> {});
      }
      writes.poll();
    }

    /** As the decider's thread does; answers whether a decision is due. */
    boolean take(long sequence) {
      for (int vcpu = 0; vcpu < Native.PT_MAX_VCPUS; vcpu++) {
        answered[vcpu] = guest.producer.decisionLong(vcpu, DecisionLayout.SEQUENCE);
      }
      StreamRecord record = provider.get(sequence);
      try {
        decider.onEvent(record, sequence, true);
      } catch (Throwable failure) {
        fallback.handleEventException(failure, sequence, record);
      }
      return provider.get(sequence).kind() == Native.PT_RECORD_EXIT;
    }

    /** One answer where an exit waits, in the slot of its virtual CPU; none else. */
    void checkAnswers(long sequence, boolean due) {
      for (int vcpu = 0; vcpu < Native.PT_MAX_VCPUS; vcpu++) {
        boolean waits = due && vcpu == provider.get(sequence).vcpu();
        assertEquals(
            waits ? sequence : answered[vcpu],
            guest.producer.decisionLong(vcpu, DecisionLayout.SEQUENCE));
      }
    }

    void checkDecision(long sequence) {
      StreamRecord record = provider.get(sequence);
      assertEquals("", ValidDecision.fault(guest.producer, record.vcpu(), record.exit()));
    }

    /** Nothing is asked for that the native side refuses, and nothing released that is not held. */
    void checkCommands() {
      while (commandsSeen < guest.producer.commandsPublished()) {
        long index = ++commandsSeen;
        long gpa = guest.producer.commandLong(index, CommandLayout.GPA);
        int length = guest.producer.commandInt(index, CommandLayout.LENGTH);
        assertTrue(gpa >>> MAXPHYADDR == 0, "gpa " + Long.toHexString(gpa));
        assertTrue(
            length >= 0 && length <= Native.PT_COMPLETION_BYTES && (gpa & 0xFFF) + length <= 4096);
        switch (guest.producer.commandInt(index, CommandLayout.KIND)) {
          case Native.PT_COMMAND_PROTECT_READ -> protections.merge(gpa >>> 12, 1, Integer::sum);
          case Native.PT_COMMAND_RELEASE ->
              assertTrue(
                  protections.merge(gpa >>> 12, -1, Integer::sum) >= 0, "released too often");
          default -> {}
        }
      }
    }

    private void checkFailures() {
      if (counters.failures() != 0) {
        throw new AssertionError("the decider failed", counters.lastFailure());
      }
    }
  }

  private static void runWellFormed(long seed) {
    Trial trial = new Trial(seed);
    for (int i = 0; i < RECORDS; i++) {
      long sequence = trial.guest.next();
      boolean due = trial.take(sequence);
      trial.checkFailures();
      trial.checkAnswers(sequence, due);
      if (due) {
        trial.checkDecision(sequence);
      }
      trial.checkCommands();
    }
  }

  private static void runNonsense(long seed) {
    Trial trial = new Trial(seed);
    for (int i = 0; i < RECORDS; i++) {
      long sequence = trial.guest.nonsense();
      trial.checkAnswers(sequence, trial.take(sequence));
    }
  }

  @Property(tries = 200)
  void eachExitIsAnsweredOnceAndSoundlyWhateverTheGuestDoes(@ForAll long seed) {
    runWellFormed(seed);
  }

  @Property(tries = 200)
  void eachExitIsAnsweredOnceWhateverTheRecordHolds(@ForAll long seed) {
    runNonsense(seed);
  }

  @Example
  @Tag("long")
  void bothHoldForFiveMinutes() {
    long end = System.nanoTime() + LONG_RUN_NANOS;
    for (long seed = System.nanoTime(); System.nanoTime() < end; seed++) {
      try {
        runWellFormed(seed);
        runNonsense(~seed);
      } catch (Throwable failure) {
        throw new AssertionError("seed " + seed, failure);
      }
    }
  }
}
