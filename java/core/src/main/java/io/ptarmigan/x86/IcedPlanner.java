// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

import io.ptarmigan.iced.IcedInstruction;

/** Turns one decoded instruction into a plan. The numbers are those of iced's enumerations. */
final class IcedPlanner {
  private static final int KIND_REGISTER = 0;
  private static final int KIND_NEAR_BRANCH_FIRST = 1;
  private static final int KIND_NEAR_BRANCH_LAST = 3;
  private static final int KIND_IMMEDIATE_FIRST = 6;
  private static final int KIND_IMMEDIATE_LAST = 14;
  private static final int KIND_SOURCE_FIRST = 15;
  private static final int KIND_ES_DI_FIRST = 21;
  private static final int KIND_ES_DI_LAST = 23;
  private static final int KIND_MEMORY = 24;
  private static final int ENCODING_VEX = 1;
  private static final int OPERAND_SIZE_PREFIX = 0x66;

  private final IcedInstruction instruction;
  private final int bits;
  private final long low;
  private final long high;

  IcedPlanner(IcedInstruction instruction, int bits, long low, long high) {
    this.instruction = instruction;
    this.bits = bits;
    this.low = low;
    this.high = high;
  }

  /** Whether this is an instruction that the emulator knows; if so the draft is complete. */
  boolean fill(Plan.Draft draft) {
    if (instruction.encoding() > ENCODING_VEX) {
      return false;
    }
    int kind = instruction.opCount() == 0 ? KIND_REGISTER : instruction.opKind(0);
    int mnemonic = instruction.mnemonic();
    if (mnemonic == IcedMnemonics.PUSH) {
      return fillPush(draft, kind);
    }
    if (mnemonic == IcedMnemonics.CALL) {
      return fillCall(draft, kind);
    }
    if (kind >= KIND_ES_DI_FIRST && kind <= KIND_ES_DI_LAST) {
      return fillString(draft, kind, IcedMnemonics.stringOperation(mnemonic));
    }
    return kind == KIND_MEMORY && fillMemory(draft, mnemonic);
  }

  private boolean fillMemory(Plan.Draft draft, int mnemonic) {
    draft.operation = IcedMnemonics.memoryOperation(mnemonic);
    draft.size = instruction.memoryBytes();
    draft.address = memoryOperand(0);
    draft.locked = instruction.hasLock() || draft.operation == Operation.XCHG;
    if (draft.operation == null) {
      return false;
    }
    return switch (draft.operation) {
      case SETCC -> {
        draft.immediate = instruction.conditionCode() - 1;
        yield true;
      }
      case POP -> {
        draft.source = stack(0);
        // POP [rsp+..] uses the stack pointer after the increment (SDM vol. 2B, POP).
        draft.address = memoryOperand(draft.address.base() == Registers.RSP ? draft.size : 0);
        yield true;
      }
      case MOV_XMM -> {
        draft.aligned = IcedMnemonics.isAlignedStore(mnemonic);
        draft.upperHalf = IcedMnemonics.isUpperHalfStore(mnemonic);
        yield instruction.opCount() == 2 && fillXmm(draft, instruction.opRegister(1));
      }
      case CMPXCHG16B -> {
        draft.aligned = true;
        yield true;
      }
      case CMPXCHG8B, INC, DEC, NOT, NEG -> true;
      default -> fillSecondOperand(draft);
    };
  }

  private boolean fillXmm(Plan.Draft draft, int register) {
    draft.register = register - IcedRegisters.XMM0;
    return instruction.opKind(1) == KIND_REGISTER
        && draft.register >= 0
        && draft.register < 16
        && draft.size <= 16;
  }

  private boolean fillSecondOperand(Plan.Draft draft) {
    if (draft.operation == Operation.SHLD || draft.operation == Operation.SHRD) {
      draft.countInCl = instruction.opKind(2) == KIND_REGISTER;
      draft.immediate = draft.countInCl ? 0 : instruction.immediate(2);
    }
    return fillOperand(draft, 1);
  }

