// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import io.ptarmigan.policy.WatchRule;

/** An address to watch, and what people call it. */
record NamedWatch(String name, WatchRule rule) {
  /**
   * Reads a rule, which names itself.
   *
   * @throws IllegalArgumentException with a sentence for the user
   */
  static NamedWatch parse(String text) {
    return new NamedWatch(text, WatchRule.parse(text));
  }
}
