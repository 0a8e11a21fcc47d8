// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.proof;

import io.ptarmigan.x86.Operation;
import io.ptarmigan.x86.UndefinedFlags;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Draws random cases: instruction bytes from its own tables, registers and memory such that the
 * store lands where the cell wants it. Knows nothing of the decoder. Not thread-safe.
 */
final class CaseGenerator {
  private static final int RAX = 0;
  private static final int RCX = 1;
  private static final int RDX = 2;
  private static final int RSP = 4;
  private static final int RSI = 6;
  private static final int RDI = 7;
  private static final int PAGE_BYTES = 4096;
  private static final long DIRECTION = 1 << 10;
  private static final long STATUS = 0x8d5;
  private static final int STEP_ONE_IN = 64;

  private final Values values;
  private final Cell[] cells;
  private final long[] dataPages;
  private final long[] sourcePages;
  private final long[] codePages;
  private final AddressPlan address;
  private final InstructionEncoder encoder;

  /** The cells in the order of this round, and how many of them are drawn. */
  private final int[] order;

  private long drawn;

  /** Index of the drawn cell. */
  int cellIndex;

  /** Status flags that the architecture leaves undefined in the drawn case. */
  long undefined;

  /** Masked count of a shift or rotate; 0 for others. */
  int count;

  CaseGenerator(long seed, OracleLayout layout, List<Cell> cells) {
    this.values = new Values(seed);
    this.cells = cells.toArray(new Cell[0]);
    this.order =
        IntStream.range(0, cells.size())
            .flatMap(i -> IntStream.generate(() -> i).limit(cells.get(i).weight()))
            .toArray();
    this.dataPages = layout.numbers("data_pages");
    this.sourcePages = layout.numbers("source_pages");
    this.codePages = layout.numbers("code_pages");
    this.address = new AddressPlan(values);
    this.encoder = new InstructionEncoder(values, address);
  }

  /** Fills a record and returns the cell that it belongs to. */
  Cell draw(OracleCase exit, int record) {
    cellIndex = nextCell();
    Cell cell = cells[cellIndex];
    exit.at(record, cell.offset());
    // A 32-bit address reaches the low pages only, and the opcode's own displacement likewise.
    int region = needsLowPages(cell) ? 0 : values.below(2);
    long gla = dataPages[region] + 8 * entry(cell) + cell.offset();
    drawState(exit, gla);
    exit.setStepped(!cell.form().isRepeated() && values.oneIn(STEP_ONE_IN));
    int codeRegion = cell.addressing() == Cell.Addressing.RIP_DISP32 ? region : values.below(2);
    if (cell.addressing() == Cell.Addressing.RIP_DISP32 && cell.prefixes().address32) {
      codeRegion = 0;
    }
    long rip = codePages[codeRegion] + values.below(0xe00);
    exit.setRip(rip);
    address.near = rip;
    place(cell, exit, gla, region);
    long callTarget = codePages[codeRegion] + 0xf00 + values.below(0xe0);
    prepareOperands(cell, exit, callTarget);
    int length = encoder.encode(cell, exit, rip, callTarget);
    exit.setLanding(cell.form().operation == Operation.CALL ? callTarget : rip + length);
    count = shiftCount(cell, exit);
    undefined = UndefinedFlags.of(cell.form().operation, cell.size(), count);
    return cell;
  }

  /** Each cell in every round as often as it weighs, in random order (Fisher and Yates). */
  private int nextCell() {
    int at = (int) (drawn++ % order.length);
    int other = at + values.below(order.length - at);
    int cell = order[other];
    order[other] = order[at];
    order[at] = cell;
    return cell;
  }

  private static boolean needsLowPages(Cell cell) {
    boolean narrow = cell.prefixes().address32 || cell.addressing() == Cell.Addressing.DISP32;
    boolean destination = !cell.prefixes().segment || cell.form().layout == Form.Layout.STRING;
    return narrow && destination;
  }

