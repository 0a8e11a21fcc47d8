// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.policy;

import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.Verdict;

/** Decides about changes of watched translations before they happen. */
public interface WritePolicy {
  /** Watches only. */
  WritePolicy ALLOW = proposed -> Verdict.ALLOW;

  /**
   * Vetoes every change that matters to the watch; a {@link WatchRule} keeps the entries besides.
   */
  WritePolicy DENY = proposed -> Verdict.DENY;

  /** Under the conditions of {@link io.ptarmigan.api.TranslationListener#before}. */
  Verdict judge(TranslationChange proposed);
}
