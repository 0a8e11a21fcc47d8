// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import io.ptarmigan.abi.CompletionLayout;
import io.ptarmigan.abi.ExitLayout;
import io.ptarmigan.abi.HeadLayout;
import io.ptarmigan.abi.OutcomeLayout;
import io.ptarmigan.abi.generated.Native;
import java.nio.ByteBuffer;

/** Records of the stream as lines of {@code name=value} words; see {@link RecordingText}. */
final class RecordText {
  private static final String[] GPR = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"
  };
  private static final String[] SEGMENTS = {"es", "cs", "ss", "ds", "fs", "gs"};

  private final ByteBuffer record;
  private final StringBuilder line;

  private RecordText(String kind, ByteBuffer record) {
    this.record = record;
    line = new StringBuilder(kind);
    number("sequence", record.getLong(HeadLayout.SEQUENCE));
    number("vcpu", record.getInt(HeadLayout.VCPU));
  }

  private RecordText word(String name, String value) {
    line.append(' ').append(name).append('=').append(value);
    return this;
  }

  private RecordText number(String name, long value) {
    return word(name, Long.toString(value));
  }

  private RecordText hex(String name, long value) {
    return word(name, "0x" + Long.toHexString(value));
  }

  private RecordText number64(String name, int offset) {
    return number(name, record.getLong(offset));
  }

  private RecordText number32(String name, int offset) {
    return number(name, Integer.toUnsignedLong(record.getInt(offset)));
  }

  private RecordText hex64(String name, int offset) {
    return hex(name, record.getLong(offset));
  }

  private RecordText hex32(String name, int offset) {
    return hex(name, Integer.toUnsignedLong(record.getInt(offset)));
  }

  private RecordText bytes(String name, int offset, int count, int most) {
    return word(name, ExitText.bytes(record, offset, count, most));
  }

  static String exit(ByteBuffer record) {
    RecordText text =
        new RecordText("exit", record)
            .number64("first", ExitLayout.FIRST)
            .number32("round", ExitLayout.ROUND)
            .number32("view", ExitLayout.VIEW)
            .hex32("access", ExitLayout.ACCESS)
            .hex32("done", ExitLayout.DONE)
            .hex64("gpa", ExitLayout.GPA)
            .hex64("gla", ExitLayout.GLA)
            .hex64("rip", ExitLayout.RIP)
            .hex64("rflags", ExitLayout.RFLAGS);
    for (int i = 0; i < GPR.length; i++) {
      text.hex64(GPR[i], ExitLayout.GPR + Long.BYTES * i);
    }
    text.hex64("cr0", ExitLayout.CR0)
        .hex64("cr3", ExitLayout.CR3)
        .hex64("cr4", ExitLayout.CR4)
        .hex64("efer", ExitLayout.EFER)
        .hex64("dr7", ExitLayout.DR7);
    for (int i = 0; i < SEGMENTS.length; i++) {
      text.hex64(SEGMENTS[i] + "_base", ExitLayout.SEGMENT_BASE + Long.BYTES * i);
    }
    for (int i = 0; i < SEGMENTS.length; i++) {
      int selector = record.getShort(ExitLayout.SEGMENT_SELECTOR + Short.BYTES * i);
      text.hex(SEGMENTS[i], selector & 0xFFFF);
    }
    return text.number32("bits", ExitLayout.CODE_BITS)
        .number32("cpl", ExitLayout.CPL)
        .word("insn", ExitText.instructionBytes(record))
        .bytes(
            "window",
            ExitLayout.WINDOW,
            record.getInt(ExitLayout.WINDOW_COUNT),
            Native.PT_WINDOW_BYTES)
        .hex32("attached", ExitLayout.ATTACHED)
        .bytes(
            "source",
            ExitLayout.SOURCE,
            record.getInt(ExitLayout.SOURCE_COUNT),
            Native.PT_SOURCE_BYTES)
        .number32("source_aliased", ExitLayout.SOURCE_ALIASED)
        .number("xmm_register", record.getInt(ExitLayout.XMM_REGISTER))
        .bytes("xmm", ExitLayout.XMM, Native.PT_XMM_BYTES, Native.PT_XMM_BYTES)
        .number64("taken_ns", ExitLayout.TAKEN_NS)
        .number64("published_ns", ExitLayout.PUBLISHED_NS)
        .line
        .toString();
  }

  static String outcome(ByteBuffer record) {
    return new RecordText("outcome", record)
        .number64("exit", OutcomeLayout.EXIT)
        .number64("first", OutcomeLayout.FIRST)
        .number32("round", OutcomeLayout.ROUND)
        .word("result", Names.result(record.getInt(OutcomeLayout.RESULT)))
        .word("cause", Names.cause(record.getInt(OutcomeLayout.CAUSE)))
        .number32("more", OutcomeLayout.MORE)
        .number32("stores", OutcomeLayout.STORES)
        .hex64("gpa", OutcomeLayout.GPA)
        .hex32("mask", OutcomeLayout.MASK)
        .bytes("replaced", OutcomeLayout.REPLACED, Native.PT_WINDOW_BYTES, Native.PT_WINDOW_BYTES)
        .bytes("bytes", OutcomeLayout.BYTES, Native.PT_WINDOW_BYTES, Native.PT_WINDOW_BYTES)
        .hex64("rip", OutcomeLayout.RIP)
        .hex64("cr3", OutcomeLayout.CR3)
        .number64("taken_ns", OutcomeLayout.TAKEN_NS)
        .number64("published_ns", OutcomeLayout.PUBLISHED_NS)
        .number64("seen_ns", OutcomeLayout.SEEN_NS)
        .number64("decided_ns", OutcomeLayout.DECIDED_NS)
        .number64("collected_ns", OutcomeLayout.COLLECTED_NS)
        .number64("swapped_ns", OutcomeLayout.SWAPPED_NS)
        .number64("replied_ns", OutcomeLayout.REPLIED_NS)
        .line
        .toString();
  }

  /** Outcomes before it were not told to the JVM. */
  static String missed(ByteBuffer record) {
    return new RecordText("missed", record).line.toString();
  }

  static String completion(ByteBuffer record) {
    return new RecordText("completion", record)
        .number64("command", CompletionLayout.COMMAND)
        .word("kind", Names.command(record.getInt(CompletionLayout.KIND)))
        .number("status", record.getInt(CompletionLayout.STATUS))
        .hex64("gpa", CompletionLayout.GPA)
        .number32("length", CompletionLayout.LENGTH)
        .bytes(
            "data",
            CompletionLayout.DATA,
            record.getInt(CompletionLayout.LENGTH),
            Native.PT_COMPLETION_BYTES)
        .line
        .toString();
  }
}
