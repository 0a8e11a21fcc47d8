// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.paging.EntryFormat;
import io.ptarmigan.paging.EntryText;
import java.util.Locale;

/**
 * Changes in words. Apart from {@link ChangeRecord}, because the JVM creates all string constants
 * of a class on the thread that first has one of its methods compiled, which would be the decider.
 */
final class ChangeText {
  private ChangeText() {}

  /** Address, level, both entries and both translations, and who wrote. */
  static String line(ChangeRecord change) {
    EntryFormat format = change.format();
    return String.format(
        "0x%x level %d %s: %s -> %s; %s -> %s (vcpu %d, exit %d, rip 0x%x, %s)",
        change.address(),
        change.level(),
        words(change.cause()),
        EntryText.describe(format, change.level(), change.oldEntry()),
        EntryText.describe(format, change.level(), change.newEntry()),
        target(change.oldFrame(), change.oldPageSize()),
        target(change.newFrame(), change.newPageSize()),
        change.vcpu(),
        change.sequence(),
        change.instruction(),
        words(change.how()));
  }

  private static String words(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static String target(long frame, long size) {
    if (frame == TranslationChange.NO_FRAME) {
      return "unmapped";
    }
    return frame == TranslationChange.UNKNOWN_FRAME
        ? "unknown"
        : String.format("frame 0x%x in %s page", frame, EntryText.size(size));
  }
}
