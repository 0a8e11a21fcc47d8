// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.observe;

import com.lmax.disruptor.EventHandler;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.ring.OutcomeRecord;
import io.ptarmigan.ring.StreamRecord;
import java.util.EnumMap;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.SingleWriterRecorder;

/**
 * Records how long each exit took, by share, from its last outcome. Shares are taken of exits that
 * were published once, where they add up to the total. Allocates nothing; readers take histograms
 * from any one other thread.
 */
public final class LatencyHandler implements EventHandler<StreamRecord> {
  private static final long LONGEST_NANOS = 60_000_000_000L;
  private static final int DIGITS = 3;

  private final SingleWriterRecorder toPublished = recorder();
  private final SingleWriterRecorder inRing = recorder();
  private final SingleWriterRecorder inJava = recorder();
  private final SingleWriterRecorder toReply = recorder();
  private final SingleWriterRecorder total = recorder();

  private static SingleWriterRecorder recorder() {
    return new SingleWriterRecorder(LONGEST_NANOS, DIGITS);
  }

  @Override
  public void onEvent(StreamRecord record, long sequence, boolean endOfBatch) {
    if (record.kind() == Native.PT_RECORD_OUTCOME) {
      record(record.outcome());
    }
  }

  private void record(OutcomeRecord outcome) {
    if (outcome.more() || outcome.result() == Native.PT_RESULT_LOST_SWAP) {
      return;
    }
    long taken = outcome.takenNanos();
    long replied = outcome.repliedNanos();
    add(total, replied - taken);
    long seen = outcome.seenNanos();
    if (seen == 0 || outcome.first() != outcome.sequence()) {
      return;
    }
    long published = outcome.publishedNanos();
    long decided = outcome.decidedNanos();
    long collected = outcome.collectedNanos();
    add(toPublished, published - taken);
    add(inRing, seen - published + collected - decided);
    add(inJava, decided - seen);
    add(toReply, replied - collected);
  }

  /** The stamps come from two processes, one of them not trusted to be in order. */
  private static void add(SingleWriterRecorder recorder, long nanos) {
    recorder.recordValue(Math.min(Math.max(nanos, 0), LONGEST_NANOS));
  }

  /**
   * Replaces the histograms by what was recorded since the last call. One reading thread.
   *
   * @param interval empty, or as an earlier call left it; its histograms are used again
   */
  public void takeInterval(Map<Share, Histogram> interval) {
    for (Share share : Share.values()) {
      interval.put(share, recorder(share).getIntervalHistogram(interval.get(share)));
    }
  }

  private SingleWriterRecorder recorder(Share share) {
    return switch (share) {
      case NATIVE -> toPublished;
      case RING -> inRing;
      case JAVA -> inJava;
      case REPLY -> toReply;
      case TOTAL -> total;
    };
  }

  /** Empty histograms that intervals can be added to. */
  public static Map<Share, Histogram> empty() {
    Map<Share, Histogram> empty = new EnumMap<>(Share.class);
    for (Share share : Share.values()) {
      empty.put(share, new Histogram(LONGEST_NANOS, DIGITS));
    }
    return empty;
  }
}