  /** The ends of the page are drawn often. */
  private long entry(Cell cell) {
    int entries = PAGE_BYTES / 8;
    int entry =
        switch (values.below(4)) {
          case 0 -> 0;
          case 1 -> entries - 1 - values.below(5);
          default -> values.below(entries);
        };
    boolean wide = cell.size() == 16 && cell.offset() == 0;
    return wide && !values.oneIn(8) ? entry & ~1 : entry;
  }

  private void drawState(OracleCase exit, long gla) {
    for (int i = 0; i < 16; i++) {
      exit.setGpr(i, values.edgy());
    }
    long windowAt = gla & ~7;
    exit.setWindowAt(
        windowAt,
        (int) Math.min(OracleCase.WINDOW_BYTES, PAGE_BYTES - (windowAt & PAGE_BYTES - 1)));
    for (int i = 0; i < 4; i++) {
      exit.setWindow(i, values.edgy());
      exit.setSource(i, values.any());
    }
    exit.setSourceAt(0, 0);
    exit.setRflags(0x202 | values.any() & (STATUS | (values.oneIn(2) ? DIRECTION : 0)));
    exit.setFsBase(0);
    exit.setGsBase(0);
  }

  /** Gives the registers that make the address. */
  private void place(Cell cell, OracleCase exit, long gla, int region) {
    Form form = cell.form();
    encoder.register = values.below(16);
    address.clear();
    switch (form.layout) {
      case STRING -> placeString(cell, exit, gla, region);
      case OFFSET -> address.choose(cell, exit, gla, 0, 0);
      case STACK_MEMORY, CALL_MEMORY -> {
        exit.setGpr(RSP, gla + cell.size());
        long from = source(exit, region, cell.size());
        address.choose(cell, exit, from, 0, 1 << RSP);
      }
      case STACK_REGISTER, STACK_BYTE, STACK_IMMEDIATE, STACK_PLAIN, CALL_RELATIVE, CALL_REGISTER ->
          exit.setGpr(RSP, gla + cell.size());
      case POP -> {
        exit.setGpr(RSP, source(exit, region, cell.size()));
        address.choose(cell, exit, gla, 0, 1 << RSP);
      }
      default -> {
        boolean bitOffset = isBitTest(form) && form.layout == Form.Layout.REGISTER;
        long extra = bitOffset ? bitOffset(cell, exit) : 0;
        address.choose(cell, exit, gla, extra, bitOffset ? 1 << encoder.register : 0);
      }
    }
    if (address.segment == 4) {
      exit.setFsBase(address.segmentBase);
    } else if (address.segment == 5) {
      exit.setGsBase(address.segmentBase);
    }
  }

  /** Puts the source somewhere in its page; returns its address. */
  private long source(OracleCase exit, int region, int bytes) {
    long at = sourcePages[region] + values.below(PAGE_BYTES - 2 * OracleCase.SOURCE_BYTES);
    exit.setSourceAt(at, bytes);
    return at;
  }

  private static boolean isBitTest(Form form) {
    return switch (form.operation) {
      case BTS, BTR, BTC -> true;
      default -> false;
    };
  }

  /** Draws the register that holds a bit offset; returns the bytes that it adds. */
  private long bitOffset(Cell cell, OracleCase exit) {
    boolean absorbed =
        cell.addressing() != Cell.Addressing.DISP32
            && cell.addressing() != Cell.Addressing.RIP_DISP32;
    long register = absorbed ? values.edgy() : (short) values.any();
    if (absorbed && cell.size() < 8) {
      register = values.oneIn(2) ? register : values.displacement();
    } else if (cell.size() < 8) {
      register = register & 0xffff_ffffL | values.any() << 32;
    }
    exit.setGpr(encoder.register, register);
    long offset =
        cell.size() == 8 ? register : cell.size() == 4 ? (int) register : (short) register;
    return Math.floorDiv(offset, 8 * cell.size()) * cell.size();
  }

