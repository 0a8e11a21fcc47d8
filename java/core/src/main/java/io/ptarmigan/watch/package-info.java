// SPDX-License-Identifier: Apache-2.0
/**
 * What a page-table write means to whoever watches an address.
 *
 * <p>A watch holds one {@link io.ptarmigan.watch.WatchedEntry} per level of its path, from the root
 * down to where the walk ends. Entries are shared between watches and found by their guest-physical
 * address, so that a write costs one lookup per entry however many watches there are. Each entry
 * keeps the frame that holds it protected. A table is protected <em>first</em> and read then; the
 * answer comes in the same ordered stream as the writes, so that answer plus later writes is what
 * memory holds.
 *
 * <p>A write that happened sets the entry's value, and every watch through that entry walks its
 * path anew over the values that are known. Where the walk meets an entry that is still being read
 * it waits; when it ends, the translation is compared with the one told last. So nothing is told
 * twice, and nothing that was over before the tables could be read is told at all.
 */
package io.ptarmigan.watch;
