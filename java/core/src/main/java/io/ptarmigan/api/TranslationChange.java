// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.api;

/** One change of the translation of one watched address. Valid during the callback only. */
public interface TranslationChange {
  /** Frame of an address that is not mapped. */
  long NO_FRAME = -1;

  /** Frame of an address whose tables are not read (yet). */
  long UNKNOWN_FRAME = -2;

  /** Why the translation changed. */
  enum Cause {
    /** Not mapped before, mapped now. */
    MAPPED,
    /** Mapped before; now an entry on the path is not present or has a reserved bit set. */
    UNMAPPED,
    /** Other frame, same page size, by a write to the entry that maps the page. */
    REMAPPED,
    /** Same frame and page size, other rights or protection key. */
    RIGHTS_CHANGED,
    /** Mapped by a smaller page than before. */
    SPLIT,
    /** Mapped by a larger page than before. */
    MERGED,
    /** Same page size, reached through another table than before. */
    TABLE_REPLACED,
    /** A table on the path cannot be read, such as one outside the guest's memory. */
    UNREADABLE,
    /** It has not: the write was denied. */
    UNCHANGED
  }

  /** How the change came about. */
  enum How {
    /** It has not: this is a question to {@link TranslationListener#before}. */
    PROPOSED,
    /** Emulated, and swapped into the guest's memory. */
    APPLIED,
    /** Executed by the virtual CPU itself in a single step. */
    STEPPED,
    /** Executed by the hypervisor's emulator. */
    HV_EMULATED,
    /**
     * Found in memory without having been seen as a write: behind the monitor's back, or while the
     * JVM that had told the translation before was gone and this one was not there yet.
     */
    RESYNC,
    /** Found when the watch was placed. */
    PLACED,
    /** Not at all: the write was judged and denied before it reached memory. */
    DENIED,
    /**
     * Not to stay: a write that nobody had judged changed denied bits, and they were put back
     * before the virtual CPU went on; or they were kept from being written, then {@link
     * #newEntry()} is {@link #oldEntry()}.
     */
    LATE_DENIED
  }

  Watch watch();

  /** The watched virtual address. */
  long address();

  /** Root of the watched address space. */
  long cr3();

  /** Level of the entry that changed, 1 for a PTE; the highest if several did. */
  int level();

  /**
   * The entry at {@link #level()} before: the value that the write replaced. 0 where it is not
   * known, as for a {@link How#RESYNC} after a restart.
   */
  long oldEntry();

  /** The entry at {@link #level()} now, or as proposed. */
  long newEntry();

  /** 4 KiB frame of the watched address before; {@link #NO_FRAME}, {@link #UNKNOWN_FRAME}. */
  long oldFrame();

  /** 4 KiB frame of the watched address now; {@link #NO_FRAME}, {@link #UNKNOWN_FRAME}. */
  long newFrame();

  /** Bytes of the page that mapped the address before; 0 without a frame. */
  long oldPageSize();

  /** Bytes of the page that maps the address now; 0 without a frame. */
  long newPageSize();

  Cause cause();

  How how();

  /** Virtual CPU that wrote; -1 where that is not known: {@link How#PLACED}, or a restart. */
  int vcpu();

  /** Number of the exit in the monitor's stream, from 1; 0 where {@link #vcpu} is -1. */
  long sequence();

  /** Linear address of the instruction that wrote; 0 where {@link #vcpu} is -1. */
  long instruction();
}
