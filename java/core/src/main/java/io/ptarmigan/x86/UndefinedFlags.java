// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/**
 * The status flags that the architecture leaves undefined. The emulator leaves them as they were;
 * whoever compares with a processor leaves them out. Sections of SDM vol. 2, "Flags Affected":
 *
 * <pre>
 * form                          undefined
 * AND OR XOR                    AF
 * BTS BTR BTC                   OF SF AF PF
 * ROL ROR RCL RCR, count 0      none (nothing changes)
 *   count 1                     none
 *   count above 1               OF
 * SHL SHR SAR, count 0          none (nothing changes)
 *   count 1                     AF
 *   count above 1               AF OF
 *   SHL SHR, count &gt;= size    AF OF CF
 * SHLD SHRD, count 0            none (nothing changes)
 *   count 1                     AF
 *   count above 1               AF OF
 *   count above size            the result too, so the emulator refuses
 * all others                    none
 * </pre>
 *
 * Counts are after masking with 31, or 63 for a size of 8 bytes.
 */
public final class UndefinedFlags {
  private UndefinedFlags() {}

  /**
   * Mask of the undefined flags of one execution.
   *
   * @param size bytes of the operand
   * @param count masked count of a shift or rotate; anything for other operations
   */
  public static long of(Operation operation, int size, int count) {
    return switch (operation) {
      case AND, OR, XOR -> Flags.AF;
      case BTS, BTR, BTC -> Flags.OF | Flags.SF | Flags.AF | Flags.PF;
      case ROL, ROR, RCL, RCR -> count > 1 ? Flags.OF : 0;
      case SHL, SHR -> count >= 8 * size ? Flags.AF | Flags.OF | Flags.CF : shift(count);
      case SAR, SHLD, SHRD -> shift(count);
      default -> 0;
    };
  }

  private static long shift(int count) {
    if (count == 0) {
      return 0;
    }
    return count == 1 ? Flags.AF : Flags.AF | Flags.OF;
  }
}
