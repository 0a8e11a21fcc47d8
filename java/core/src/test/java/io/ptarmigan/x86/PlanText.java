// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

import java.util.ArrayList;
import java.util.List;

/**
 * A plan in the words of second-decoder (native/oracle/zydis.c), so that the two can be compared as
 * strings: length, lock, repetition, memory operands, other operands.
 */
final class PlanText {
  private static final String[] LEGACY = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
  private static final String[] LOW_BYTES = {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"};
  private static final String[] HIGH_BYTES = {"ah", "ch", "dh", "bh"};
  private static final String[] SEGMENTS = {"es", "cs", "ss", "ds", "fs", "gs"};
  private static final String[] CONDITIONS = {
    "o", "no", "b", "nb", "z", "nz", "be", "nbe", "s", "ns", "p", "np", "l", "nl", "le", "nle"
  };

  private PlanText() {}

  /** The plan in a normal form. */
  static String of(Plan plan) {
    boolean pushes = plan.operation == Operation.PUSH || plan.operation == Operation.CALL;
    List<String> memory = new ArrayList<>();
    if (plan.operation == Operation.POP) {
      int moved = plan.address.base() == Registers.RSP ? plan.size : 0;
      memory.add(memory(plan.address, -moved, plan.size));
    } else {
      memory.add(memory(plan.address, pushes ? plan.size : 0, plan.size));
    }
    if (plan.source != null) {
      memory.add(memory(plan.source, 0, plan.size));
    }
    boolean lock = plan.locked && plan.operation != Operation.XCHG;
    return plan.length
        + (lock ? " lock" : "")
        + (plan.repeated ? " rep" : "")
        + condition(plan)
        + " "
        + memory
        + " "
        + operands(plan);
  }

  private static String condition(Plan plan) {
    return plan.operation == Operation.SETCC ? " " + CONDITIONS[(int) plan.immediate] : "";
  }

  private static String memory(AddressForm form, int moved, int size) {
    int width = Long.bitCount(form.mask) / 8;
    String base =
        form.base() == AddressForm.RIP ? (width == 4 ? "eip" : "rip") : general(form.base(), width);
    String segment = form.segment() >= 4 ? SEGMENTS[form.segment()] : "flat";
    int scale = form.index() == AddressForm.NONE ? 0 : 1 << form.shift();
    long displacement = form.displacement() + moved & form.mask;
    return String.join(
        ":",
        segment,
        base,
        general(form.index(), width),
        Integer.toString(scale),
        Long.toHexString(displacement),
        Integer.toString(size));
  }

  private static List<String> operands(Plan plan) {
    List<String> operands = new ArrayList<>();
    boolean pair = plan.operation == Operation.SHLD || plan.operation == Operation.SHRD;
    switch (plan.operation) {
      case INC, DEC, NOT, NEG, SETCC, CMPXCHG8B, CMPXCHG16B, STOS, MOVS, POP -> {}
      case MOV_XMM -> operands.add("r:xmm" + plan.register);
      case ROL, ROR, RCL, RCR, SHL, SHR, SAR ->
          operands.add(plan.register == Plan.NONE ? immediate(plan, 1) : "r:cl");
      case BTS, BTR, BTC ->
          operands.add(plan.register == Plan.NONE ? immediate(plan, 1) : register(plan));
      case PUSH, CALL -> {
        if (plan.source == null) {
          operands.add(plan.register == Plan.NONE ? immediate(plan, plan.size) : register(plan));
        }
      }
      default ->
          operands.add(plan.register == Plan.NONE ? immediate(plan, plan.size) : register(plan));
    }
    if (pair) {
      operands.add(plan.countInCl ? "r:cl" : immediate(plan, 1));
    }
    return operands;
  }

  private static String immediate(Plan plan, int size) {
    return "i:" + Long.toHexString(plan.immediate & Flags.valueMask(size));
  }

  private static String register(Plan plan) {
    if (plan.segmentOperand) {
      return "r:" + SEGMENTS[plan.register];
    }
    return "r:"
        + (plan.registerShift == 8 ? HIGH_BYTES[plan.register] : general(plan.register, plan.size));
  }

  private static String general(int register, int width) {
    if (register == Plan.NONE) {
      return "none";
    }
    if (register >= 8) {
      String suffix = width == 8 ? "" : width == 4 ? "d" : width == 2 ? "w" : "b";
      return "r" + register + suffix;
    }
    return switch (width) {
      case 1 -> LOW_BYTES[register];
      case 2 -> LEGACY[register];
      case 4 -> "e" + LEGACY[register];
      default -> "r" + LEGACY[register];
    };
  }
}
