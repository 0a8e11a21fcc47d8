// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.observe;

import java.util.Locale;

/** Parts of the time that a virtual CPU waits, from the request to the reply. */
public enum Share {
  /** Request taken to record published: completing the record. */
  NATIVE,
  /** The ways through shared memory, there and back, with what either side slept. */
  RING,
  /** Record seen to decision published. */
  JAVA,
  /** Decision seen to reply sent: validating and applying it. */
  REPLY,
  /** All of it, also for exits that Java did not decide or that were published again. */
  TOTAL;

  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
