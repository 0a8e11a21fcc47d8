// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.proof;

import io.ptarmigan.x86.Operation;
import java.util.ArrayList;
import java.util.List;

/**
 * One field of the coverage matrix; cases are drawn evenly from all legal ones.
 *
 * @param size bytes stored, 1 to 16
 * @param offset of the store within its 8-byte entry, 0 to 7
 */
record Cell(Form form, int size, Addressing addressing, Prefixes prefixes, int offset) {
  /** How the address is named. */
  enum Addressing {
    BASE,
    BASE_DISP8,
    BASE_DISP32,
    BASE_INDEX,
    BASE_INDEX_DISP8,
    BASE_INDEX_DISP32,
    INDEX_DISP32,
    DISP32,
    RIP_DISP32,
    /** By the opcode: moffs, string, stack. */
    IMPLIED
  }

  /** Prefixes beside those that the operand size asks for. */
  enum Prefixes {
    NONE(false, false, false, false),
    LOCK(true, false, false, false),
    ADDRESS32(false, true, false, false),
    SEGMENT(false, false, true, false),
    ADDRESS32_SEGMENT(false, true, true, false),
    LOCK_SEGMENT(true, false, true, false),
    LOCK_ADDRESS32(true, true, false, false),
    /** Some that mean nothing here: es cs ss ds, a second segment, a superfluous REX. */
    IGNORED(false, false, false, true);

    final boolean lock;
    final boolean address32;
    final boolean segment;
    final boolean ignored;

    Prefixes(boolean lock, boolean address32, boolean segment, boolean ignored) {
      this.lock = lock;
      this.address32 = address32;
      this.segment = segment;
      this.ignored = ignored;
    }
  }

  static List<Cell> legal() {
    List<Cell> cells = new ArrayList<>();
    for (Form form : Form.values()) {
      for (int size : form.sizes.stream().sorted().toList()) {
        for (Addressing addressing : Addressing.values()) {
          for (Prefixes prefixes : Prefixes.values()) {
            for (int offset = 0; offset < 8; offset++) {
              Cell cell = new Cell(form, size, addressing, prefixes, offset);
              if (cell.isLegal()) {
                cells.add(cell);
              }
            }
          }
        }
      }
    }
    return List.copyOf(cells);
  }

  /** Draws in one round: strings and the stack have few cells and much to go wrong. */
  int weight() {
    return named() ? 1 : 8;
  }

  /** One indivisible access. */
  boolean isLocked() {
    return prefixes.lock || form.operation == Operation.XCHG;
  }

  /** The emulator has to answer with a write, at least where the page does not end. */
  boolean isEmulated() {
    boolean split = offset + size > 8 && isLocked() && size < 16;
    boolean misaligned = offset != 0 && form.isAligned();
    return !split && !misaligned;
  }

  private boolean isLegal() {
    boolean modrm = form.hasMemoryOperand() || form.hasMemorySource();
    boolean named = addressing != Addressing.IMPLIED;
    return modrm == named
        && (!prefixes.lock || form.isLockable())
        && (!prefixes.segment || hasSegment())
        && (!prefixes.address32 || hasAddressSize());
  }

  /** A segment prefix would do something. */
  private boolean hasSegment() {
    return switch (form.layout) {
      case STACK_REGISTER, STACK_BYTE, STACK_IMMEDIATE, STACK_PLAIN -> false;
      case CALL_RELATIVE, CALL_REGISTER -> false;
      case STRING -> form.operation == Operation.MOVS;
      default -> true;
    };
  }

  private boolean hasAddressSize() {
    return form.layout == Form.Layout.STRING || form.layout == Form.Layout.OFFSET || named();
  }

  private boolean named() {
    return addressing != Addressing.IMPLIED;
  }
}
