// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.paging;

/**
 * The entries of one paging mode on a processor with a given physical address width (MAXPHYADDR).
 * Immutable; the methods neither allocate nor throw for any entry a guest can write.
 *
 * <p>Assumes EFER.NXE = 1, as every 64-bit kernel has it, and 1 GiB pages.
 */
public final class EntryFormat {
  public static final long P = 1L;
  public static final long RW = 1L << 1;
  public static final long US = 1L << 2;
  public static final long A = 1L << 5;
  public static final long D = 1L << 6;
  public static final long PS = 1L << 7;
  public static final long NX = 1L << 63;
  public static final long PKEY = 0xFL << 59;

  /** Address bits of an entry; those from MAXPHYADDR up are reserved. */
  public static final long FRAME = 0x000F_FFFF_FFFF_F000L;

  /** What {@link #kind} says: nothing is mapped below the entry. */
  public static final int NOT_PRESENT = 0;

  /** Present, with a bit set that must be 0: every use faults (SDM vol. 3A, 5.7, RSVD). */
  public static final int RESERVED = 1;

  /** Links a table of the next lower level. */
  public static final int TABLE = 2;

  /** Maps a page. */
  public static final int PAGE = 3;

  private static final long CAN_MATTER = P | RW | US | PS | FRAME | PKEY | NX;
  private static final int PAGE_SHIFT = 12;

  private final PagingMode mode;
  private final int entryBytes;
  private final int levels;
  private final long physicalMask;
  private final int[] shift;
  private final int[] indexMask;
  private final boolean[] choosesByPs;
  private final long[] reservedInTable;
  private final long[] reservedInPage;

  /**
   * @param maxPhysicalBits MAXPHYADDR, 36 to 52
   */
  public EntryFormat(PagingMode mode, int maxPhysicalBits) {
    PagingMode.checkWidth(maxPhysicalBits);
    this.mode = mode;
    entryBytes = mode.entryBytes();
    levels = mode.levels();
    this.physicalMask = (1L << maxPhysicalBits) - 1;
    int slots = levels + 1;
    shift = new int[slots];
    indexMask = new int[slots];
    choosesByPs = new boolean[slots];
    reservedInTable = new long[slots];
    reservedInPage = new long[slots];
    long beyond = FRAME & ~physicalMask;
    int at = PAGE_SHIFT;
    for (int level = 1; level < slots; level++) {
      shift[level] = at;
      indexMask[level] = (1 << mode.indexBits(level)) - 1;
      choosesByPs[level] = level > 1 && mode.mapsPages(level);
      reservedInTable[level] = beyond | (mode.mapsPages(level) ? 0 : PS);
      // Bit 12 of a large page's entry is PAT; address bits between it and the page size are 0.
      reservedInPage[level] = beyond | (level == 1 ? 0 : (1L << at) - (1L << (PAGE_SHIFT + 1)));
      at += mode.indexBits(level);
    }
  }

  public PagingMode mode() {
    return mode;
  }

  public int levels() {
    return levels;
  }

  /** True if the bits above the translated ones repeat the highest of them. */
  public boolean canonical(long address) {
    int spare = Long.SIZE - mode.linearBits();
    return address << spare >> spare == address;
  }

  /** Guest-physical address of the root table, whatever else CR3 holds. */
  public long rootAddress(long cr3) {
    return cr3 & FRAME;
  }

  /** True if an address can exist on this processor. */
  public boolean physical(long address) {
    return (address & ~physicalMask) == 0;
  }

  /** Guest-physical address of the entry of {@code table} that translates a virtual address. */
  public long entryAddress(int level, long table, long address) {
    return table + (long) ((int) (address >>> shift[level]) & indexMask[level]) * entryBytes;
  }

  /** {@link #NOT_PRESENT}, {@link #RESERVED}, {@link #TABLE} or {@link #PAGE}. */
  public int kind(int level, long entry) {
    if ((entry & P) == 0) {
      return NOT_PRESENT;
    }
    boolean page = level == 1 || choosesByPs[level] && (entry & PS) != 0;
    long reserved = page ? reservedInPage[level] : reservedInTable[level];
    if ((entry & reserved) != 0) {
      return RESERVED;
    }
    return page ? PAGE : TABLE;
  }

  /** Bits of an entry that must be 0 and are not; 0 for one that is not present. */
  public long reservedBits(int level, long entry) {
    if ((entry & P) == 0) {
      return 0;
    }
    boolean page = level == 1 || choosesByPs[level] && (entry & PS) != 0;
    return entry & (page ? reservedInPage[level] : reservedInTable[level]);
  }

  /** Guest-physical address of the table that an entry of kind {@link #TABLE} links. */
  public long tableAddress(long entry) {
    return entry & FRAME & physicalMask;
  }

  /** Guest-physical address of the page that an entry of kind {@link #PAGE} maps. */
  public long pageAddress(int level, long entry) {
    return entry & FRAME & physicalMask & -pageBytes(level);
  }

  /** Bytes mapped by a page entry of this level, or by a whole table one level down. */
  public long pageBytes(int level) {
    return 1L << shift[level];
  }

  /**
   * False if a write from one value to the other cannot change any translation: both are not
   * present, or they differ only in bits that do not translate (A, D, caching, those free for
   * software).
   */
  public static boolean canMatter(long before, long after) {
    return ((before ^ after) & CAN_MATTER) != 0 && ((before | after) & P) != 0;
  }
}
