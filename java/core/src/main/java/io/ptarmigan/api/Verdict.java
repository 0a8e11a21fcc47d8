// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.api;

/** Answer of a listener or policy to a proposed change. */
public enum Verdict {
  /** The instruction takes effect. */
  ALLOW,
  /** Memory stays as it is; the guest continues after the instruction. */
  DENY
}
