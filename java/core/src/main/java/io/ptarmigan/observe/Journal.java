// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.observe;

import com.lmax.disruptor.EventHandler;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.ring.OutcomeRecord;
import io.ptarmigan.ring.StreamRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Remembers the newest exits that did not go the usual way: anything but a write that was applied
 * as Java decided. Bounded, made beforehand, written without allocation by its handler's thread; to
 * be read once that thread is done.
 */
public final class Journal implements EventHandler<StreamRecord> {
  private static final int FIELDS = 8;

  private final int capacity;
  private final long[] entries;
  private long written;

  /**
   * An empty journal.
   *
   * @param capacity entries that are kept
   */
  public Journal(int capacity) {
    this.capacity = capacity;
    entries = new long[capacity * FIELDS];
  }

  @Override
  public void onEvent(StreamRecord record, long sequence, boolean endOfBatch) {
    if (record.kind() != Native.PT_RECORD_OUTCOME) {
      return;
    }
    OutcomeRecord outcome = record.outcome();
    if (outcome.result() != Native.PT_RESULT_APPLIED
        || outcome.cause() != Native.PT_CAUSE_DECIDED) {
      write(outcome);
    }
  }

  private void write(OutcomeRecord outcome) {
    int at = (int) (written % capacity) * FIELDS;
    entries[at] = outcome.sequence();
    entries[at + 1] = outcome.vcpu();
    entries[at + 2] = outcome.result();
    entries[at + 3] = outcome.cause();
    entries[at + 4] = outcome.gpa();
    entries[at + 5] = outcome.mask();
    entries[at + 6] = outcome.rip();
    entries[at + 7] = outcome.round();
    written++;
  }

  /** Entries written, those that are forgotten included. */
  public long written() {
    return written;
  }

  /** The newest entries in words, oldest first. */
  public List<String> newest(int count) {
    List<String> lines = new ArrayList<>();
    for (long i = Math.max(0, written - Math.min(count, capacity)); i < written; i++) {
      lines.add(line((int) (i % capacity) * FIELDS));
    }
    return lines;
  }

  private String line(int at) {
    return String.format(
        Locale.ROOT,
        "exit %d vcpu %d round %d %s (%s) gpa 0x%x mask 0x%08x rip 0x%x",
        entries[at],
        entries[at + 1],
        entries[at + 7],
        result((int) entries[at + 2]),
        cause((int) entries[at + 3]),
        entries[at + 4],
        entries[at + 5],
        entries[at + 6]);
  }

  private static String result(int result) {
    return switch (result) {
      case Native.PT_RESULT_APPLIED -> "applied";
      case Native.PT_RESULT_DENIED -> "denied";
      case Native.PT_RESULT_STEPPED -> "stepped";
      case Native.PT_RESULT_HV_EMULATED -> "emulated by the hypervisor";
      case Native.PT_RESULT_RESUMED -> "resumed";
      case Native.PT_RESULT_LOST_SWAP -> "lost its swap";
      case Native.PT_RESULT_LATE_DENIED -> "denied late";
      default -> "result " + result;
    };
  }

  private static String cause(int cause) {
    return switch (cause) {
      case Native.PT_CAUSE_DECIDED -> "decided";
      case Native.PT_CAUSE_DEADLINE -> "no decision in time";
      case Native.PT_CAUSE_NO_JVM -> "no JVM";
      case Native.PT_CAUSE_REFUSED -> "decision refused";
      case Native.PT_CAUSE_ROUNDS -> "too many rounds";
      case Native.PT_CAUSE_INCOMPLETE -> "incomplete record";
      default -> "cause " + cause;
    };
  }
}
