// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.abi;

import io.ptarmigan.abi.generated.pt_cpu;
import io.ptarmigan.abi.generated.pt_exit_record;

/** Byte offsets of {@code struct pt_exit_record}, an EXIT record. */
public final class ExitLayout {
  /** Bytes of the struct. */
  public static final int SIZE = Offsets.size(pt_exit_record.class);

  public static final int FIRST = Offsets.of(pt_exit_record.class, "first");
  public static final int ROUND = Offsets.of(pt_exit_record.class, "round");
  public static final int VIEW = Offsets.of(pt_exit_record.class, "view");
  public static final int ACCESS = Offsets.of(pt_exit_record.class, "access");
  public static final int DONE = Offsets.of(pt_exit_record.class, "done");
  public static final int GPA = Offsets.of(pt_exit_record.class, "gpa");
  public static final int GLA = Offsets.of(pt_exit_record.class, "gla");
  private static final int CPU = Offsets.of(pt_exit_record.class, "cpu");

  public static final int GPR = CPU + Offsets.of(pt_cpu.class, "gpr");
  public static final int RIP = CPU + Offsets.of(pt_cpu.class, "rip");
  public static final int RFLAGS = CPU + Offsets.of(pt_cpu.class, "rflags");
  public static final int CR0 = CPU + Offsets.of(pt_cpu.class, "cr0");
  public static final int CR3 = CPU + Offsets.of(pt_cpu.class, "cr3");
  public static final int CR4 = CPU + Offsets.of(pt_cpu.class, "cr4");
  public static final int EFER = CPU + Offsets.of(pt_cpu.class, "efer");
  public static final int DR7 = CPU + Offsets.of(pt_cpu.class, "dr7");
  public static final int SEGMENT_BASE = CPU + Offsets.of(pt_cpu.class, "segment_base");
  public static final int CODE_BITS = CPU + Offsets.of(pt_cpu.class, "code_bits");
  public static final int CPL = CPU + Offsets.of(pt_cpu.class, "cpl");
  public static final int SEGMENT_SELECTOR = CPU + Offsets.of(pt_cpu.class, "segment_selector");

  public static final int INSN_COUNT = Offsets.of(pt_exit_record.class, "insn_count");
  public static final int WINDOW_COUNT = Offsets.of(pt_exit_record.class, "window_count");
  public static final int INSN = Offsets.of(pt_exit_record.class, "insn");
  public static final int WINDOW = Offsets.of(pt_exit_record.class, "window");
  public static final int TAKEN_NS = Offsets.of(pt_exit_record.class, "taken_ns");
  public static final int PUBLISHED_NS = Offsets.of(pt_exit_record.class, "published_ns");

  public static final int ATTACHED = Offsets.of(pt_exit_record.class, "attached");
  public static final int SOURCE_COUNT = Offsets.of(pt_exit_record.class, "source_count");
  public static final int SOURCE_ALIASED = Offsets.of(pt_exit_record.class, "source_aliased");
  public static final int XMM_REGISTER = Offsets.of(pt_exit_record.class, "xmm_register");
  public static final int SOURCE = Offsets.of(pt_exit_record.class, "source");
  public static final int XMM = Offsets.of(pt_exit_record.class, "xmm");

  private ExitLayout() {}
}
