// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/**
 * Bounded cache of plans in front of a decoder. A hit compares the instruction's own bytes, their
 * count and the code size, and allocates nothing.
 *
 * <p>The slot is chosen from all bytes at hand, those of the next instructions included: the same
 * place in the guest's code always finds the same slot, and only the comparison decides whether the
 * plan is the right one. One place needs one slot; the same instruction elsewhere takes another.
 *
 * <p>Not thread-safe: one per decider.
 */
public final class PlanCache {
  private static final int WAYS = 8;
  private static final long MIX_LOW = 0x9E37_79B9_7F4A_7C15L;
  private static final long MIX_HIGH = 0xC2B2_AE3D_27D4_EB4FL;

  private final Decoder decoder;
  private final Plan[] plans;
  private final int hashShift;
  private int victim;
  private long hits;
  private long misses;
  private long evictions;

  /**
   * @param capacity plans kept at most, a power of two of at least 8
   */
  public PlanCache(Decoder decoder, int capacity) {
    if (capacity < WAYS || Integer.bitCount(capacity) != 1) {
      throw new IllegalArgumentException("capacity " + capacity);
    }
    this.decoder = decoder;
    this.plans = new Plan[capacity];
    this.hashShift = 64 - Integer.numberOfTrailingZeros(capacity);
  }

  /** The plan for the exit's instruction, decoded if need be. */
  Plan find(ExitState in) {
    return find(in.codeBits(), in.instructionLow(), in.instructionHigh(), in.instructionCount());
  }

  Plan find(int bits, long low, long high, int count) {
    int first = slot(bits, low, high);
    for (int way = 0; way < WAYS; way++) {
      Plan plan = plans[first ^ way];
      if (plan == null) {
        break;
      }
      if (plan.matches(bits, low, high, count)) {
        hits++;
        return plan;
      }
    }
    return decode(first, bits, low, high, count);
  }

  private int slot(int bits, long low, long high) {
    long mixed = (low ^ Long.rotateLeft(high * MIX_HIGH, 31) ^ bits) * MIX_LOW;
    return (int) (mixed >>> hashShift);
  }

  private Plan decode(int first, int bits, long low, long high, int count) {
    misses++;
    Plan plan = decoder.decode(bits, low, high, count);
    if (plan.refusal == Result.TRUNCATED || plan.refusal == Result.DECODER) {
      return plan; // says nothing about the next exit with these bytes
    }
    for (int way = 0; way < WAYS; way++) {
      if (plans[first ^ way] == null) {
        plans[first ^ way] = plan;
        return plan;
      }
    }
    plans[first ^ victim] = plan;
    victim = (victim + 1) & (WAYS - 1);
    evictions++;
    return plan;
  }

  public long hits() {
    return hits;
  }

  /** Cold decodes. */
  public long misses() {
    return misses;
  }

  public long evictions() {
    return evictions;
  }
}
