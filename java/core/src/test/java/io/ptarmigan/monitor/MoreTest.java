// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.ExitLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.x86.Emulator;
import io.ptarmigan.x86.IcedDecoder;
import io.ptarmigan.x86.PlanCache;
import io.ptarmigan.x86.Result;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The decider asks for what an instruction needs besides the record, once, and then decides. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MoreTest {
  private static final long TABLE = 0x5000;
  private static final int RSP = 4;
  private static final int RSI = 6;
  private static final long STACK = 0x7FF0_0000_1000L;
  private static final long PUSH_MEMORY = 0x36FFL; // push qword [rsi]
  private static final long CALL_MEMORY = 0x16FFL; // call qword [rsi]
  private static final long POP = 0x078FL; // pop qword [rdi]
  private static final long MOV_SS = 0x178CL; // mov word [rdi], ss

  private final FakeGuest guest = new FakeGuest();
  private GuestMonitor monitor;

  @BeforeEach
  void start() {
    monitor =
        new GuestMonitorBuilder(
                guest.producer.stream(), guest.producer.decisions(), guest.producer.wake())
            .emulator(new Emulator(new PlanCache(new IcedDecoder(), 64)))
            .build();
    monitor.start();
    guest.serveUntilReady();
  }

  @AfterEach
  void stop() {
    monitor.close();
  }

  private int field(int offset) {
    return guest.producer.decisionInt(0, offset);
  }

  private void decided(long sequence, int action) {
    guest.producer.awaitDecision(0, sequence);
    assertEquals(action, field(DecisionLayout.ACTION));
  }

  @Test
  void aMoveOfAStringAsksForItsSourceAndIsWritten() {
    guest.begin(0, FakeGuest.MOVS, TABLE, 0);
    guest.producer.with(ExitLayout.GPR + 8 * RSI, 0x1234_5678L);
    decided(guest.producer.publish(), Native.PT_ACTION_MORE);
    assertEquals(Native.PT_MORE_SOURCE, field(DecisionLayout.NEEDS));
    assertEquals(0x1234_5678L, guest.producer.decisionLong(0, DecisionLayout.SOURCE_GLA));
    assertEquals(8, field(DecisionLayout.SOURCE_BYTES));

    long again = guest.raiseWithMore(0, FakeGuest.MOVS, TABLE, 0xABCD);
    decided(again, Native.PT_ACTION_WRITE);
    assertEquals(0xFF, field(DecisionLayout.MASK));
    assertEquals(0xABCD, guest.producer.decisionLong(0, DecisionLayout.BYTES));
    assertEquals(1 << RSI | 1 << FakeGuest.RDI, field(DecisionLayout.GPR_MASK));
  }

  @Test
  void aPopAsksForTheTopOfTheStack() {
    guest.begin(0, POP, TABLE, 0);
    guest.producer.with(ExitLayout.GPR + 8 * RSP, STACK);
    decided(guest.producer.publish(), Native.PT_ACTION_MORE);
    assertEquals(STACK, guest.producer.decisionLong(0, DecisionLayout.SOURCE_GLA));
    assertEquals(8, field(DecisionLayout.SOURCE_BYTES));
  }

  @Test
  void aVectorStoreAsksForItsRegisterAndIsWrittenInOneSwap() {
    decided(guest.raise(0, FakeGuest.MOVUPS, TABLE, 0), Native.PT_ACTION_MORE);
    assertEquals(Native.PT_MORE_XMM, field(DecisionLayout.NEEDS));
    assertEquals(6, field(DecisionLayout.XMM_REGISTER));

    decided(guest.raiseWithMore(0, FakeGuest.MOVUPS, TABLE, 0xABCD), Native.PT_ACTION_WRITE);
    assertEquals(0xFFFF, field(DecisionLayout.MASK));
    assertEquals(Native.PT_DECISION_WIDE, field(DecisionLayout.FLAGS));
    assertEquals(0xABCD, guest.producer.decisionLong(0, DecisionLayout.BYTES));
    assertEquals(~0xABCDL, guest.producer.decisionLong(0, DecisionLayout.BYTES + 8));
  }

  /** Two swaps, because no processor promises one access. */
  @Test
  void aVectorStoreOffItsAlignmentIsWrittenEntryByEntry() {
    decided(guest.raise(0, FakeGuest.MOVUPS, TABLE + 8, 0), Native.PT_ACTION_MORE);
    decided(guest.raiseWithMore(0, FakeGuest.MOVUPS, TABLE + 8, 1), Native.PT_ACTION_WRITE);
    assertEquals(0, field(DecisionLayout.FLAGS));
    assertEquals(0xFFFF, field(DecisionLayout.MASK));
  }

  @Test
  void whatCouldNotBeReadIsNotAskedForAgainButStepped() {
    for (int count = 0; count < 8; count++) {
      decided(guest.raise(0, FakeGuest.MOVS, TABLE, 0), Native.PT_ACTION_MORE);
      guest.begin(0, FakeGuest.MOVS, TABLE, 0);
      guest
          .producer
          .with(ExitLayout.ATTACHED, Native.PT_MORE_SOURCE)
          .with(ExitLayout.SOURCE_COUNT, count);
      decided(guest.producer.publish(), Native.PT_ACTION_STEP);
    }
    decided(guest.raise(0, FakeGuest.MOVUPS, TABLE, 0), Native.PT_ACTION_MORE);
    guest.begin(0, FakeGuest.MOVUPS, TABLE, 0);
    guest
        .producer
        .with(ExitLayout.ATTACHED, Native.PT_MORE_XMM)
        .with(ExitLayout.XMM_REGISTER, Native.PT_XMM_NONE);
    decided(guest.producer.publish(), Native.PT_ACTION_STEP);
  }

  @Test
  void pushAndCallThroughMemoryAreSteppedWithoutAsking() {
    for (long instruction : new long[] {PUSH_MEMORY, CALL_MEMORY}) {
      guest.begin(0, instruction, TABLE + 8, 0);
      guest
          .producer
          .with(ExitLayout.GLA, STACK - 8)
          .with(ExitLayout.GPA, TABLE + 0xFF8)
          .with(ExitLayout.WINDOW_COUNT, 8)
          .with(ExitLayout.GPR + 8 * RSP, STACK);
      decided(guest.producer.publish(), Native.PT_ACTION_STEP);
    }
    assertEquals(2, monitor.deciderCounters().emulations(Result.NEEDS_SOURCE));
    assertEquals(2, monitor.deciderCounters().interruptLike());
  }

  @Test
  void aSegmentRegisterIsInTheRecord() {
    guest.begin(0, MOV_SS, TABLE, 0);
    guest.producer.with(ExitLayout.SEGMENT_SELECTOR + 4, 0x002B);
    decided(guest.producer.publish(), Native.PT_ACTION_WRITE);
    assertEquals(3, field(DecisionLayout.MASK));
    assertEquals(0x2B, guest.producer.decisionLong(0, DecisionLayout.BYTES));
  }
}
