// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.ring.DeciderLog;

/** Layout of a recording; {@code docs/recording.md} says what each part means. */
final class Format {
  static final long MAGIC = 0x3144524345525450L; // "PTRECRD1" as it lies in the file
  static final int VERSION = 1;

  // The header. All integers are little-endian.
  static final int HEADER_BYTES = 96;
  static final int MAGIC_AT = 0;
  static final int VERSION_AT = 8;
  static final int HEADER_BYTES_AT = 12;
  static final int ABI_VERSION_AT = 16;
  static final int EXIT_BYTES_AT = 20;
  static final int OUTCOME_BYTES_AT = 24;
  static final int COMPLETION_BYTES_AT = 28;
  static final int DECISION_BYTES_AT = 32;
  static final int COMMAND_BYTES_AT = 36;
  static final int VCPUS_AT = 40;
  static final int MAXPHYADDR_AT = 44;
  static final int GENERATION_AT = 48;
  static final int BEGUN_AT = 56; // sequence of the last record before the recording
  static final int WALL_CLOCK_MILLIS_AT = 64;
  static final int HEADER_CRC_AT = 92;

  // A frame.
  static final int CRC_AT = 0;
  static final int KIND_AT = 4; // 16 bits
  static final int LENGTH_AT = 6; // 16 bits, bytes of the payload
  static final int AT_AT = 8;
  static final int FRAME_BYTES = 16;
  static final int MOST_PAYLOAD = Native.PT_SLOT_BYTES;

  // Kinds of frames, beside those of DeciderLog.
  static final int RECORD = 1;
  static final int DECISION = DeciderLog.DECISION;
  static final int COMMAND = DeciderLog.COMMAND;
  static final int REFUSED = DeciderLog.REFUSED;
  static final int PLACED = DeciderLog.PLACED;
  static final int REMOVED = DeciderLog.REMOVED;
  static final int GAP = 7;
  static final int END = 8;

  static final int PLACED_BYTES = DeciderLog.PLACED_LONGS * Long.BYTES;
  static final int REMOVED_BYTES = Long.BYTES;
  static final int GAP_BYTES = 2 * Long.BYTES;
  static final int END_BYTES = Long.BYTES;

  private Format() {}
}