  private void placeString(Cell cell, OracleCase exit, long gla, int region) {
    boolean address32 = cell.prefixes().address32;
    long noise = address32 ? values.any() << 32 : 0;
    boolean down = (exit.rflags() & DIRECTION) != 0;
    exit.setGpr(RDI, gla | noise);
    if (cell.form().isRepeated()) {
      exit.setGpr(RCX, elements(cell, exit, down) | noise);
    }
    if (cell.form().operation == Operation.MOVS) {
      long from = source(exit, region, OracleCase.SOURCE_BYTES);
      long first = down ? from + OracleCase.SOURCE_BYTES - cell.size() : from;
      long base = 0;
      if (cell.prefixes().segment) {
        address.segment = 4 + values.below(2);
        base = address32 ? first - (values.any() >>> 33) : first - (values.any() >>> 18);
        address.segmentBase = base;
      }
      exit.setGpr(RSI, first - base | noise);
    }
  }

  /** As many as fit the window; more only where the page ends, which stops the processor too. */
  private long elements(Cell cell, OracleCase exit, boolean down) {
    int windowCount = exit.windowCount();
    boolean atEdge =
        down
            ? (exit.gla() & PAGE_BYTES - 8) == 0
            : windowCount < OracleCase.WINDOW_BYTES
                || (exit.gla() & PAGE_BYTES - 8) == PAGE_BYTES - OracleCase.WINDOW_BYTES;
    int fit = down ? cell.offset() / cell.size() + 1 : (windowCount - cell.offset()) / cell.size();
    return atEdge ? values.below(40) : values.below(fit + 1);
  }

  /** Values that make the interesting outcomes likely. */
  private void prepareOperands(Cell cell, OracleCase exit, long callTarget) {
    Form form = cell.form();
    int taken = address.registers();
    switch (form.operation) {
      case ROL, ROR, RCL, RCR, SHL, SHR, SAR, SHLD, SHRD -> {
        if ((taken >> RCX & 1) == 0 && !values.oneIn(4)) {
          exit.setGpr(RCX, values.any() & ~0xffL | values.count(cell.size()));
        }
      }
      case CMPXCHG -> {
        if ((taken >> RAX & 1) == 0 && values.oneIn(2)) {
          exit.setGpr(RAX, equal(exit, cell));
        }
      }
      case CMPXCHG8B, CMPXCHG16B -> {
        if ((taken & (1 << RAX | 1 << RDX)) == 0 && values.oneIn(2)) {
          comparePair(cell, exit);
        }
      }
      case CALL -> {
        if (form.layout == Form.Layout.CALL_REGISTER) {
          encoder.register = encoder.register == RSP ? RAX : encoder.register;
          exit.setGpr(encoder.register, callTarget);
        } else if (form.layout == Form.Layout.CALL_MEMORY) {
          exit.setSource(0, callTarget);
        }
      }
      case MOV_XMM -> exit.setXmm(encoder.register, values.any(), values.any());
      default -> {}
    }
  }

  /** The memory operand, noise above it. */
  private long equal(OracleCase exit, Cell cell) {
    int shift = 8 * cell.offset();
    long memory = exit.window(0) >>> shift | (shift == 0 ? 0 : exit.window(1) << 64 - shift);
    long ones = -1L >>> 64 - 8 * cell.size();
    return memory & ones | values.any() & ~ones;
  }

  private void comparePair(Cell cell, OracleCase exit) {
    int shift = 8 * cell.offset();
    long low = exit.window(0) >>> shift | (shift == 0 ? 0 : exit.window(1) << 64 - shift);
    if (cell.size() == 16) {
      exit.setGpr(RAX, exit.window(0));
      exit.setGpr(RDX, exit.window(1));
    } else {
      exit.setGpr(RAX, low & 0xffff_ffffL | values.any() << 32);
      exit.setGpr(RDX, low >>> 32 | values.any() << 32);
    }
  }

  private int shiftCount(Cell cell, OracleCase exit) {
    int ones = cell.size() == 8 ? 63 : 31;
    return switch (cell.form().operation) {
      case ROL, ROR, RCL, RCR, SHL, SHR, SAR, SHLD, SHRD ->
          (encoder.hasImmediate
                  ? encoder.immediate
                  : cell.form().name().endsWith("_ONE") ? 1 : (int) exit.gpr(RCX))
              & ones;
      default -> 0;
    };
  }
}