  /** A general register, a segment register of MOV, or an immediate. */
  private boolean fillOperand(Plan.Draft draft, int operand) {
    int kind = instruction.opKind(operand);
    if (kind == KIND_REGISTER) {
      int register = instruction.opRegister(operand);
      if (IcedRegisters.isGeneral(register)) {
        draft.register = IcedRegisters.number(register);
        draft.registerShift = IcedRegisters.isHighByte(register) ? 8 : 0;
        return true;
      }
      draft.segmentOperand = true;
      draft.register = IcedRegisters.segment(register);
      if (draft.operation == Operation.MOV) {
        draft.operation = Operation.MOV_SEGMENT;
      }
      return draft.register != Plan.NONE;
    }
    if (kind < KIND_IMMEDIATE_FIRST || kind > KIND_IMMEDIATE_LAST) {
      return false;
    }
    draft.immediate = instruction.immediate(operand);
    return true;
  }

  private boolean fillString(Plan.Draft draft, int kind, Operation operation) {
    draft.operation = operation;
    draft.size = instruction.memoryBytes();
    draft.repeated = instruction.hasRepeat();
    int addressBytes = 2 << kind - KIND_ES_DI_FIRST;
    draft.address = plain(Registers.RDI, 0, addressBytes, Registers.ES);
    if (operation == Operation.MOVS) {
      int segment = IcedRegisters.segment(instruction.memorySegment());
      draft.source = plain(Registers.RSI, 0, addressBytes, segment);
      return instruction.opKind(1) - KIND_SOURCE_FIRST == kind - KIND_ES_DI_FIRST;
    }
    return operation == Operation.STOS;
  }

  private boolean fillPush(Plan.Draft draft, int kind) {
    fillPushed(draft, Operation.PUSH);
    if (kind == KIND_MEMORY) {
      draft.source = memoryOperand(0);
      return true;
    }
    // With 4 bytes some processors write only the selector's two (SDM vol. 2B, PUSH).
    return fillOperand(draft, 0) && !(draft.segmentOperand && draft.size == 4);
  }

  private boolean fillCall(Plan.Draft draft, int kind) {
    fillPushed(draft, Operation.CALL);
    // Intel ignores the prefix here, AMD does not.
    if (!instruction.isNearCall() || bits == 64 && hasOperandSizePrefix()) {
      return false;
    }
    if (kind >= KIND_NEAR_BRANCH_FIRST && kind <= KIND_NEAR_BRANCH_LAST) {
      draft.immediate = instruction.nearBranchTarget();
      return true;
    }
    if (kind == KIND_MEMORY) {
      draft.source = memoryOperand(0);
      return true;
    }
    return fillOperand(draft, 0);
  }

  private void fillPushed(Plan.Draft draft, Operation operation) {
    draft.operation = operation;
    draft.size = -instruction.stackPointerIncrement();
    draft.address = stack(-draft.size);
  }

  /** Whether 66 stands among the prefixes: a prefix is what precedes REX and opcode. */
  private boolean hasOperandSizePrefix() {
    for (int i = 0; i < 14; i++) {
      int value = (int) ((i < 8 ? low : high) >>> 8 * (i & 7)) & 0xff;
      if (value == OPERAND_SIZE_PREFIX) {
        return true;
      }
      boolean prefix =
          switch (value) {
            case 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x67, 0xf0, 0xf2, 0xf3 -> true;
            default -> false;
          };
      if (!prefix) {
        return false;
      }
    }
    return false;
  }

  /** The stack is taken to be as wide as the code; where it is not, the address will not match. */
  private AddressForm stack(int displacement) {
    return plain(Registers.RSP, displacement, bits / 8, Registers.SS);
  }

  private AddressForm plain(int base, int displacement, int addressBytes, int segment) {
    return new AddressForm(base, AddressForm.NONE, 0, displacement, addressBytes, segment, bits);
  }

  private AddressForm memoryOperand(int added) {
    int base = instruction.memoryBase();
    int index = instruction.memoryIndex();
    int sized = base != IcedRegisters.NONE ? base : index;
    return new AddressForm(
        IcedRegisters.addressBase(base),
        index == IcedRegisters.NONE ? AddressForm.NONE : IcedRegisters.number(index),
        Integer.numberOfTrailingZeros(instruction.memoryScale()),
        instruction.memoryDisplacement() + added,
        sized == IcedRegisters.NONE
            ? instruction.memoryDisplacementBytes()
            : IcedRegisters.addressBytes(sized),
        IcedRegisters.segment(instruction.memorySegment()),
        bits);
  }
}
