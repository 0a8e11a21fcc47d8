// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;

/**
 * One exit as a line of text, and the emulator's answer as another: for tables, for debugging, for
 * whoever wants to compare.
 *
 * <p>A case is {@code key=value} words separated by spaces, values in hexadecimal but for {@code
 * bits}: {@code bits} (16, 32 or 64), {@code insn} (1 to 16 bytes), {@code gla}, {@code old} (32
 * bytes as they lie in memory from {@code gla & ~7}), {@code src} (1 to 32 source bytes), {@code
 * rip}, {@code rflags}, the general registers, {@code xmm0} to {@code xmm15} (16 bytes), {@code
 * csbase} and so on, {@code cs} and so on (selectors), {@code cr0 cr4 efer dr7 cpl}. What is
 * missing is 0. The window ends with the page.
 */
public final class TextCase implements ExitState {
  /** Register names in encoding order. */
  private static final String[] GPR = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"
  };

  private static final String[] SEGMENTS = {"es", "cs", "ss", "ds", "fs", "gs"};
  private static final int PAGE_BYTES = 4096;
  private static final int WINDOW_BYTES = 32;

  private final long[] gpr = new long[GPR.length];
  private final long[] segmentBase = new long[SEGMENTS.length];
  private final int[] selector = new int[SEGMENTS.length];
  private final long[] instruction = new long[2];
  private final long[] window = new long[4];
  private final long[] source = new long[4];
  private final long[] xmm = new long[32];
  private int bits;
  private int instructionCount;
  private int sourceCount = 32;
  private long gla;
  private long rip;
  private long rflags;
  private long cr0;
  private long cr4;
  private long efer;
  private long dr7;
  private int cpl;

  private TextCase() {}

  /**
   * Reads a case.
   *
   * @throws IllegalArgumentException with a message for the user if the line is malformed
   */
  public static TextCase parse(String line) {
    TextCase exit = new TextCase();
    Set<String> seen = new HashSet<>();
    for (String word : line.trim().split(" +")) {
      int equals = word.indexOf('=');
      if (equals < 1) {
        throw new IllegalArgumentException("'" + word + "' is not key=value");
      }
      String key = word.substring(0, equals);
      if (!seen.add(key)) {
        throw new IllegalArgumentException(key + " twice");
      }
      exit.set(key, word.substring(equals + 1));
    }
    if (!seen.contains("bits") || !seen.contains("insn")) {
      throw new IllegalArgumentException("no " + (seen.contains("bits") ? "insn" : "bits"));
    }
    return exit;
  }

  private void set(String key, String value) {
    switch (key) {
      case "bits" -> bits = bits(value);
      case "insn" -> instructionCount = bytes(key, value, instruction, 0, 1, 16);
      case "old" -> bytes(key, value, window, 0, WINDOW_BYTES, WINDOW_BYTES);
      case "src" -> sourceCount = bytes(key, value, source, 0, 1, 32);
      case "gla" -> gla = number(key, value, -1);
      case "rip" -> rip = number(key, value, -1);
      case "rflags" -> rflags = number(key, value, -1);
      case "cr0" -> cr0 = number(key, value, -1);
      case "cr4" -> cr4 = number(key, value, -1);
      case "efer" -> efer = number(key, value, -1);
      case "dr7" -> dr7 = number(key, value, -1);
      case "cpl" -> cpl = (int) number(key, value, 3);
      default -> setRegister(key, value);
    }
  }

  private void setRegister(String key, String value) {
    int general = indexOf(GPR, key);
    int base = key.endsWith("base") ? indexOf(SEGMENTS, key.substring(0, key.length() - 4)) : -1;
    int segment = indexOf(SEGMENTS, key);
    if (general >= 0) {
      gpr[general] = number(key, value, -1);
    } else if (base >= 0) {
      segmentBase[base] = number(key, value, -1);
    } else if (segment >= 0) {
      selector[segment] = (int) number(key, value, 0xffff);
    } else if (key.matches("xmm([0-9]|1[0-5])")) {
      bytes(key, value, xmm, 2 * Integer.parseInt(key.substring(3)), 16, 16);
    } else {
      throw new IllegalArgumentException("unknown key " + key);
    }
  }

  private static int indexOf(String[] names, String key) {
    for (int i = 0; i < names.length; i++) {
      if (names[i].equals(key)) {
        return i;
      }
    }
    return -1;
  }

  private static int bits(String value) {
    return switch (value) {
      case "16" -> 16;
      case "32" -> 32;
      case "64" -> 64;
      default -> throw new IllegalArgumentException("bits is '" + value + "', not 16, 32 or 64");
    };
  }

  private static long number(String key, String value, long most) {
    if (!value.matches("[0-9a-fA-F]{1,16}")) {
      throw new IllegalArgumentException(key + " is '" + value + "', not 1 to 16 hex digits");
    }
    long number = Long.parseUnsignedLong(value, 16);
    if (Long.compareUnsigned(number, most) > 0) {
      throw new IllegalArgumentException(key + " is above " + Long.toHexString(most));
    }
    return number;
  }

  /** Fills words from hex bytes as they lie in memory; returns how many bytes. */
  private static int bytes(String key, String value, long[] words, int at, int least, int most) {
    int count = value.length() / 2;
    if (value.length() % 2 != 0 || count < least || count > most) {
      String wanted = least == most ? least + "" : least + " to " + most;
      throw new IllegalArgumentException(key + " is not " + wanted + " bytes");
    }
    for (int i = 0; i < count; i++) {
      char high = value.charAt(2 * i);
      char low = value.charAt(2 * i + 1);
      if (!HexFormat.isHexDigit(high) || !HexFormat.isHexDigit(low)) {
        throw new IllegalArgumentException(key + " is not hex bytes");
      }
      words[at + i / 8] |=
          (long) (HexFormat.fromHexDigit(high) << 4 | HexFormat.fromHexDigit(low)) << 8 * (i % 8);
    }
    return count;
  }

  /** The emulator's answer to this case as one line. */
  public String answer(Result result, Effect effect) {
    if (result != Result.WRITE) {
      return "UNSUPPORTED " + result.text();
    }
    StringBuilder line = new StringBuilder(200);
    line.append("WRITE mask=").append(String.format("%08x", effect.mask)).append(" new=");
    for (int i = 0; i < WINDOW_BYTES; i++) {
      int value = (int) (effect.bytes[i / 8] >>> 8 * (i % 8)) & 0xff;
      line.append(Character.forDigit(value >> 4, 16)).append(Character.forDigit(value & 15, 16));
    }
    line.append(" rip=").append(Long.toHexString(effect.rip));
    line.append(" rflags=").append(Long.toHexString(effect.rflags));
    for (int i = 0; i < gpr.length; i++) {
      if ((effect.gprMask >> i & 1) != 0 && effect.gpr[i] != gpr[i]) {
        line.append(' ').append(GPR[i]).append('=').append(Long.toHexString(effect.gpr[i]));
      }
    }
    return line.toString();
  }

  @Override
  public int codeBits() {
    return bits;
  }

  @Override
  public long instructionLow() {
    return instruction[0];
  }

  @Override
  public long instructionHigh() {
    return instruction[1];
  }

  @Override
  public int instructionCount() {
    return instructionCount;
  }

  @Override
  public long gpr(int register) {
    return gpr[register];
  }

  @Override
  public long rip() {
    return rip;
  }

  @Override
  public long rflags() {
    return rflags;
  }

  @Override
  public long segmentBase(int segment) {
    return segmentBase[segment];
  }

  @Override
  public long cr0() {
    return cr0;
  }

  @Override
  public long cr4() {
    return cr4;
  }

  @Override
  public long efer() {
    return efer;
  }

  @Override
  public long dr7() {
    return dr7;
  }

  @Override
  public int cpl() {
    return cpl;
  }

  @Override
  public long gla() {
    return gla;
  }

  @Override
  public long window(int entry) {
    return window[entry];
  }

  @Override
  public int windowCount() {
    return (int) Math.min(WINDOW_BYTES, PAGE_BYTES - (gla & PAGE_BYTES - 8));
  }

  @Override
  public int done() {
    return 0;
  }

  @Override
  public int selector(int segment) {
    return selector[segment];
  }

  @Override
  public int sourceCount() {
    return sourceCount;
  }

  @Override
  public long source(int index) {
    return source[index];
  }

  @Override
  public boolean hasXmm(int register) {
    return true;
  }

  @Override
  public long xmmLow(int register) {
    return xmm[2 * register];
  }

  @Override
  public long xmmHigh(int register) {
    return xmm[2 * register + 1];
  }
}
