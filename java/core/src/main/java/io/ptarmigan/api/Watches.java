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

  /**
   * As {@link #watch}, and besides keeps the entries on the path as they are: in none of them, at
   * any level, can the guest change one of the bits. A write that would do so takes effect on
   * registers and not on memory. This holds for every write, also one that is not emulated, comes
   * while Java is late or is not running at all; a veto in {@link TranslationListener#before} does
   * not. The listener is told by {@link TranslationListener#denied}.
   *
   * <p>Entries are kept from the moment they are read, as they are then: where the path changes in
   * bits that are not denied, those of the new tables are kept. To keep a translation as a whole
   * take {@link Bits#DEFAULT}. {@link Bits#PS} means nothing in an entry of the lowest level; with
   * {@link Bits#FRAME} the whole frame field is kept, whatever the size of the page.
   *
   * <p>The native side keeps rules for {@code PT_DENY_RULES} entries of all watches; rules beyond
   * are counted as refused, and only emulated writes are denied by them.
   *
   * @throws IllegalArgumentException as {@link #watch}, and if there are no bits
   */
  Watch deny(long cr3, long address, Bits bits, TranslationListener listener);
}
