// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import io.ptarmigan.abi.generated.Native;

/** The words for the numbers of abi.h, as dumps and reports use them; stable. */
final class Names {
  private Names() {}

  static String action(int action) {
    return switch (action) {
      case Native.PT_ACTION_WRITE -> "write";
      case Native.PT_ACTION_SKIP -> "skip";
      case Native.PT_ACTION_STEP -> "step";
      case Native.PT_ACTION_HV_EMULATE -> "hv_emulate";
      case Native.PT_ACTION_RETRY -> "retry";
      case Native.PT_ACTION_MORE -> "more";
      default -> Integer.toString(action);
    };
  }

  static String result(int result) {
    return switch (result) {
      case Native.PT_RESULT_APPLIED -> "applied";
      case Native.PT_RESULT_DENIED -> "denied";
      case Native.PT_RESULT_STEPPED -> "stepped";
      case Native.PT_RESULT_HV_EMULATED -> "hv_emulated";
      case Native.PT_RESULT_RESUMED -> "resumed";
      case Native.PT_RESULT_LOST_SWAP -> "lost_swap";
      case Native.PT_RESULT_LATE_DENIED -> "late_denied";
      default -> Integer.toString(result);
    };
  }

  static String cause(int cause) {
    return switch (cause) {
      case Native.PT_CAUSE_DECIDED -> "decided";
      case Native.PT_CAUSE_DEADLINE -> "deadline";
      case Native.PT_CAUSE_NO_JVM -> "no_jvm";
      case Native.PT_CAUSE_REFUSED -> "refused";
      case Native.PT_CAUSE_ROUNDS -> "rounds";
      case Native.PT_CAUSE_INCOMPLETE -> "incomplete";
      default -> Integer.toString(cause);
    };
  }

  static String command(int kind) {
    return switch (kind) {
      case Native.PT_COMMAND_PROTECT_READ -> "protect_read";
      case Native.PT_COMMAND_RELEASE -> "release";
      case Native.PT_COMMAND_READ -> "read";
      case Native.PT_COMMAND_PROTECT_RANGE -> "protect_range";
      case Native.PT_COMMAND_DENY -> "deny";
      case Native.PT_COMMAND_ALLOW -> "allow";
      default -> Integer.toString(kind);
    };
  }
}
