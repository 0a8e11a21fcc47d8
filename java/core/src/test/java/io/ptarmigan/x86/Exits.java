// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/** An exit with any part replaced, for tests that need more than a line of text says. */
final class Exits {
  private Exits() {}

  /** The same exit over other memory, with some bytes done already. */
  static ExitState over(ExitState exit, long[] window, int done) {
    return new Delegate(exit) {
      @Override
      public long window(int entry) {
        return window[entry];
      }

      @Override
      public int done() {
        return done;
      }
    };
  }

  /** The same registers with other instruction bytes. */
  static ExitState running(ExitState exit, int bits, long low, long high, int count) {
    return new Delegate(exit) {
      @Override
      public int codeBits() {
        return bits;
      }

      @Override
      public long instructionLow() {
        return low;
      }

      @Override
      public long instructionHigh() {
        return high;
      }

      @Override
      public int instructionCount() {
        return count;
      }
    };
  }

  /** The exit as a record shows it that holds no more than the registers and the window. */
  static ExitState bare(ExitState exit) {
    return new Delegate(exit) {
      @Override
      public int selector(int segment) {
        return -1;
      }

      @Override
      public int sourceCount() {
        return 0;
      }

      @Override
      public boolean hasXmm(int register) {
        return false;
      }
    };
  }

  /** The exit with its source in the written frame, under another address. */
  static ExitState aliased(ExitState exit) {
    return new Delegate(exit) {
      @Override
      public boolean sourceAliased() {
        return true;
      }
    };
  }

  private static class Delegate implements ExitState {
    private final ExitState exit;

    Delegate(ExitState exit) {
      this.exit = exit;
    }

    @Override
    public int codeBits() {
      return exit.codeBits();
    }

    @Override
    public long instructionLow() {
      return exit.instructionLow();
    }

    @Override
    public long instructionHigh() {
      return exit.instructionHigh();
    }

    @Override
    public int instructionCount() {
      return exit.instructionCount();
    }

    @Override
    public long gpr(int register) {
      return exit.gpr(register);
    }

    @Override
    public long rip() {
      return exit.rip();
    }

    @Override
    public long rflags() {
      return exit.rflags();
    }

    @Override
    public long segmentBase(int segment) {
      return exit.segmentBase(segment);
    }

    @Override
    public long cr0() {
      return exit.cr0();
    }

    @Override
    public long cr4() {
      return exit.cr4();
    }

    @Override
    public long efer() {
      return exit.efer();
    }

    @Override
    public long dr7() {
      return exit.dr7();
    }

    @Override
    public int cpl() {
      return exit.cpl();
    }

    @Override
    public long gla() {
      return exit.gla();
    }

    @Override
    public long window(int entry) {
      return exit.window(entry);
    }

    @Override
    public int windowCount() {
      return exit.windowCount();
    }

    @Override
    public int done() {
      return exit.done();
    }

    @Override
    public int selector(int segment) {
      return exit.selector(segment);
    }

    @Override
    public int sourceCount() {
      return exit.sourceCount();
    }

    @Override
    public long source(int index) {
      return exit.source(index);
    }

    @Override
    public boolean sourceAliased() {
      return exit.sourceAliased();
    }

    @Override
    public boolean hasXmm(int register) {
      return exit.hasXmm(register);
    }

    @Override
    public long xmmLow(int register) {
      return exit.xmmLow(register);
    }

    @Override
    public long xmmHigh(int register) {
      return exit.xmmHigh(register);
    }
  }
}
