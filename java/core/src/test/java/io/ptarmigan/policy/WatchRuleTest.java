// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.ptarmigan.api.Bits;
import io.ptarmigan.api.TranslationListener;
import io.ptarmigan.api.Verdict;
import io.ptarmigan.api.Watch;
import io.ptarmigan.api.Watches;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WatchRuleTest {
  @Test
  void addressAloneWatchesTheUsualBits() {
    WatchRule rule = WatchRule.parse("4096:0xffff800000200000");
    assertEquals(
        new WatchRule(0x1000, 0xffff_8000_0020_0000L, Bits.DEFAULT, WritePolicy.ALLOW), rule);
  }

  @Test
  void bitsAndDenialInEitherOrder() {
    WatchRule rule = new WatchRule(0x1000, 0x5000, Bits.P.with(Bits.FRAME), WritePolicy.DENY);
    assertEquals(rule, WatchRule.parse("0x1000:0x5000,p+frame,deny"));
    assertEquals(rule, WatchRule.parse("0x1000:0x5000,deny,p+frame"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "0x1000", "0x1000:", "a:b", "1:2:3", "0x1000:0x5000,", "1:2,dirty", "-1:2"})
  void nonsenseIsRefused(String text) {
    assertThrows(IllegalArgumentException.class, () -> WatchRule.parse(text));
  }

  @Test
  void placedRuleJudgesAndObserves() {
    TranslationListener[] placed = new TranslationListener[1];
    TranslationListener[] denying = new TranslationListener[1];
    Watches watches =
        new Watches() {
          @Override
          public Watch watch(long cr3, long va, Bits bits, TranslationListener listener) {
            placed[0] = listener;
            return null;
          }

          @Override
          public Watch deny(long cr3, long va, Bits bits, TranslationListener listener) {
            denying[0] = listener;
            return null;
          }
        };
    AtomicInteger seen = new AtomicInteger();
    WatchRule.parse("1:2,deny").place(watches, change -> seen.incrementAndGet());
    assertEquals(Verdict.DENY, denying[0].before(null));
    denying[0].changed(null);
    denying[0].denied(null);
    assertEquals(2, seen.get());
    WatchRule.parse("1:2").place(watches, change -> {});
    assertEquals(Verdict.ALLOW, placed[0].before(null));
  }
}
