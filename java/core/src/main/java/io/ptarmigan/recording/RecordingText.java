// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import io.ptarmigan.abi.CommandLayout;
import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.HeadLayout;
import io.ptarmigan.abi.generated.Native;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/**
 * A recording as text: one line per frame, a word for its kind, then {@code name=value} words.
 * {@code docs/recording.md} lists them; they change only with the format.
 */
public final class RecordingText {
  private RecordingText() {}

  /**
   * Gives the lines of what is intact.
   *
   * @throws DamagedRecordingException after the last intact line, where the file is cut or damaged
   */
  public static void write(RecordingReader recording, Consumer<String> lines) throws IOException {
    lines.accept(header(recording.header()));
    while (recording.next()) {
      lines.accept(line(recording));
    }
    lines.accept("end at=" + recording.at() + " records=" + recording.payload().getLong(0));
  }

  private static String header(RecordingHeader header) {
    return String.format(
        "recording format=%d abi=%d vcpus=%d maxphyaddr=%d generation=%d begun=%d started_ms=%d",
        Format.VERSION,
        Native.PT_ABI_VERSION,
        header.vcpus(),
        header.maxphyaddr(),
        header.generation(),
        header.begun(),
        header.wallClockMillis());
  }

  private static String line(RecordingReader frame) {
    ByteBuffer payload = frame.payload();
    return switch (frame.kind()) {
      case Format.RECORD -> record(payload);
      case Format.DECISION -> decision(payload);
      case Format.COMMAND ->
          String.format(
              "command at=%d id=%d kind=%s gpa=0x%x length=%d mask=0x%x",
              frame.at(),
              payload.getLong(CommandLayout.ID),
              Names.command(payload.getInt(CommandLayout.KIND)),
              payload.getLong(CommandLayout.GPA),
              Integer.toUnsignedLong(payload.getInt(CommandLayout.LENGTH)),
              payload.getLong(CommandLayout.MASK));
      case Format.REFUSED -> "no_room at=" + frame.at();
      case Format.PLACED ->
          String.format(
              "watch at=%d number=%d cr3=0x%x address=0x%x bits=0x%x denied=0x%x before=%d,0x%x,%d",
              frame.at(),
              payload.getLong(0),
              payload.getLong(8),
              payload.getLong(16),
              payload.getLong(24),
              payload.getLong(32),
              payload.getLong(40),
              payload.getLong(48),
              payload.getLong(56));
      case Format.REMOVED -> "unwatch at=" + frame.at() + " number=" + payload.getLong(0);
      default ->
          "gap from="
              + frame.at()
              + " records="
              + payload.getLong(0)
              + " entries="
              + payload.getLong(8);
    };
  }

  private static String record(ByteBuffer record) {
    return switch (record.getInt(HeadLayout.KIND)) {
      case Native.PT_RECORD_EXIT -> RecordText.exit(record);
      case Native.PT_RECORD_OUTCOME -> RecordText.outcome(record);
      case Native.PT_RECORD_GAP -> RecordText.missed(record);
      default -> RecordText.completion(record);
    };
  }

  private static String decision(ByteBuffer decision) {
    StringBuilder line = new StringBuilder("decision");
    for (Field field : Field.OF_DECISION) {
      String value =
          field.name().equals("sequence")
              ? Long.toString(field.get(decision))
              : field.text(decision);
      line.append(' ').append(field.name()).append('=').append(value);
    }
    return line.append(" generation=")
        .append(decision.getInt(DecisionLayout.GENERATION))
        .append(" seen_ns=")
        .append(decision.getLong(DecisionLayout.SEEN_NS))
        .append(" decided_ns=")
        .append(decision.getLong(DecisionLayout.DECIDED_NS))
        .toString();
  }
}
