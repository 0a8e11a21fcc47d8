// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/**
 * STOS and MOVS, also repeated. Of a REP as many elements are done as lie in the window; what is
 * left raises the next exit, as an interrupt between two elements would show it.
 */
final class Strings {
  private static final int SOURCE_BYTES = 32;
  private static final int PAGE_BYTES = 4096;

  private Strings() {}

  static Result stos(Plan plan, ExitState in, Effect out) {
    int step = step(plan, in);
    int elements = elements(plan, in, out, step);
    long value = in.gpr(Registers.RAX);
    for (int i = 0; i < elements; i++) {
      out.write(out.offset + i * step, plan.size, value);
    }
    return advance(plan, in, out, elements, step);
  }

  static Result movs(Plan plan, ExitState in, Effect out) {
    int step = step(plan, in);
    int held = Math.min(in.sourceCount(), SOURCE_BYTES);
    int elements = elements(plan, in, out, step);
    elements = Math.min(elements, untilOverlap(plan, in, step));
    int first = step > 0 ? 0 : held - plan.size;
    if (elements > 0) {
      if (held < plan.size) {
        return needSource(plan, in, out, elements, step);
      }
      elements = Math.min(elements, held / plan.size);
    }
    for (int i = 0; i < elements; i++) {
      long value = source(in, first + i * step, plan.size);
      out.write(out.offset + i * step, plan.size, value);
    }
    return advanceSource(plan, in, out, elements, step);
  }

  private static Result needSource(Plan plan, ExitState in, Effect out, int elements, int step) {
    long address = plan.source.linear(in, 0);
    int wanted = Math.min(elements, readable(plan, address, step));
    return out.needSource(address, wanted * plan.size);
  }

  /**
   * Elements of the source that may be read. The processor has read only the first, so what it
   * checks for the others must be the same: they end with the page, and where segments have limits
   * there are none. Downwards there are none either: the bytes are read lowest first, and other
   * processors could tell if an element were read before the one above it.
   */
  private static int readable(Plan plan, long address, int step) {
    if (step < 0 || plan.bits != 64) {
      return 1;
    }
    int left = PAGE_BYTES - (int) (address & PAGE_BYTES - 1);
    return Math.max(1, Math.min(left, SOURCE_BYTES) / plan.size);
  }

  /** {@code size} bytes (at most 8) of the source from byte {@code from}. */
  static long source(ExitState in, int from, int size) {
    int shift = 8 * (from & 7);
    long value = in.source(from >> 3) >>> shift;
    if (shift + 8 * size > 64) {
      value |= in.source((from >> 3) + 1) << 64 - shift;
    }
    return value & Flags.valueMask(size);
  }

  private static int step(Plan plan, ExitState in) {
    return (in.rflags() & Flags.DF) == 0 ? plan.size : -plan.size;
  }

  /** Elements to do now: those asked for, in the window, and before the address wraps. */
  private static int elements(Plan plan, ExitState in, Effect out, int step) {
    if (!plan.repeated) {
      return 1;
    }
    int room = step > 0 ? (in.windowCount() - out.offset) / plan.size : out.offset / plan.size + 1;
    long wanted = in.gpr(Registers.RCX) & plan.address.mask;
    room = Math.min(room, beforeWrap(in.gpr(Registers.RDI), plan, step));
    room =
        plan.operation == Operation.MOVS
            ? Math.min(room, beforeWrap(in.gpr(Registers.RSI), plan, step))
            : room;
    return Long.compareUnsigned(wanted, room) < 0 ? (int) wanted : room;
  }

  /**
   * An index of 16 or 32 bits wraps inside the segment; such an element is left to the next exit.
   */
  private static int beforeWrap(long index, Plan plan, int step) {
    if (plan.address.mask == -1) {
      return Integer.MAX_VALUE;
    }
    long from = index & plan.address.mask;
    long elements = step > 0 ? (plan.address.mask - from) / plan.size + 1 : from / plan.size + 1;
    return (int) Math.min(elements, Integer.MAX_VALUE);
  }

  /**
   * Elements before the first that reads what an earlier one wrote: the record holds it as it was.
   */
  private static int untilOverlap(Plan plan, ExitState in, int step) {
    if (in.sourceAliased()) {
      return 1;
    }
    long ahead = plan.source.linear(in, 0) - in.gla();
    long distance = step > 0 ? -ahead : ahead;
    return distance > 0 && distance < SOURCE_BYTES
        ? Math.max(1, (int) distance / plan.size)
        : Integer.MAX_VALUE;
  }

  private static Result advance(Plan plan, ExitState in, Effect out, int elements, int step) {
    out.stores = elements;
    if (elements == 0) {
      return Result.WRITE; // a count of 0 leaves even the upper halves of the registers alone
    }
    move(plan, in, out, Registers.RDI, (long) elements * step);
    if (plan.repeated) {
      long wanted = in.gpr(Registers.RCX) & plan.address.mask;
      move(plan, in, out, Registers.RCX, -elements);
      if (wanted != elements) {
        out.rip = in.rip();
      }
    }
    return Result.WRITE;
  }

  private static Result advanceSource(Plan plan, ExitState in, Effect out, int elements, int step) {
    if (elements > 0) {
      move(plan, in, out, Registers.RSI, (long) elements * step);
    }
    return advance(plan, in, out, elements, step);
  }

  /** Index and count registers are as wide as the address. */
  private static void move(Plan plan, ExitState in, Effect out, int register, long by) {
    int bytes = Long.bitCount(plan.address.mask) / 8;
    out.setOperand(in, register, 0, bytes, in.gpr(register) + by);
  }
}
