// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.paging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** 4-level entries, case by case after SDM vol. 3A, tables 5-15 to 5-20, MAXPHYADDR 46. */
class EntryFormatTest {
  private static final EntryFormat FORMAT = new EntryFormat(PagingMode.FOUR_LEVEL, 46);

  @ParameterizedTest
  @CsvSource({
    "4, 0x0000000000001067, TABLE",
    "4, 0x00000000000010E7, RESERVED", // bit 7 of a PML4E
    "4, 0x0000400000001067, RESERVED", // an address bit at MAXPHYADDR
    "4, 0x7FF0000000001067, TABLE", // bits that are ignored
    "4, 0x8000000000001067, TABLE", // NX
    "4, 0x0000400000001066, NOT_PRESENT", // not looked at when not present
    "3, 0x0000000000001067, TABLE",
    "3, 0x00000000400000E7, PAGE",
    "3, 0x00000000400010E7, PAGE", // bit 12 is PAT
    "3, 0x00000000400020E7, RESERVED", // bit 13
    "3, 0x00000000600000E7, RESERVED", // bit 29
    "3, 0x00004000400000E7, RESERVED",
    "3, 0x0000000020002067, TABLE", // the same bits in a link are address
    "2, 0x00000000002000E7, PAGE",
    "2, 0x00000000002010E7, PAGE",
    "2, 0x00000000002020E7, RESERVED",
    "2, 0x00000000003000E7, RESERVED", // bit 20
    "2, 0x0000000000100067, TABLE",
    "1, 0x0000000000001067, PAGE",
    "1, 0x00000000000010E7, PAGE", // bit 7 is PAT
    "1, 0x0008000000001067, RESERVED", // bit 51
    "1, 0x0000200000001067, PAGE", // bit 45
    "1, 0x0010000000001067, PAGE", // bit 52 is free
    "1, 0x0000000000000000, NOT_PRESENT",
  })
  void kinds(int level, String entry, String kind) {
    String[] names = {"NOT_PRESENT", "RESERVED", "TABLE", "PAGE"};
    assertEquals(kind, names[FORMAT.kind(level, number(entry))]);
  }

  private static long number(String text) {
    return Long.parseUnsignedLong(text.substring(2), 16);
  }

  @Test
  void widthDecidesWhatIsReserved() {
    EntryFormat narrow = new EntryFormat(PagingMode.FOUR_LEVEL, 36);
    EntryFormat wide = new EntryFormat(PagingMode.FOUR_LEVEL, 52);
    assertEquals(EntryFormat.RESERVED, narrow.kind(1, 1L << 36 | 1));
    assertEquals(EntryFormat.PAGE, wide.kind(1, 1L << 51 | 1));
    assertEquals(1L << 36, narrow.reservedBits(1, 1L << 36 | 1L << 35 | 1));
    assertEquals(0, narrow.reservedBits(1, 1L << 36));
    assertTrue(wide.physical(1L << 51));
    assertFalse(narrow.physical(1L << 36));
    assertThrows(IllegalArgumentException.class, () -> new EntryFormat(PagingMode.FOUR_LEVEL, 35));
    assertThrows(IllegalArgumentException.class, () -> new EntryFormat(PagingMode.FOUR_LEVEL, 53));
  }

  @Test
  void addressesOfEntriesTablesAndPages() {
    long va = 0xFFFF_8123_4567_89ABL;
    assertEquals(0x1000 + 8 * 0x102, FORMAT.entryAddress(4, 0x1000, va));
    assertEquals(0x1000 + 8 * 0x08D, FORMAT.entryAddress(3, 0x1000, va));
    assertEquals(0x1000 + 8 * 0x02B, FORMAT.entryAddress(2, 0x1000, va));
    assertEquals(0x1000 + 8 * 0x078, FORMAT.entryAddress(1, 0x1000, va));
    assertEquals(0x1234_5000, FORMAT.tableAddress(0xFFF0_0000_1234_5FFFL));
    assertEquals(0x1234_5000, FORMAT.pageAddress(1, 0x1234_5067));
    assertEquals(0x1220_0000, FORMAT.pageAddress(2, 0x1220_10E7));
    assertEquals(0x4000_0000, FORMAT.pageAddress(3, 0x4000_10E7));
    assertEquals(4096, FORMAT.pageBytes(1));
    assertEquals(2 << 20, FORMAT.pageBytes(2));
    assertEquals(1 << 30, FORMAT.pageBytes(3));
    assertEquals(0x1234_5000, FORMAT.rootAddress(0x8000_0000_1234_5ABCL));
  }

  @Test
  void canonicalAddresses() {
    assertTrue(FORMAT.canonical(0));
    assertTrue(FORMAT.canonical(0x0000_7FFF_FFFF_FFFFL));
    assertTrue(FORMAT.canonical(0xFFFF_8000_0000_0000L));
    assertTrue(FORMAT.canonical(-1));
    assertFalse(FORMAT.canonical(0x0000_8000_0000_0000L));
    assertFalse(FORMAT.canonical(0xFFFF_7FFF_FFFF_FFFFL));
  }

  @ParameterizedTest
  @CsvSource({
    "0x1067, 0x1067, false",
    "0x1067, 0x1007, false", // A and D
    "0x1067, 0x10E7, true", // bit 7
    "0x1067, 0x1E7F, false", // caching, global, software bits
    "0x1067, 0x0010000000001067, false",
    "0x1067, 0x1066, true",
    "0x1067, 0x1065, true",
    "0x1067, 0x1063, true",
    "0x1067, 0x2067, true",
    "0x1067, 0x8000000000001067, true",
    "0x1067, 0x0800000000001067, true", // protection key
    "0x1066, 0x2066, false", // neither is present
    "0x0000, 0x1067, true"
  })
  void whatCanMatter(String before, String after, boolean matters) {
    assertEquals(matters, EntryFormat.canMatter(number(before), number(after)));
    assertEquals(matters, EntryFormat.canMatter(number(after), number(before)));
  }

  @ParameterizedTest
  @CsvSource({
    "1, 0x8000000000123067, present writable user nx frame=0x123 4K accessed dirty",
    "1, 0x0000000000123001, present read-only supervisor frame=0x123 4K",
    "2, 0x00000000402000E3, present writable supervisor frame=0x40200 2M accessed dirty",
    "3, 0x00000000400000A7, present writable user frame=0x40000 1G accessed",
    "2, 0x0000000000123067, present writable user table=0x123 accessed",
    "1, 0x3000000000123007, present writable user frame=0x123 4K key=6",
    "4, 0x0000000000123087, present writable user reserved=0x80",
    "1, 0x0000000000000000, not present",
    "1, 0x0000000000123000, not present 0x123000"
  })
  void words(int level, String entry, String words) {
    assertEquals(words, EntryText.describe(FORMAT, level, number(entry)));
  }
}
