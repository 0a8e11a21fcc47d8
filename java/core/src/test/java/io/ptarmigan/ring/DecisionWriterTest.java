// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.abi.generated.pt_decision;
import io.ptarmigan.x86.Effect;
import org.bytedeco.javacpp.BytePointer;
import org.junit.jupiter.api.Test;

class DecisionWriterTest {
  private static final int VCPU = 1;
  private static final int RBX = 3;

  private final StreamProducer producer = new StreamProducer();
  private final DecisionWriter writer = new DecisionWriter(producer.decisions(), producer.wake());
  private final pt_decision decision =
      new pt_decision(
          new BytePointer(producer.decisionsBuffer()).getPointer(Decisions.decisionOffset(VCPU)));

  @Test
  void aWriteArrivesFieldByField() {
    Effect effect = new Effect();
    effect.mask = 0x00FF0000;
    effect.stores = 4;
    effect.rip = 0x1007;
    effect.rflags = 0x246;
    effect.setGpr(RBX, 0xFEDCBA9876543210L);
    for (int i = 0; i < 4; i++) {
      effect.expected[i] = 0x0706050403020100L + 0x0808080808080808L * i;
      effect.bytes[i] = ~effect.expected[i];
    }
    long before = System.nanoTime();
    writer.decide(
        VCPU, 42, Native.PT_ACTION_WRITE, effect, Native.PT_DECISION_RELEVANT, before - 5);

    assertEquals(42, decision.sequence());
    assertEquals(StreamProducer.GENERATION, decision.generation());
    assertEquals(Native.PT_ACTION_WRITE, decision.action());
    assertEquals(0x00FF0000, decision.mask());
    assertEquals(Native.PT_DECISION_RELEVANT, decision.flags());
    assertEquals(4, decision.stores());
    assertEquals(1 << RBX, decision.gpr_mask());
    assertEquals(0xFEDCBA9876543210L, decision.gpr(RBX));
    for (int i = 0; i < Native.PT_WINDOW_BYTES; i++) {
      assertEquals((byte) i, decision.expected(i));
      assertEquals((byte) ~i, decision.bytes(i));
    }
    assertEquals(0x1007, decision.rip());
    assertEquals(0x246, decision.rflags());
    assertEquals(before - 5, decision.seen_ns());
    assertTrue(decision.decided_ns() >= before);
  }

  @Test
  void whatIsAskedForArrivesFieldByField() {
    Effect effect = new Effect();
    effect.mask = -1;
    effect.stores = 77;
    effect.setGpr(RBX, 1);
    effect.sourceAddress = 0xFFFF800012345678L;
    effect.sourceBytes = 24;
    effect.xmmRegister = 13;
    long before = System.nanoTime();
    writer.more(VCPU, 42, Native.PT_MORE_SOURCE | Native.PT_MORE_XMM, effect, before - 5);

    assertEquals(42, decision.sequence());
    assertEquals(StreamProducer.GENERATION, decision.generation());
    assertEquals(Native.PT_ACTION_MORE, decision.action());
    assertEquals(Native.PT_MORE_SOURCE | Native.PT_MORE_XMM, decision.needs());
    assertEquals(0, decision.flags());
    assertEquals(0xFFFF800012345678L, decision.source_gla());
    assertEquals(24, decision.source_bytes());
    assertEquals(13, decision.xmm_register());
    assertEquals(before - 5, decision.seen_ns());
    assertTrue(decision.decided_ns() >= before);
  }

  @Test
  void anActionWithoutEffectLeavesNothingOfTheLastOne() {
    Effect effect = new Effect();
    effect.mask = -1;
    effect.setGpr(RBX, 1);
    writer.decide(VCPU, 1, Native.PT_ACTION_WRITE, effect, Native.PT_DECISION_WIDE, 0);
    writer.decide(VCPU, 2, Native.PT_ACTION_STEP, 0);

    assertEquals(2, decision.sequence());
    assertEquals(Native.PT_ACTION_STEP, decision.action());
    assertEquals(0, decision.mask());
    assertEquals(0, decision.flags());
    assertEquals(0, decision.gpr_mask());
  }

  @Test
  void eachVcpuHasItsOwnSlot() {
    writer.decide(VCPU, 7, Native.PT_ACTION_STEP, 0);
    writer.decide(VCPU + 1, 8, Native.PT_ACTION_STEP, 0);
    writer.decide(Native.PT_MAX_VCPUS - 1, 9, Native.PT_ACTION_STEP, 0);
    assertTrue(producer.decided(VCPU, 7));
    assertTrue(producer.decided(VCPU + 1, 8));
    assertTrue(producer.decided(Native.PT_MAX_VCPUS - 1, 9));
  }
}
