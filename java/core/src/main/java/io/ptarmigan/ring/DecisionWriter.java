// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.Memory;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.x86.Effect;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;

/**
 * Publishes decisions, one slot per vCPU. The decider's thread only. No allocation, no lock; one
 * system call where the native side sleeps.
 */
public final class DecisionWriter {
  private static final int WINDOW_ENTRIES = Native.PT_WINDOW_BYTES / Long.BYTES;

  private final ByteBuffer buffer;
  private final int generation;
  private final NativeWake wake;
  private final DeciderLog log;

  public DecisionWriter(Decisions decisions, NativeWake wake) {
    this(decisions, wake, null);
  }

  /**
   * A writer that logs what it published.
   *
   * @param log null for none
   */
  public DecisionWriter(Decisions decisions, NativeWake wake, DeciderLog log) {
    this.log = log;
    buffer = decisions.buffer();
    generation = decisions.generation();
    this.wake = wake;
  }

  /**
   * Decides for what the emulator found.
   *
   * @param sequence of the EXIT that this answers
   * @param action {@code PT_ACTION_WRITE} or {@code PT_ACTION_SKIP}
   * @param flags {@code PT_DECISION_*}
   * @param seenNanos when Java took the exit
   */
  public void decide(
      int vcpu, long sequence, int action, Effect effect, int flags, long seenNanos) {
    int slot = open(vcpu, seenNanos);
    Memory.setInt(buffer, slot + DecisionLayout.ACTION, action);
    Memory.setInt(buffer, slot + DecisionLayout.MASK, effect.mask);
    Memory.setInt(buffer, slot + DecisionLayout.FLAGS, flags);
    Memory.setInt(buffer, slot + DecisionLayout.STORES, effect.stores);
    Memory.setInt(buffer, slot + DecisionLayout.GPR_MASK, effect.gprMask);
    for (int entry = 0; entry < WINDOW_ENTRIES; entry++) {
      int at = slot + entry * Long.BYTES;
      Memory.setLong(buffer, at + DecisionLayout.EXPECTED, effect.expected[entry]);
      Memory.setLong(buffer, at + DecisionLayout.BYTES, effect.bytes[entry]);
    }
    for (int left = effect.gprMask; left != 0; left &= left - 1) {
      int register = Integer.numberOfTrailingZeros(left);
      int at = slot + DecisionLayout.GPR + register * Long.BYTES;
      Memory.setLong(buffer, at, effect.gpr[register]);
    }
    Memory.setLong(buffer, slot + DecisionLayout.RIP, effect.rip);
    Memory.setLong(buffer, slot + DecisionLayout.RFLAGS, effect.rflags);
    publish(slot, sequence);
  }

  /**
   * Decides without an effect.
   *
   * @param action {@code PT_ACTION_STEP}, {@code PT_ACTION_HV_EMULATE} or {@code PT_ACTION_RETRY}
   */
  public void decide(int vcpu, long sequence, int action, long seenNanos) {
    int slot = open(vcpu, seenNanos);
    Memory.setInt(buffer, slot + DecisionLayout.ACTION, action);
    Memory.setInt(buffer, slot + DecisionLayout.MASK, 0);
    Memory.setInt(buffer, slot + DecisionLayout.FLAGS, 0);
    Memory.setInt(buffer, slot + DecisionLayout.STORES, 0);
    Memory.setInt(buffer, slot + DecisionLayout.GPR_MASK, 0);
    publish(slot, sequence);
  }

  /**
   * Asks for what the instruction needs besides the record.
   *
   * @param needs {@code PT_MORE_*}; the effect says which source bytes or register
   */
  public void more(int vcpu, long sequence, int needs, Effect effect, long seenNanos) {
    int slot = open(vcpu, seenNanos);
    Memory.setInt(buffer, slot + DecisionLayout.ACTION, Native.PT_ACTION_MORE);
    Memory.setInt(buffer, slot + DecisionLayout.NEEDS, needs);
    Memory.setInt(buffer, slot + DecisionLayout.FLAGS, 0);
    Memory.setInt(buffer, slot + DecisionLayout.SOURCE_BYTES, effect.sourceBytes);
    Memory.setInt(buffer, slot + DecisionLayout.XMM_REGISTER, effect.xmmRegister);
    Memory.setLong(buffer, slot + DecisionLayout.SOURCE_GLA, effect.sourceAddress);
    publish(slot, sequence);
  }

  /**
   * The clock is read before the first store: the native side polls the slot, and takes its cache
   * lines away again if the stores do not follow each other closely.
   */
  private int open(int vcpu, long seenNanos) {
    long decided = System.nanoTime();
    int slot = Decisions.decisionOffset(vcpu);
    Memory.setLongOpaque(buffer, slot + DecisionLayout.SEQUENCE, 0);
    VarHandle.releaseFence();
    Memory.setInt(buffer, slot + DecisionLayout.GENERATION, generation);
    Memory.setLong(buffer, slot + DecisionLayout.SEEN_NS, seenNanos);
    Memory.setLong(buffer, slot + DecisionLayout.DECIDED_NS, decided);
    return slot;
  }

  private void publish(int slot, long sequence) {
    Memory.setLongRelease(buffer, slot + DecisionLayout.SEQUENCE, sequence);
    wake.published();
    if (log != null) {
      log.decided(buffer, slot);
    }
  }
}
