// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.abi;

import io.ptarmigan.abi.generated.pt_command;

/** Byte offsets of {@code struct pt_command}, a command. */
public final class CommandLayout {
  public static final int ID = Offsets.of(pt_command.class, "id");
  public static final int KIND = Offsets.of(pt_command.class, "kind");
  public static final int LENGTH = Offsets.of(pt_command.class, "length");
  public static final int GPA = Offsets.of(pt_command.class, "gpa");
  public static final int MASK = Offsets.of(pt_command.class, "mask");

  private CommandLayout() {}
}
