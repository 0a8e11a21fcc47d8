// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.Watch;
import io.ptarmigan.paging.EntryFormat;
import io.ptarmigan.paging.Translation;

/**
 * A change as a reusable object: filled by the decider, copied by the sink, delivered by the
 * observer thread. For one thread at a time.
 */
public final class ChangeRecord implements TranslationChange {
  private final EntryFormat format;
  private final Translation after = new Translation();
  private PathWatch watch;
  private int level;
  private long oldEntry;
  private long newEntry;
  private long oldFrame;
  private long newFrame;
  private long oldPageSize;
  private long newPageSize;
  private Cause cause;
  private How how;
  private int vcpu;
  private long sequence;
  private long instruction;

  public ChangeRecord(EntryFormat format) {
    this.format = format;
  }

  /** Which watch, and which entry of its path went from what to what. */
  void entry(PathWatch watch, int level, long oldEntry, long newEntry) {
    this.watch = watch;
    this.level = level;
    this.oldEntry = oldEntry;
    this.newEntry = newEntry;
  }

  /** What the address translated to and translates to; {@link #entry} comes first. */
  void translation(Translation before, Translation after) {
    oldFrame = frame(before);
    newFrame = frame(after);
    oldPageSize = pageSize(before);
    newPageSize = pageSize(after);
    cause = cause(before, after, level);
    this.after.set(after);
  }

  /** The address translates as before; {@link #entry} comes first. */
  void unchanged(Translation translation) {
    oldFrame = newFrame = frame(translation);
    oldPageSize = newPageSize = pageSize(translation);
    cause = Cause.UNCHANGED;
  }

  void origin(How how, int vcpu, long sequence, long instruction) {
    this.how = how;
    this.vcpu = vcpu;
    this.sequence = sequence;
    this.instruction = instruction;
  }

  private long pageSize(Translation translation) {
    return translation.mapped() ? format.pageBytes(translation.pageLevel()) : 0;
  }

  private static long frame(Translation translation) {
    switch (translation.state()) {
      case Translation.MAPPED:
        return translation.frame();
      case Translation.NOT_MAPPED:
        return NO_FRAME;
      default:
        return UNKNOWN_FRAME;
    }
  }

  private static Cause cause(Translation before, Translation after, int level) {
    if (after.state() == Translation.UNREADABLE) {
      return Cause.UNREADABLE;
    }
    if (after.state() == Translation.NOT_MAPPED) {
      return Cause.UNMAPPED;
    }
    if (!before.mapped()) {
      return Cause.MAPPED;
    }
    if (after.state() == Translation.UNKNOWN) {
      return before.pageLevel() == level ? Cause.SPLIT : Cause.TABLE_REPLACED;
    }
    if (after.pageLevel() != before.pageLevel()) {
      return after.pageLevel() < before.pageLevel() ? Cause.SPLIT : Cause.MERGED;
    }
    if (after.frame() == before.frame()) {
      return Cause.RIGHTS_CHANGED;
    }
    return level > after.pageLevel() ? Cause.TABLE_REPLACED : Cause.REMAPPED;
  }

  /** Takes over another record's content. */
  public void copyFrom(TranslationChange change) {
    ChangeRecord from = (ChangeRecord) change;
    after.set(from.after);
    watch = from.watch;
    level = from.level;
    oldEntry = from.oldEntry;
    newEntry = from.newEntry;
    oldFrame = from.oldFrame;
    newFrame = from.newFrame;
    oldPageSize = from.oldPageSize;
    newPageSize = from.newPageSize;
    cause = from.cause;
    how = from.how;
    vcpu = from.vcpu;
    sequence = from.sequence;
    instruction = from.instruction;
  }

  /**
   * Tells the listener of the watch, unless the watch is closed, and takes a note of it only then:
   * what a JVM dies with untold the next one tells. On the observer thread.
   */
  public void deliver() {
    if (watch.closed()) {
      return;
    }
    if (how == How.DENIED || how == How.LATE_DENIED) {
      watch.listener.denied(this);
    } else {
      watch.listener.changed(this);
      watch.note.write(after);
    }
  }

  @Override
  public Watch watch() {
    return watch;
  }

  @Override
  public long address() {
    return watch.address();
  }

  @Override
  public long cr3() {
    return watch.cr3();
  }

  @Override
  public int level() {
    return level;
  }

  @Override
  public long oldEntry() {
    return oldEntry;
  }

  @Override
  public long newEntry() {
    return newEntry;
  }

  @Override
  public long oldFrame() {
    return oldFrame;
  }

  @Override
  public long newFrame() {
    return newFrame;
  }

  @Override
  public long oldPageSize() {
    return oldPageSize;
  }

  @Override
  public long newPageSize() {
    return newPageSize;
  }

  @Override
  public Cause cause() {
    return cause;
  }

  @Override
  public How how() {
    return how;
  }

  @Override
  public int vcpu() {
    return vcpu;
  }

  @Override
  public long sequence() {
    return sequence;
  }

  @Override
  public long instruction() {
    return instruction;
  }

  EntryFormat format() {
    return format;
  }

  /** One line for people, see {@link ChangeText}. Allocates. */
  @Override
  public String toString() {
    return ChangeText.line(this);
  }
}
