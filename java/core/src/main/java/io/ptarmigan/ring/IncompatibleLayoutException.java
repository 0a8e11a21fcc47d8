// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

/** A shared file is not laid out as this program expects; the message names both sides. */
public final class IncompatibleLayoutException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  IncompatibleLayoutException(String message) {
    super(message);
  }

  static void require(String file, String what, long theirs, long ours) {
    if (theirs != ours) {
      throw new IncompatibleLayoutException(
          file + ": " + what + " is " + theirs + " on the native side and " + ours + " here");
    }
  }
}
