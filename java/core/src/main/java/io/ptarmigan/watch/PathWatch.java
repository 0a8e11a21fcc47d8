// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import io.ptarmigan.api.Bits;
import io.ptarmigan.api.TranslationChange.How;
import io.ptarmigan.api.TranslationListener;
import io.ptarmigan.api.Watch;
import io.ptarmigan.paging.Translation;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One watch and its path. Fields that are not final belong to the decider, but for the two flags
 * that other threads see.
 */
final class PathWatch implements Watch {
  final long root;
  final TranslationListener listener;

  /** Bits that matter, in entry layout. */
  final long mask;

  /** Bits that must not change in any entry of the path; 0 for a watch that denies nothing. */
  final long denied;

  /** Place in the order of placement, from 1; 0 before. */
  long order;

  /** By level, 1 upwards; slot 0 is empty. */
  final Step[] steps;

  /** The translation that the listener knows of: told last, or found when placed. */
  final Translation told = new Translation();

  /** Of what the listener was told last; null before it is placed. */
  Note note;

  /** What was told by an earlier JVM; null where nothing is known, and once in force. */
  Translation before;

  /** The highest entry written since then; level 0 if none. */
  int writtenLevel;

  long replaced;
  int vcpu;
  long sequence;
  long instruction;
  How how;

  /** Next of the watches whose path is to be walked anew. */
  PathWatch nextTouched;

  boolean touched;

  /** Next of the watches that a proposed write affects, and where in the write it does. */
  PathWatch nextAffected;

  int affectedLevel;
  int affectedEntry;

  private final long cr3;
  private final long address;
  private final Bits bits;
  private final WatchRequests requests;
  private final AtomicBoolean closed = new AtomicBoolean();
  private volatile boolean inForce;

  PathWatch(
      WatchRequests requests,
      long cr3,
      long root,
      long address,
      Bits bits,
      boolean denies,
      TranslationListener listener,
      int levels) {
    this.requests = requests;
    this.cr3 = cr3;
    this.root = root;
    this.address = address;
    this.bits = bits;
    this.mask = bits.mask();
    this.denied = denies ? bits.mask() : 0;
    this.listener = listener;
    steps = new Step[levels + 1];
    for (int level = 1; level <= levels; level++) {
      steps[level] = new Step(this, level);
    }
  }

  @Override
  public long cr3() {
    return cr3;
  }

  @Override
  public long address() {
    return address;
  }

  @Override
  public Bits bits() {
    return bits;
  }

  @Override
  public boolean inForce() {
    return inForce && !closed.get();
  }

  void enterForce() {
    inForce = true;
  }

  boolean closed() {
    return closed.get();
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      requests.remove(this);
    }
  }

  /** A write that happened replaced the entry at a level of the path. */
  void written(int level, long old, AppliedWrite write, How how) {
    if (level < writtenLevel) {
      return;
    }
    if (level > writtenLevel) {
      writtenLevel = level;
      replaced = old;
    }
    vcpu = write.vcpu();
    sequence = write.sequence();
    instruction = write.rip();
    this.how = how;
  }
}
