// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class WatchedTablesTest {
  @Test
  void roomThatIsGivenBackIsUsedAgain() {
    WatchedTables tables = new WatchedTables(new FakeGuest(16));
    for (int i = 0; i < 1000; i++) {
      tables.reserve(4);
      tables.unreserve(4);
    }
    assertEquals(4, tables.created());
    tables.reserve(8);
    assertEquals(8, tables.created());
  }

  private static final class Item extends LongIndex.Node<Item> {}

  @Test
  void indexAgreesWithAMap() {
    SplittableRandom random = new SplittableRandom(7);
    LongIndex<Item> index = new LongIndex<>(random.nextLong());
    Map<Long, Item> map = new HashMap<>();
    for (int i = 0; i < 20_000; i++) {
      long key = random.nextLong(300) << 12;
      Item item = map.remove(key);
      if (item != null) {
        index.remove(item);
        assertNull(index.get(key));
      } else {
        item = new Item();
        item.key = key;
        index.put(item);
        map.put(key, item);
      }
      if (i % 1000 == 0) {
        index.reserve(i / 100);
      }
      assertEquals(map.size(), index.size());
    }
    map.forEach((key, item) -> assertSame(item, index.get(key)));
  }
}
