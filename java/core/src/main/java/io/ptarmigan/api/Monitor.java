// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.api;

/** The monitor of one guest, as a plug-in sees it. Safe for use by any thread. */
public interface Monitor {
  /** Places watches on this guest. */
  Watches watches();
}
