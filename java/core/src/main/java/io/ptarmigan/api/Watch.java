// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.api;

/** One watched address. Safe for use by any thread. */
public interface Watch extends AutoCloseable {
  /** Root of the watched address space, as given. */
  long cr3();

  /** Watched virtual address, as given. */
  long address();

  /** What matters to this watch. */
  Bits bits();

  /** True from the moment when every table on the path is protected and read, until closed. */
  boolean inForce();

  /**
   * Ends the watch. No callback begins after this returns, except on another thread that was about
   * to begin one. The tables lose their protection in the background unless other watches need it.
   * Closing twice does nothing.
   */
  @Override
  void close();
}
