// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.api;

import java.util.Locale;

/**
 * Which parts of a translation matter to a watch. Rights are those in force after all levels: a
 * page is writable if every entry on the path says so. The accessed and dirty flags cannot be
 * chosen, since the processor sets them without an exit.
 *
 * <p>Without {@link #P} an address that is unmapped and mapped again is compared with what was
 * mapped before, so that page-out and page-in to the same frame are silent.
 */
public final class Bits {
  /** Mapped or not. */
  public static final Bits P = new Bits(1L);

  /** Writable. */
  public static final Bits RW = new Bits(1L << 1);

  /** Accessible to user mode. */
  public static final Bits US = new Bits(1L << 2);

  /** Page size. */
  public static final Bits PS = new Bits(1L << 7);

  /** The frame of the address. */
  public static final Bits FRAME = new Bits(0x000F_FFFF_FFFF_F000L);

  /** Protection key. */
  public static final Bits PKEY = new Bits(0xFL << 59);

  /** No instruction fetch. */
  public static final Bits NX = new Bits(1L << 63);

  /** All but the protection key. */
  public static final Bits DEFAULT = P.with(RW).with(US).with(PS).with(FRAME).with(NX);

  private static final Bits[] SINGLE = {P, RW, US, PS, NX, FRAME, PKEY};
  private static final String[] NAMES = {"p", "rw", "us", "ps", "nx", "frame", "pkey"};

  private final long mask;

  private Bits(long mask) {
    this.mask = mask;
  }

  /** These and those. */
  public Bits with(Bits those) {
    return new Bits(mask | those.mask);
  }

  /** These except those. */
  public Bits without(Bits those) {
    return new Bits(mask & ~those.mask);
  }

  /** True if all of those are among these. */
  public boolean has(Bits those) {
    return (mask & those.mask) == those.mask;
  }

  /** The bits in the layout of a 64-bit page-table entry. */
  public long mask() {
    return mask;
  }

  /**
   * Reads names joined by {@code +}, such as {@code p+rw+frame}.
   *
   * @throws IllegalArgumentException at an unknown name
   */
  public static Bits parse(String names) {
    Bits sum = new Bits(0);
    for (String name : names.split("\\+", -1)) {
      sum = sum.with(named(name));
    }
    return sum;
  }

  private static Bits named(String name) {
    String lower = name.strip().toLowerCase(Locale.ROOT);
    for (int i = 0; i < NAMES.length; i++) {
      if (NAMES[i].equals(lower)) {
        return SINGLE[i];
      }
    }
    throw new IllegalArgumentException(
        "'" + name + "' is none of " + String.join(", ", NAMES) + " joined by +");
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Bits && ((Bits) other).mask == mask;
  }

  @Override
  public int hashCode() {
    return Long.hashCode(mask);
  }

  /** The form that {@link #parse} reads; empty for none. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < SINGLE.length; i++) {
      if (has(SINGLE[i])) {
        text.append(text.length() == 0 ? "" : "+").append(NAMES[i]);
      }
    }
    return text.toString();
  }
}
