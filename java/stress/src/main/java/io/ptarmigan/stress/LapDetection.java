// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.ptarmigan.abi.HeadLayout;
import io.ptarmigan.abi.Memory;
import io.ptarmigan.abi.OutcomeLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.ring.CopyingProvider;
import io.ptarmigan.ring.OutcomeRecord;
import io.ptarmigan.ring.StreamProducer;
import io.ptarmigan.ring.StreamRecord;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.J_Result;

/**
 * The native side laps a follower: it writes the next round's record into the slot that the
 * follower is copying. A copy that is kept must be the old record, whole.
 */
@JCStressTest
@Outcome(id = "1", expect = ACCEPTABLE, desc = "The old record, whole.")
@Outcome(id = "0", expect = ACCEPTABLE, desc = "The lap was seen: the copy is counted as lost.")
@Outcome(
    expect = FORBIDDEN,
    desc = "A record of two rounds was kept: the journal would tell a lie.")
@State
public class LapDetection {
  private static final int STREAMS = Places.COUNT / Native.PT_SLOT_COUNT;
  private static final Places PLACES = new Places();
  private static final StreamProducer[] PRODUCERS = new StreamProducer[STREAMS];
  private static final ThreadLocal<CopyingProvider[]> PROVIDERS =
      ThreadLocal.withInitial(LapDetection::providers);

  static {
    for (int i = 0; i < STREAMS; i++) {
      PRODUCERS[i] = new StreamProducer();
    }
  }

  private final int place = PLACES.take();
  private final int index = place / Native.PT_SLOT_COUNT;
  private final ByteBuffer stream = PRODUCERS[index].streamBuffer();
  private final long sequence = Native.PT_SLOT_COUNT + place % Native.PT_SLOT_COUNT;
  private final int slot =
      Native.PT_HEADER_BYTES + place % Native.PT_SLOT_COUNT * Native.PT_SLOT_BYTES;

  public LapDetection() {
    write(sequence, 1);
  }

  private static CopyingProvider[] providers() {
    CopyingProvider[] providers = new CopyingProvider[STREAMS];
    for (int i = 0; i < STREAMS; i++) {
      providers[i] = new CopyingProvider(PRODUCERS[i].stream());
    }
    return providers;
  }

  /** As the native side publishes. */
  private void write(long newSequence, int round) {
    Memory.setLongOpaque(stream, slot + HeadLayout.SEQUENCE, 0);
    VarHandle.releaseFence();
    Memory.setInt(stream, slot + HeadLayout.KIND, Native.PT_RECORD_OUTCOME);
    Memory.setLong(stream, slot + OutcomeLayout.EXIT, round);
    Memory.setInt(stream, slot + OutcomeLayout.RESULT, round);
    Memory.setLong(stream, slot + OutcomeLayout.RIP, round);
    Memory.setLong(stream, slot + OutcomeLayout.REPLIED_NS, round);
    Memory.setLongRelease(stream, slot + HeadLayout.SEQUENCE, newSequence);
  }

  @Actor
  public void nativeSide() {
    write(sequence + Native.PT_SLOT_COUNT, 2);
  }

  @Actor
  public void follower(J_Result result) {
    StreamRecord record = PROVIDERS.get()[index].get(sequence);
    if (record.kind() == Native.PT_RECORD_OUTCOME) {
      OutcomeRecord outcome = record.outcome();
      boolean old =
          outcome.sequence() == 1
              && outcome.result() == 1
              && outcome.rip() == 1
              && outcome.repliedNanos() == 1;
      result.r1 = old ? 1 : -1;
    }
  }
}
