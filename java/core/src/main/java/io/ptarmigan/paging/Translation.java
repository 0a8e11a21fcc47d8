// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.paging;

/**
 * What one virtual address translates to: frame, page size and the rights in force after all
 * levels. Built by {@link #begin} and one {@link #descend} per level, downwards. Mutable and
 * reused; for one thread.
 */
public final class Translation {
  /** The walk has not come to its end. */
  public static final int UNKNOWN = 0;

  /** An entry on the path is not present or breaks a reserved bit. */
  public static final int NOT_MAPPED = 1;

  public static final int MAPPED = 2;

  /** A table on the path cannot be read. */
  public static final int UNREADABLE = 3;

  private static final long GRANTED_BY_ALL = EntryFormat.P | EntryFormat.RW | EntryFormat.US;

  private static final long EFFECTIVE =
      GRANTED_BY_ALL | EntryFormat.NX | EntryFormat.PKEY | EntryFormat.FRAME;

  /** Level of the entry that maps the largest page. */
  private static final int HIGHEST_PAGE = 3;

  private int state;

  /** In entry layout: rights in force, key, and the 4 KiB frame of the address. */
  private long effective;

  private int level;
  private long next;

  /** Starts a walk at the root table. */
  public void begin(long rootAddress) {
    state = UNKNOWN;
    effective = GRANTED_BY_ALL;
    level = 0;
    next = rootAddress;
  }

  /**
   * Takes the entry of one level.
   *
   * @return true if the walk goes on at {@link #nextTable()}
   */
  public boolean descend(EntryFormat format, int level, long entry, long address) {
    switch (format.kind(level, entry)) {
      case EntryFormat.TABLE:
        combine(entry);
        next = format.tableAddress(entry);
        return true;
      case EntryFormat.PAGE:
        combine(entry);
        state = MAPPED;
        this.level = level;
        long inside = address & (format.pageBytes(level) - 1) & EntryFormat.FRAME;
        effective |= format.pageAddress(level, entry) | inside | entry & EntryFormat.PKEY;
        return false;
      default:
        end(NOT_MAPPED);
        return false;
    }
  }

  private void combine(long entry) {
    effective &= entry | ~GRANTED_BY_ALL;
    effective |= entry & EntryFormat.NX;
  }

  /** Ends the walk at a table that cannot be read. */
  public void unreadable() {
    end(UNREADABLE);
  }

  private void end(int how) {
    state = how;
    effective = 0;
    level = 0;
  }

  /** Guest-physical address of the table to read next. */
  public long nextTable() {
    return next;
  }

  public int state() {
    return state;
  }

  public boolean mapped() {
    return state == MAPPED;
  }

  /** 4 KiB frame of the address; meaningful when mapped. */
  public long frame() {
    return (effective & EntryFormat.FRAME) >>> 12;
  }

  /** Level of the entry that maps the page; 0 when not mapped. */
  public int pageLevel() {
    return level;
  }

  /** P, RW, US, NX, PKEY and frame in force, in entry layout; 0 when not mapped. */
  public long effective() {
    return effective;
  }

  /**
   * Becomes what {@link #state}, {@link #effective} and {@link #pageLevel} of another said.
   *
   * @return false, and nothing changes, if no walk that came to its end can have said so
   */
  public boolean restore(int state, long effective, int level) {
    boolean nothing = effective == 0 && level == 0;
    boolean page =
        level >= 1
            && level <= HIGHEST_PAGE
            && (effective & ~EFFECTIVE) == 0
            && (effective & EntryFormat.P) != 0;
    if (state == MAPPED ? !page : (state != NOT_MAPPED && state != UNREADABLE) || !nothing) {
      return false;
    }
    this.state = state;
    this.effective = effective;
    this.level = level;
    return true;
  }

  public void set(Translation from) {
    state = from.state;
    effective = from.effective;
    level = from.level;
    next = from.next;
  }

  /**
   * True if going from this to {@code after} matters under a selection of bits in entry layout.
   * Without P, not being mapped is no news: the caller keeps what it was before ({@link
   * #supersedes}) and compares what is mapped later with that. Losing or gaining sight of a table
   * always matters.
   */
  public boolean differs(Translation after, long bits) {
    if (state == MAPPED && after.state == MAPPED) {
      return ((effective ^ after.effective) & bits & ~EntryFormat.PS) != 0
          || (bits & EntryFormat.PS) != 0 && level != after.level;
    }
    if (state == after.state || !after.supersedes(bits)) {
      return false;
    }
    return supersedes(bits) || after.state == UNREADABLE;
  }

  /** True if this is to be what later translations are compared with, in place of an older one. */
  public boolean supersedes(long bits) {
    return state != NOT_MAPPED || (bits & EntryFormat.P) != 0;
  }
}
