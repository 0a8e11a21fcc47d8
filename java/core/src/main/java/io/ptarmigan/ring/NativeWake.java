// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import io.ptarmigan.abi.generated.Native;
import java.lang.invoke.VarHandle;

/** Wakes the native side after something was published, if it sleeps. Any thread may call it. */
public final class NativeWake {
  private final Stream stream;
  private final int eventDescriptor;

  /**
   * Wakes through an eventfd.
   *
   * @param eventDescriptor an inherited eventfd
   */
  public NativeWake(Stream stream, int eventDescriptor) {
    this.stream = stream;
    this.eventDescriptor = eventDescriptor;
  }

  /**
   * Call after the release store that published. The fence orders that store before the look at the
   * waiting flag; the native side sets the flag, fences and looks for work in the opposite order,
   * so one of the two sees the other.
   */
  public void published() {
    VarHandle.fullFence();
    if (stream.nativeWaiting()) {
      Native.pt_eventfd_signal(eventDescriptor);
    }
  }
}
