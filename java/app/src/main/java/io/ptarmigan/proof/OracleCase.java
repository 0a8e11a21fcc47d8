// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.proof;

import io.ptarmigan.x86.ExitState;
import java.nio.ByteBuffer;

/** One record of the oracle as the emulator's input; moved from record to record. */
final class OracleCase implements ExitState {
  static final int WINDOW_BYTES = 32;
  static final int SOURCE_BYTES = 32;
  private static final int FS = 4;
  private static final int GS = 5;

  private final ByteBuffer records;
  private final OracleLayout layout;
  private final int gpr;
  private final int rip;
  private final int rflags;
  private final int fsBase;
  private final int gsBase;
  private final int windowAt;
  private final int sourceAt;
  private final int landing;
  private final int insn;
  private final int window;
  private final int source;
  private final int xmm;
  private final int insnCount;
  private final int windowCount;
  private final int sourceCount;
  private final int mode;
  private final int outGpr;
  private final int outRip;
  private final int outRflags;
  private final int outWindow;
  private final int outStatus;
  private final int outSignal;
  private final int[] selectors = new int[6];

  private int at;
  private int offset;

  OracleCase(ByteBuffer records, OracleLayout layout) {
    this.records = records;
    this.layout = layout;
    gpr = layout.offset("gpr");
    rip = layout.offset("rip");
    rflags = layout.offset("rflags");
    fsBase = layout.offset("fs_base");
    gsBase = layout.offset("gs_base");
    windowAt = layout.offset("window_at");
    sourceAt = layout.offset("source_at");
    landing = layout.offset("landing");
    insn = layout.offset("insn");
    window = layout.offset("window");
    source = layout.offset("source");
    xmm = layout.offset("xmm");
    insnCount = layout.offset("insn_count");
    windowCount = layout.offset("window_count");
    sourceCount = layout.offset("source_count");
    mode = layout.offset("mode");
    outGpr = layout.offset("out_gpr");
    outRip = layout.offset("out_rip");
    outRflags = layout.offset("out_rflags");
    outWindow = layout.offset("out_window");
    outStatus = layout.offset("out_status");
    outSignal = layout.offset("out_signal");
    for (int i = 0; i < selectors.length; i++) {
      selectors[i] = (int) layout.numbers("selectors")[i];
    }
  }

  /**
   * Moves to a record.
   *
   * @param entryOffset where in its entry the store begins, 0 to 7
   */
  OracleCase at(int record, int entryOffset) {
    at = record * layout.recordBytes;
    offset = entryOffset;
    return this;
  }

  void setGpr(int register, long value) {
    records.putLong(at + gpr + 8 * register, value);
  }

  void setRip(long value) {
    records.putLong(at + rip, value);
  }

  void setRflags(long value) {
    records.putLong(at + rflags, value);
  }

  void setFsBase(long value) {
    records.putLong(at + fsBase, value);
  }

  void setGsBase(long value) {
    records.putLong(at + gsBase, value);
  }

  /** Where the window lies and how much of it the page holds. */
  void setWindowAt(long address, int count) {
    records.putLong(at + windowAt, address);
    records.putInt(at + windowCount, count);
  }

  void setWindow(int entry, long value) {
    records.putLong(at + window + 8 * entry, value);
  }

  void setSourceAt(long address, int count) {
    records.putLong(at + sourceAt, address);
    records.putInt(at + sourceCount, count);
  }

  void setSource(int index, long value) {
    records.putLong(at + source + 8 * index, value);
  }

  void setXmm(int register, long low, long high) {
    records.putLong(at + xmm + 16 * register, low);
    records.putLong(at + xmm + 16 * register + 8, high);
  }

  void setLanding(long address) {
    records.putLong(at + landing, address);
  }

  void setInstruction(long low, long high, int count) {
    records.putLong(at + insn, low);
    records.putLong(at + insn + 8, high);
    records.putInt(at + insnCount, count);
  }

  void setStepped(boolean stepped) {
    records.putInt(at + mode, stepped ? (int) layout.numbers("step_mode")[0] : 0);
  }

  long landing() {
    return records.getLong(at + landing);
  }

  long sourceAt() {
    return records.getLong(at + sourceAt);
  }

  long outGpr(int register) {
    return records.getLong(at + outGpr + 8 * register);
  }

  long outRip() {
    return records.getLong(at + outRip);
  }

  long outRflags() {
    return records.getLong(at + outRflags);
  }

  long outWindow(int entry) {
    return records.getLong(at + outWindow + 8 * entry);
  }

  int outStatus() {
    return records.getInt(at + outStatus);
  }

  int outSignal() {
    return records.getInt(at + outSignal);
  }

  @Override
  public int codeBits() {
    return 64;
  }

  @Override
  public long instructionLow() {
    return records.getLong(at + insn);
  }

  @Override
  public long instructionHigh() {
    return records.getLong(at + insn + 8);
  }

  @Override
  public int instructionCount() {
    return records.getInt(at + insnCount);
  }

  @Override
  public long gpr(int register) {
    return records.getLong(at + gpr + 8 * register);
  }

  @Override
  public long rip() {
    return records.getLong(at + rip);
  }

  @Override
  public long rflags() {
    return records.getLong(at + rflags);
  }

  @Override
  public long segmentBase(int segment) {
    return segment == FS || segment == GS
        ? records.getLong(at + (segment == FS ? fsBase : gsBase))
        : 0;
  }

  @Override
  public long cr0() {
    return 0;
  }

  @Override
  public long cr4() {
    return 0;
  }

  @Override
  public long efer() {
    return 0;
  }

  @Override
  public long dr7() {
    return 0;
  }

  @Override
  public int cpl() {
    return 3;
  }

  @Override
  public long gla() {
    return records.getLong(at + windowAt) + offset;
  }

  @Override
  public long window(int entry) {
    return records.getLong(at + window + 8 * entry);
  }

  @Override
  public int windowCount() {
    return records.getInt(at + windowCount);
  }

  @Override
  public int done() {
    return 0;
  }

  @Override
  public int selector(int segment) {
    return selectors[segment];
  }

  @Override
  public int sourceCount() {
    return records.getInt(at + sourceCount);
  }

  @Override
  public long source(int index) {
    return records.getLong(at + source + 8 * index);
  }

  @Override
  public boolean hasXmm(int register) {
    return true;
  }

  @Override
  public long xmmLow(int register) {
    return records.getLong(at + xmm + 16 * register);
  }

  @Override
  public long xmmHigh(int register) {
    return records.getLong(at + xmm + 16 * register + 8);
  }
}
