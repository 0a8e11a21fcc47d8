// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.abi;

import io.ptarmigan.abi.generated.pt_decisions_header;

/** Byte offsets of {@code struct pt_decisions_header}, the header of the decisions file. */
public final class DecisionsHeaderLayout {
  public static final int MAGIC = Offsets.of(pt_decisions_header.class, "magic");
  public static final int VERSION = Offsets.of(pt_decisions_header.class, "version");
  public static final int HEADER_BYTES = Offsets.of(pt_decisions_header.class, "header_bytes");
  public static final int DECISION_BYTES = Offsets.of(pt_decisions_header.class, "decision_bytes");
  public static final int DECISION_COUNT = Offsets.of(pt_decisions_header.class, "decision_count");
  public static final int COMMAND_BYTES = Offsets.of(pt_decisions_header.class, "command_bytes");
  public static final int COMMAND_COUNT = Offsets.of(pt_decisions_header.class, "command_count");
  public static final int GENERATION = Offsets.of(pt_decisions_header.class, "generation");
  public static final int CONSUMED = Offsets.of(pt_decisions_header.class, "consumed");
  public static final int JAVA_WAITING = Offsets.of(pt_decisions_header.class, "java_waiting");
  public static final int READY = Offsets.of(pt_decisions_header.class, "ready");
  public static final int COMMANDS_PUBLISHED =
      Offsets.of(pt_decisions_header.class, "commands_published");

  private DecisionsHeaderLayout() {}
}
