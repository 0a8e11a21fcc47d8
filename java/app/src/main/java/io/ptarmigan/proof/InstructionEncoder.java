// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.proof;

/** Puts together the bytes of one case. Reused. */
final class InstructionEncoder {
  private static final int[] MEANINGLESS = {0x26, 0x2e, 0x36, 0x3e};
  private static final int[] MANDATORY = {0, 0x66, 0xf3, 0xf2};

  private final Values values;
  private final AddressPlan address;
  private final InstructionBytes bytes = new InstructionBytes();

  /** General or XMM register in ModRM or opcode; chosen by the caller. */
  int register;

  /** Whether the encoded instruction has a byte immediate that is a count, and which. */
  boolean hasImmediate;

  int immediate;

  InstructionEncoder(Values values, AddressPlan address) {
    this.values = values;
    this.address = address;
  }

  /** Encodes the cell's instruction into the record; returns its length. */
  int encode(Cell cell, OracleCase exit, long rip, long callTarget) {
    bytes.clear();
    hasImmediate = false;
    Form form = cell.form();
    boolean vex = form.layout == Form.Layout.VECTOR && values.oneIn(2);
    int field = modrmField(form);
    prefixes(cell, vex);
    if (vex) {
      vex(cell, field);
    } else {
      rex(cell, field);
      opcode(cell);
    }
    int at = named(cell) ? address.encode(bytes, field) : 0;
    operands(cell, exit, rip, callTarget);
    if (named(cell)) {
      address.finish(bytes, at, rip);
    }
    exit.setInstruction(bytes.low(), bytes.high(), bytes.count());
    return bytes.count();
  }

  private static boolean named(Cell cell) {
    return cell.addressing() != Cell.Addressing.IMPLIED;
  }

  private int modrmField(Form form) {
    return switch (form.layout) {
      case REGISTER, REGISTER_BYTE, VECTOR -> register;
      case SEGMENT -> register % 6;
      case CONDITION -> register & 7; // SETcc ignores it
      default -> form.extension;
    };
  }

  private void prefixes(Cell cell, boolean vex) {
    Form form = cell.form();
    int mandatory = form.layout == Form.Layout.VECTOR && !vex ? MANDATORY[form.extension] : 0;
    int rotation = values.below(4);
    for (int i = 0; i < 4; i++) {
      switch (i + rotation & 3) {
        case 0 -> addIf(cell.prefixes().address32, 0x67);
        case 1 -> addIf(cell.prefixes().lock, 0xf0);
        case 2 -> segmentPrefix(cell);
        default -> {
          addIf(needs66(cell), 0x66);
          addIf(mandatory != 0, mandatory);
          addIf(form.isRepeated(), values.oneIn(2) ? 0xf3 : 0xf2);
        }
      }
    }
  }

  private static boolean needs66(Cell cell) {
    return cell.size() == 2 && cell.form().layout != Form.Layout.SEGMENT;
  }

  private void segmentPrefix(Cell cell) {
    if (cell.prefixes().ignored) {
      bytes.add(MEANINGLESS[values.below(4)]);
      addIf(values.oneIn(2), MEANINGLESS[values.below(4)]);
    }
    if (cell.prefixes().segment) {
      addIf(values.oneIn(8), MEANINGLESS[values.below(4)]);
      bytes.add(address.segment == 4 ? 0x64 : 0x65);
    }
  }

  private void addIf(boolean wanted, int value) {
    if (wanted) {
      bytes.add(value);
    }
  }

  private void rex(Cell cell, int field) {
    int rex = operandIsWide(cell) ? 8 : 0;
    rex |= field >= 8 ? 4 : 0;
    rex |= named(cell) ? address.rexBits() : 0;
    rex |= registerInOpcode(cell.form()) && register >= 8 ? 1 : 0;
    boolean superfluous = cell.prefixes().ignored || cell.size() == 1 && values.oneIn(2);
    addIf(rex != 0 || superfluous, 0x40 | rex);
  }

  /** REX.W says 8 bytes, but on the stack they are the default. */
  private boolean operandIsWide(Cell cell) {
    return switch (cell.form().layout) {
      case STACK_REGISTER, STACK_BYTE, STACK_IMMEDIATE, STACK_MEMORY, STACK_PLAIN, POP -> false;
      case CALL_RELATIVE, CALL_REGISTER, CALL_MEMORY -> false;
      case SEGMENT -> values.oneIn(2);
      case VECTOR -> cell.form() == Form.MOVD && cell.size() == 8;
      case PLAIN ->
          cell.form() == Form.CMPXCHG16B || cell.size() == 8 && cell.form() != Form.CMPXCHG8B;
      default -> cell.size() == 8;
    };
  }

  private static boolean registerInOpcode(Form form) {
    return form.layout == Form.Layout.STACK_REGISTER || form.layout == Form.Layout.CALL_REGISTER;
  }

  private void opcode(Cell cell) {
    Form form = cell.form();
    for (int i = 0; i < form.opcode.length - 1; i++) {
      bytes.add(form.opcode[i]);
    }
    int last = form.opcode[form.opcode.length - 1];
    if (form.opcodeTellsSize() && cell.size() > 1) {
      last |= 1;
    } else if (form.layout == Form.Layout.CONDITION) {
      last |= values.below(16);
    } else if (form.layout == Form.Layout.STACK_REGISTER) {
      last |= register & 7;
    }
    bytes.add(last);
  }

  /** Three-byte form, map 0F, 128 bits (SDM vol. 2A, 2.3.5). */
  private void vex(Cell cell, int field) {
    int rexBits = address.rexBits();
    bytes.add(0xc4);
    bytes.add(
        (field >= 8 ? 0 : 0x80)
            | ((rexBits & 2) != 0 ? 0 : 0x40)
            | ((rexBits & 1) != 0 ? 0 : 0x20)
            | 1);
    bytes.add((operandIsWide(cell) ? 0x80 : 0) | 0x78 | cell.form().extension);
    bytes.add(cell.form().opcode[1]);
  }

  private void operands(Cell cell, OracleCase exit, long rip, long callTarget) {
    switch (cell.form().layout) {
      case REGISTER_BYTE, BYTE -> {
        hasImmediate = true;
        immediate = values.oneIn(3) ? (int) values.any() & 0xff : values.count(cell.size());
        bytes.add(immediate);
      }
      case IMMEDIATE -> bytes.add(values.edgy(), Math.min(cell.size(), 4));
      case OFFSET -> bytes.add(exit.gla() - address.segmentBase, cell.prefixes().address32 ? 4 : 8);
      case STACK_BYTE -> bytes.add((int) values.edgy());
      case STACK_IMMEDIATE -> bytes.add(values.edgy(), Math.min(cell.size(), 4));
      case CALL_RELATIVE -> bytes.add(callTarget - (rip + bytes.count() + 4), 4);
      case CALL_REGISTER -> bytes.add(0xd0 | register & 7);
      default -> {}
    }
  }
}
