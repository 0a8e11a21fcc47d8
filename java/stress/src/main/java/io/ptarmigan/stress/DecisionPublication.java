// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.DecisionsHeaderLayout;
import io.ptarmigan.abi.Memory;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.ring.DecisionWriter;
import io.ptarmigan.ring.Decisions;
import io.ptarmigan.ring.StreamProducer;
import io.ptarmigan.x86.Effect;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/**
 * A decision overwrites the one before it in the vCPU's slot while the native side copies it:
 * sequence, fields, sequence again. Every field holds its decision's sequence, so a copy that the
 * native side keeps must show one number throughout.
 */
@JCStressTest
@Outcome(
    id = "0, 0",
    expect = ACCEPTABLE,
    desc = "Nothing is published, or the copy is thrown away.")
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "The first decision, whole.")
@Outcome(id = "2, 2", expect = ACCEPTABLE, desc = "The second decision, whole.")
@Outcome(
    expect = FORBIDDEN,
    desc = "A torn decision was kept: fields of two decisions would be applied.")
@State
public class DecisionPublication {
  private static final Places PLACES = new Places();
  private static final ByteBuffer BUFFER = buffer();
  private static final Decisions DECISIONS = new Decisions(BUFFER, StreamProducer.GENERATION);
  private static final StreamProducer PRODUCER = new StreamProducer();
  private static final long TORN = -1;

  private final int vcpu = PLACES.take();
  private final int slot = Native.PT_HEADER_BYTES + vcpu * Native.PT_DECISION_BYTES;
  private final Effect first = effect(1);
  private final Effect second = effect(2);
  private final DecisionWriter writer = new DecisionWriter(DECISIONS, PRODUCER.wake());

  public DecisionPublication() {
    Memory.setLong(BUFFER, slot + DecisionLayout.SEQUENCE, 0);
  }

  private static ByteBuffer buffer() {
    ByteBuffer buffer =
        ByteBuffer.allocateDirect(Native.PT_HEADER_BYTES + Places.COUNT * Native.PT_DECISION_BYTES);
    ByteBuffer header = new StreamProducer().decisionsBuffer();
    buffer.put(0, header, 0, Native.PT_HEADER_BYTES);
    Memory.setLong(buffer, DecisionsHeaderLayout.CONSUMED, 0);
    return buffer;
  }

  private static Effect effect(long number) {
    Effect effect = new Effect();
    effect.mask = (int) number;
    effect.stores = (int) number;
    effect.rip = number;
    effect.rflags = number;
    for (int i = 0; i < effect.bytes.length; i++) {
      effect.expected[i] = number;
      effect.bytes[i] = number;
    }
    return effect;
  }

  @Actor
  public void java() {
    writer.decide(vcpu, 1, 1, first, 1, 1);
    writer.decide(vcpu, 2, 2, second, 2, 2);
  }

  @Actor
  public void nativeSide(JJ_Result result) {
    long sequence = Memory.getLongAcquire(BUFFER, slot + DecisionLayout.SEQUENCE);
    if (sequence == 0) {
      return;
    }
    long seen = seen();
    VarHandle.acquireFence();
    if (Memory.getLongOpaque(BUFFER, slot + DecisionLayout.SEQUENCE) == sequence) {
      result.r1 = sequence;
      result.r2 = seen;
    }
  }

  /** The number that all fields hold. */
  private long seen() {
    long number = Memory.getLong(BUFFER, slot + DecisionLayout.SEEN_NS);
    boolean same =
        Memory.getInt(BUFFER, slot + DecisionLayout.ACTION) == number
            && Memory.getInt(BUFFER, slot + DecisionLayout.MASK) == number
            && Memory.getInt(BUFFER, slot + DecisionLayout.FLAGS) == number
            && Memory.getInt(BUFFER, slot + DecisionLayout.STORES) == number
            && Memory.getLong(BUFFER, slot + DecisionLayout.RIP) == number
            && Memory.getLong(BUFFER, slot + DecisionLayout.RFLAGS) == number;
    for (int at = 0; at < Native.PT_WINDOW_BYTES; at += Long.BYTES) {
      same &= Memory.getLong(BUFFER, slot + DecisionLayout.EXPECTED + at) == number;
      same &= Memory.getLong(BUFFER, slot + DecisionLayout.BYTES + at) == number;
    }
    return same ? number : TORN;
  }
}
