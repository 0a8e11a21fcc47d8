// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import io.ptarmigan.abi.CompletionLayout;
import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.ExitLayout;
import io.ptarmigan.abi.OutcomeLayout;
import io.ptarmigan.abi.generated.Native;
import java.nio.ByteBuffer;

/**
 * What a recording says of the guest and of itself.
 *
 * @param maxphyaddr bits of a guest-physical address
 * @param generation of the JVM that recorded
 * @param begun sequence of the last record before the recording
 * @param wallClockMillis when the recording began, since 1970
 */
public record RecordingHeader(
    int vcpus, int maxphyaddr, int generation, long begun, long wallClockMillis) {
  private static final int LEAST_ADDRESS_BITS = 36;
  private static final int MOST_ADDRESS_BITS = 52;

  void put(ByteBuffer target) {
    target.putLong(Format.MAGIC_AT, Format.MAGIC);
    target.putInt(Format.VERSION_AT, Format.VERSION);
    target.putInt(Format.HEADER_BYTES_AT, Format.HEADER_BYTES);
    target.putInt(Format.ABI_VERSION_AT, Native.PT_ABI_VERSION);
    target.putInt(Format.EXIT_BYTES_AT, ExitLayout.SIZE);
    target.putInt(Format.OUTCOME_BYTES_AT, OutcomeLayout.SIZE);
    target.putInt(Format.COMPLETION_BYTES_AT, CompletionLayout.SIZE);
    target.putInt(Format.DECISION_BYTES_AT, DecisionLayout.SIZE);
    target.putInt(Format.COMMAND_BYTES_AT, Native.PT_COMMAND_BYTES);
    target.putInt(Format.VCPUS_AT, vcpus);
    target.putInt(Format.MAXPHYADDR_AT, maxphyaddr);
    target.putInt(Format.GENERATION_AT, generation);
    target.putLong(Format.BEGUN_AT, begun);
    target.putLong(Format.WALL_CLOCK_MILLIS_AT, wallClockMillis);
  }

  /** Versions come first: a newer one may have put the checksum elsewhere. */
  static void requireMagicAndVersions(ByteBuffer from) throws DamagedRecordingException {
    if (from.getLong(Format.MAGIC_AT) != Format.MAGIC) {
      throw new DamagedRecordingException("not a recording: it begins with something else");
    }
    require("format version", from.getInt(Format.VERSION_AT), Format.VERSION);
    require("layout version", from.getInt(Format.ABI_VERSION_AT), Native.PT_ABI_VERSION);
  }

  static RecordingHeader get(ByteBuffer from) throws DamagedRecordingException {
    require("header size", from.getInt(Format.HEADER_BYTES_AT), Format.HEADER_BYTES);
    require("exit size", from.getInt(Format.EXIT_BYTES_AT), ExitLayout.SIZE);
    require("outcome size", from.getInt(Format.OUTCOME_BYTES_AT), OutcomeLayout.SIZE);
    require("completion size", from.getInt(Format.COMPLETION_BYTES_AT), CompletionLayout.SIZE);
    require("decision size", from.getInt(Format.DECISION_BYTES_AT), DecisionLayout.SIZE);
    require("command size", from.getInt(Format.COMMAND_BYTES_AT), Native.PT_COMMAND_BYTES);
    int maxphyaddr = from.getInt(Format.MAXPHYADDR_AT);
    if (maxphyaddr < LEAST_ADDRESS_BITS || maxphyaddr > MOST_ADDRESS_BITS) {
      throw new DamagedRecordingException("no guest has addresses of " + maxphyaddr + " bits");
    }
    return new RecordingHeader(
        from.getInt(Format.VCPUS_AT),
        maxphyaddr,
        from.getInt(Format.GENERATION_AT),
        from.getLong(Format.BEGUN_AT),
        from.getLong(Format.WALL_CLOCK_MILLIS_AT));
  }

  private static void require(String what, int theirs, int ours) throws DamagedRecordingException {
    if (theirs != ours) {
      throw new DamagedRecordingException(
          "recorded with " + what + " " + theirs + ", and this program has " + ours);
    }
  }
}
