// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.api.Plugin;
import io.ptarmigan.paging.EntryFormat;
import io.ptarmigan.paging.PagingMode;
import io.ptarmigan.watch.ChangeRecord;
import io.ptarmigan.watch.PageTableWrites;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ServiceLoader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WatchAndDenyTest {
  private static final EntryFormat FORMAT = new EntryFormat(PagingMode.FOUR_LEVEL, 46);
  private static final long VA = 0x40_0000;
  private static final long ROOT = 0x1000;
  private static final long LINK = 7;
  private static final long READ_ONLY = 5;

  private final SmallGuest guest = new SmallGuest();
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

  WatchAndDenyTest() {
    guest.writes = new PageTableWrites(FORMAT, guest, c -> ((ChangeRecord) c).deliver(), () -> {});
    for (int level = 4; level >= 1; level--) {
      guest.set(entry(level), table(level - 1) | LINK);
    }
  }

  private static long table(int level) {
    return ROOT + (4 - level) * 0x1000L;
  }

  private static long entry(int level) {
    return FORMAT.entryAddress(level, table(level), VA);
  }

  @AfterEach
  void forgetProperties() {
    System.clearProperty("watch.cr3");
    System.clearProperty("watch.va");
    System.clearProperty("deny.va");
  }

  private void start() {
    System.setProperty("watch.cr3", "0x1000");
    System.setProperty("watch.va", Long.toString(VA));
    PrintStream out = new PrintStream(printed, true, StandardCharsets.UTF_8);
    new WatchAndDeny(out).start(() -> guest.writes.watches());
    guest.settle();
  }

  private String[] lines() {
    return printed.toString(StandardCharsets.UTF_8).split("\n");
  }

  @Test
  void printsChanges() {
    start();
    assertTrue(guest.store(entry(1), 0x9000 | LINK));
    assertTrue(guest.store(entry(1), 0));
    assertEquals(2, lines().length);
    assertTrue(lines()[0].startsWith("0x400000 level 1 remapped: present writable user frame=0x5"));
    assertTrue(lines()[1].startsWith("0x400000 level 1 unmapped: "));
  }

  @Test
  void keepsAnAddressReadOnly() {
    guest.set(entry(1), 0x9000 | READ_ONLY);
    System.setProperty("deny.va", Long.toString(VA));
    start();
    assertFalse(guest.store(entry(1), 0x9000 | LINK));
    assertEquals(0x9000 | READ_ONLY, guest.get(entry(1)));
    assertTrue(lines()[0].startsWith("0x400000 level 1 unchanged: "));
    assertTrue(lines()[0].endsWith(" denied)"));
    assertFalse(guest.store(entry(3), table(2) | READ_ONLY), "the right is kept at every level");
    assertTrue(guest.store(entry(1), 0xA000 | READ_ONLY), "another frame is no grant");
  }

  @Test
  void missingPropertyIsNamed() {
    IllegalArgumentException error =
        assertThrows(
            IllegalArgumentException.class,
            () -> new WatchAndDeny().start(() -> guest.writes.watches()));
    assertTrue(error.getMessage().contains("watch.cr3"));
  }

  @Test
  void serviceLoaderFindsIt() {
    assertTrue(
        ServiceLoader.load(Plugin.class).stream()
            .anyMatch(provider -> provider.type() == WatchAndDeny.class));
  }
}
