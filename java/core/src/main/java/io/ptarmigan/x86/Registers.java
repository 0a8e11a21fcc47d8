// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/** Numbers of the general and segment registers that instructions use without naming them. */
final class Registers {
  static final int RAX = 0;
  static final int RCX = 1;
  static final int RDX = 2;
  static final int RBX = 3;
  static final int RSP = 4;
  static final int RSI = 6;
  static final int RDI = 7;

  static final int ES = 0;
  static final int SS = 2;
  static final int DS = 3;

  private Registers() {}
}
