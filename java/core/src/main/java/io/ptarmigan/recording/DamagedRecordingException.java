// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import java.io.IOException;

/** A recording, or the rest of it, cannot be used; the message says why and from where on. */
public final class DamagedRecordingException extends IOException {
  private static final long serialVersionUID = 1L;

  DamagedRecordingException(String message) {
    super(message);
  }
}
