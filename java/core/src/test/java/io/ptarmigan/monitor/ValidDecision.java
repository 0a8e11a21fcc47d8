// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.monitor;

import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.ring.ExitRecord;
import io.ptarmigan.ring.StreamProducer;

/** What the native side accepts as the answer to an exit, said once more for tests. */
final class ValidDecision {
  /** CF, PF, AF, ZF, SF, DF, OF. */
  private static final long CHANGEABLE_FLAGS = 0xCD5;

  private static final long RESUME_FLAG = 1L << 16;
  private static final int LONGEST_INSTRUCTION = 15;
  private static final int PAGE_BYTES = 4096;

  private final StreamProducer producer;
  private final int vcpu;
  private final ExitRecord exit;

  private ValidDecision(StreamProducer producer, int vcpu, ExitRecord exit) {
    this.producer = producer;
    this.vcpu = vcpu;
    this.exit = exit;
  }

  /**
   * Empty where the decision of the virtual CPU is a valid answer to the exit, else what is not.
   */
  static String fault(StreamProducer producer, int vcpu, ExitRecord exit) {
    return new ValidDecision(producer, vcpu, exit).fault();
  }

  private String fault() {
    int flags = word(DecisionLayout.FLAGS);
    if ((flags & ~(Native.PT_DECISION_WIDE | Native.PT_DECISION_RELEVANT)) != 0) {
      return "flags " + flags;
    }
    return switch (word(DecisionLayout.ACTION)) {
      case Native.PT_ACTION_WRITE, Native.PT_ACTION_SKIP -> writeFault(flags);
      case Native.PT_ACTION_MORE -> moreFault(flags);
      case Native.PT_ACTION_STEP, Native.PT_ACTION_RETRY -> "";
      default -> "action " + word(DecisionLayout.ACTION);
    };
  }

  private String writeFault(int flags) {
    int mask = word(DecisionLayout.MASK);
    int room = PAGE_BYTES - (int) (exit.gpa() & (PAGE_BYTES - 8));
    int window = room < Native.PT_WINDOW_BYTES ? (1 << room) - 1 : -1;
    if ((mask & ~window) != 0 || (mask & exit.done()) != 0) {
      return "mask " + Integer.toHexString(mask);
    }
    if (Integer.compareUnsigned(word(DecisionLayout.STORES), Native.PT_WINDOW_BYTES) > 0) {
      return "stores " + word(DecisionLayout.STORES);
    }
    if ((flags & Native.PT_DECISION_WIDE) != 0 && !wideFits(mask)) {
      return "a wide write of mask " + Integer.toHexString(mask);
    }
    return judgedFault(mask) + registersFault();
  }

  /** One swap, so that no record shows it partly done. */
  private boolean wideFits(int mask) {
    int first = Integer.numberOfTrailingZeros(mask);
    boolean whole = mask == 0xFFFF << first && ((exit.gpa() & -8) + first) % 16 == 0;
    return whole || exit.done() != 0;
  }

  /** Swapped is exactly what the record showed. */
  private String judgedFault(int mask) {
    for (int entry = 0; entry < Native.PT_WINDOW_BYTES / Long.BYTES; entry++) {
      long expected = producer.decisionLong(vcpu, DecisionLayout.EXPECTED + entry * Long.BYTES);
      if ((mask >>> entry * Long.BYTES & 0xFF) != 0 && expected != exit.window(entry)) {
        return "expected entry " + entry + " is not the record's; ";
      }
    }
    return "";
  }

  private String registersFault() {
    long rip = producer.decisionLong(vcpu, DecisionLayout.RIP);
    long rflags = producer.decisionLong(vcpu, DecisionLayout.RFLAGS);
    long advance = rip - exit.rip();
    if (exit.codeBits() != 64) {
      advance &= 0xFFFF_FFFFL;
    }
    if (advance < 0 || advance > LONGEST_INSTRUCTION || exit.codeBits() != 64 && rip >>> 32 != 0) {
      return "rip from " + Long.toHexString(exit.rip()) + " to " + Long.toHexString(rip);
    }
    long changed = exit.rflags() ^ rflags;
    if ((changed & ~(CHANGEABLE_FLAGS | RESUME_FLAG)) != 0
        || (rflags & ~exit.rflags() & RESUME_FLAG) != 0) {
      return "rflags from " + Long.toHexString(exit.rflags()) + " to " + Long.toHexString(rflags);
    }
    return word(DecisionLayout.GPR_MASK) >>> 16 == 0 ? "" : "registers past r15";
  }

  private String moreFault(int flags) {
    int needs = word(DecisionLayout.NEEDS);
    int source = word(DecisionLayout.SOURCE_BYTES);
    if (exit.done() != 0 || flags != 0 || needs == 0) {
      return "MORE for " + needs + " with flags " + flags + ", done " + exit.done();
    }
    if ((needs & Native.PT_MORE_SOURCE) != 0 && (source < 1 || source > Native.PT_SOURCE_BYTES)) {
      return "MORE for " + source + " bytes";
    }
    boolean xmm = (needs & Native.PT_MORE_XMM) != 0;
    return xmm && word(DecisionLayout.XMM_REGISTER) >>> 4 != 0 ? "MORE for no register" : "";
  }

  private int word(int offset) {
    return producer.decisionInt(vcpu, offset);
  }
}
