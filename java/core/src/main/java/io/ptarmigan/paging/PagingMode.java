// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.paging;

/**
 * The shape of each paging mode, one row per mode. {@link EntryFormat} turns a row into masks;
 * nothing else may ask which mode it is.
 */
public enum PagingMode {
  /** 4-level paging (SDM vol. 3A, 5.5; large pages of 2 MiB and 1 GiB). */
  FOUR_LEVEL(48, 8, new int[] {9, 9, 9, 9}, new boolean[] {true, true, true, false});

  private final int linearBits;
  private final int entryBytes;
  private final int[] indexBits;
  private final boolean[] mapsPages;

  /**
   * @param linearBits bits of a virtual address that are translated; those above repeat the highest
   * @param entryBytes size of an entry
   * @param indexBits address bits that select an entry, from level 1 upwards
   * @param mapsPages whether an entry can map a page, from level 1 upwards
   */
  PagingMode(int linearBits, int entryBytes, int[] indexBits, boolean[] mapsPages) {
    this.linearBits = linearBits;
    this.entryBytes = entryBytes;
    this.indexBits = indexBits;
    this.mapsPages = mapsPages;
  }

  public int levels() {
    return indexBits.length;
  }

  public int entryBytes() {
    return entryBytes;
  }

  public int linearBits() {
    return linearBits;
  }

  int indexBits(int level) {
    return indexBits[level - 1];
  }

  boolean mapsPages(int level) {
    return mapsPages[level - 1];
  }

  /** Throws {@link IllegalArgumentException} for a physical address width that no processor has. */
  static void checkWidth(int maxPhysicalBits) {
    if (maxPhysicalBits < 36 || maxPhysicalBits > 52) {
      throw new IllegalArgumentException("MAXPHYADDR is 36 to 52, not " + maxPhysicalBits);
    }
  }
}
