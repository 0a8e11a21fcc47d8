// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.api;

/** Told how the translation of a watched address changes. */
public interface TranslationListener {
  /**
   * A guest instruction is about to change the translation; memory still holds the old entry. A
   * veto makes the instruction take effect on registers but not on memory.
   *
   * <p>Called on the thread that decides about exits, while a virtual CPU waits, under the exit's
   * deadline: it must not block, allocate or keep {@code proposed}, which is reused. It can be
   * called again for the same instruction when another virtual CPU changed the entry meanwhile.
   * Writes that are not emulated are not asked about, nor those that {@link Watches#deny} denies.
   * Listeners are asked in the order in which the watches were placed until one denies. An
   * exception counts as {@link Verdict#ALLOW}.
   *
   * <p>Where the new entry links a table that is not read yet, {@link TranslationChange#newFrame()}
   * is {@link TranslationChange#UNKNOWN_FRAME}; it is then not certain that the translation
   * changes.
   */
  default Verdict before(TranslationChange proposed) {
    return Verdict.ALLOW;
  }

  /**
   * The guest tried to change bits that {@link Watches#deny} keeps, and memory is as before. Called
   * on the observer thread, in order with {@link #changed}; {@code attempt} is reused after the
   * call. {@link TranslationChange#oldEntry()} is what memory holds, {@link
   * TranslationChange#newEntry()} what the guest wanted to write.
   *
   * <p>{@link TranslationChange.How#LATE_DENIED} deserves an alarm: the instruction was executed
   * without having been judged, and memory was put right after it, before the virtual CPU went on.
   */
  default void denied(TranslationChange attempt) {}

  /**
   * The translation has changed. Called on the observer thread, in the order of the changes, and
   * only for what really happened. {@code change} is reused after the call.
   *
   * <p>Changes that follow each other faster than the tables below a changed entry can be read are
   * told as one, from the translation told last to the one in force.
   */
  void changed(TranslationChange change);
}
