// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.api;

/** Places translation watches. Safe for use by any thread, also from within a listener. */
public interface Watches {
  /**
   * Watches how one virtual address is translated in one address space. The call returns at once;
   * the tables on the path are protected and read in the background, and {@link Watch#inForce()}
   * says when that is done. Changes before that are not reported.
   *
   * @param cr3 root of the address space; bits that do not belong to the address of the root table
   *     (PCID, PWT, PCD) are ignored
   * @param address canonical virtual address; any byte of the page stands for the page
   * @param bits what matters, see {@link Bits}
   * @param listener told of this address only
   * @throws IllegalArgumentException if the address is not canonical or the root lies beyond the
   *     guest's physical address width
   * @throws IllegalStateException if too many watches wait to be placed
   */
  Watch watch(long cr3, long address, Bits bits, TranslationListener listener);
}
