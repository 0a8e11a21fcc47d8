// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import io.ptarmigan.abi.ExitLayout;
import io.ptarmigan.abi.HeadLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.x86.IcedDecoder;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;

/** An exit in words. */
final class ExitText {
  private ExitText() {}

  /**
   * Who did what where.
   *
   * @param record a slot's bytes
   */
  static List<String> lines(ByteBuffer record) {
    return List.of(
        String.format(
            "exit %d, vCPU %d, round %d: %s (%s)",
            record.getLong(HeadLayout.SEQUENCE),
            record.getInt(HeadLayout.VCPU),
            record.getInt(ExitLayout.ROUND),
            instructionBytes(record),
            instruction(record)),
        String.format(
            "  rip 0x%x, gpa 0x%x, gla 0x%x, cr3 0x%x",
            record.getLong(ExitLayout.RIP),
            record.getLong(ExitLayout.GPA),
            record.getLong(ExitLayout.GLA),
            record.getLong(ExitLayout.CR3)));
  }

  /** Hexadecimal, as many as the record says it has. */
  static String instructionBytes(ByteBuffer record) {
    return bytes(
        record, ExitLayout.INSN, record.getInt(ExitLayout.INSN_COUNT), Native.PT_INSN_BYTES);
  }

  /**
   * Hexadecimal.
   *
   * @param count as the record says
   * @param most as there can be
   */
  static String bytes(ByteBuffer record, int offset, int count, int most) {
    byte[] bytes = new byte[Math.min(Math.max(count, 0), most)];
    record.get(offset, bytes);
    return HexFormat.of().formatHex(bytes);
  }

  private static String instruction(ByteBuffer record) {
    return new IcedDecoder()
        .decode(
            record.getInt(ExitLayout.CODE_BITS),
            record.getLong(ExitLayout.INSN),
            record.getLong(ExitLayout.INSN + Long.BYTES),
            record.getInt(ExitLayout.INSN_COUNT))
        .toString();
  }
}
