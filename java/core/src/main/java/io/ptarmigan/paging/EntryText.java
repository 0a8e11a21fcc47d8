// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.paging;

import java.util.Locale;

/** Entries and page sizes in words, for people. Allocates; not for the decider. */
public final class EntryText {
  private EntryText() {}

  /**
   * Such as {@code present writable user nx frame=0x1a2b 2M accessed dirty}, {@code not present},
   * or {@code not present 0x1a2b000} where software keeps something in the entry.
   */
  public static String describe(EntryFormat format, int level, long entry) {
    int kind = format.kind(level, entry);
    if (kind == EntryFormat.NOT_PRESENT) {
      return entry == 0 ? "not present" : "not present 0x" + Long.toHexString(entry);
    }
    StringBuilder text = new StringBuilder("present");
    text.append((entry & EntryFormat.RW) != 0 ? " writable" : " read-only");
    text.append((entry & EntryFormat.US) != 0 ? " user" : " supervisor");
    if ((entry & EntryFormat.NX) != 0) {
      text.append(" nx");
    }
    appendTarget(text, format, level, entry, kind);
    if ((entry & EntryFormat.A) != 0) {
      text.append(" accessed");
    }
    if (kind == EntryFormat.PAGE && (entry & EntryFormat.D) != 0) {
      text.append(" dirty");
    }
    return text.toString();
  }

  private static void appendTarget(
      StringBuilder text, EntryFormat format, int level, long entry, int kind) {
    if (kind == EntryFormat.RESERVED) {
      text.append(" reserved=0x").append(Long.toHexString(format.reservedBits(level, entry)));
      return;
    }
    if (kind == EntryFormat.TABLE) {
      text.append(" table=0x").append(Long.toHexString(format.tableAddress(entry) >>> 12));
      return;
    }
    text.append(" frame=0x").append(Long.toHexString(format.pageAddress(level, entry) >>> 12));
    text.append(' ').append(size(format.pageBytes(level)));
    if ((entry & EntryFormat.PKEY) != 0) {
      text.append(" key=").append(entry >>> 59 & 0xF);
    }
  }

  /** A page size such as {@code 4K}, {@code 2M}, {@code 1G}. */
  public static String size(long bytes) {
    String[] units = {"K", "M", "G"};
    long count = bytes >>> 10;
    int unit = 0;
    while (unit < units.length - 1 && count >= 1024) {
      count >>>= 10;
      unit++;
    }
    return String.format(Locale.ROOT, "%d%s", count, units[unit]);
  }
}
