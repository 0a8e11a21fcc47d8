// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.policy;

import io.ptarmigan.api.Bits;
import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.TranslationListener;
import io.ptarmigan.api.Verdict;
import io.ptarmigan.api.Watch;
import io.ptarmigan.api.Watches;
import java.util.function.Consumer;

/**
 * A watch as a user writes it: {@code CR3:ADDRESS[,BITS][,deny]}. Numbers are decimal or, after
 * {@code 0x}, hexadecimal; bits are as {@link Bits#parse} reads them. For example {@code
 * 0x1000:0xffff800000200000,p+frame,deny}.
 */
public record WatchRule(long cr3, long address, Bits bits, WritePolicy policy) {
  /**
   * @throws IllegalArgumentException with a sentence for the user
   */
  public static WatchRule parse(String text) {
    String[] parts = text.split(",", -1);
    String[] place = parts[0].split(":", -1);
    if (place.length != 2) {
      throw new IllegalArgumentException("'" + text + "' does not begin with CR3:ADDRESS");
    }
    Bits bits = Bits.DEFAULT;
    WritePolicy policy = WritePolicy.ALLOW;
    for (int i = 1; i < parts.length; i++) {
      if (parts[i].equals("deny")) {
        policy = WritePolicy.DENY;
      } else {
        bits = Bits.parse(parts[i]);
      }
    }
    return new WatchRule(number(place[0]), number(place[1]), bits, policy);
  }

  private static long number(String text) {
    try {
      return text.startsWith("0x")
          ? Long.parseUnsignedLong(text.substring(2), 16)
          : Long.parseUnsignedLong(text);
    } catch (NumberFormatException notANumber) {
      throw new IllegalArgumentException("'" + text + "' is no number", notANumber);
    }
  }

  /**
   * Places the watch; with {@link WritePolicy#DENY} as one that keeps the entries on its path.
   *
   * @param observer told of changes and of what was denied, as a {@link TranslationListener} is
   */
  public Watch place(Watches watches, Consumer<TranslationChange> observer) {
    TranslationListener listener = listener(observer);
    return policy == WritePolicy.DENY
        ? watches.deny(cr3, address, bits, listener)
        : watches.watch(cr3, address, bits, listener);
  }

  private TranslationListener listener(Consumer<TranslationChange> observer) {
    return new TranslationListener() {
      @Override
      public Verdict before(TranslationChange proposed) {
        return policy.judge(proposed);
      }

      @Override
      public void denied(TranslationChange attempt) {
        observer.accept(attempt);
      }

      @Override
      public void changed(TranslationChange change) {
        observer.accept(change);
      }
    };
  }
}
