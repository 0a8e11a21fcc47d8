// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.observe;

import io.ptarmigan.abi.Counter;
import io.ptarmigan.ring.Stream;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.FlightRecorderListener;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Period;
import jdk.jfr.StackTrace;

/** The native side's totals, once a second, for whoever records with the flight recorder. */
@Name("io.ptarmigan.Exits")
@Label("Page-table write exits")
@Description("Running totals of the native side")
@Category("Ptarmigan")
@Period("1 s")
@StackTrace(false)
public final class ExitsEvent extends Event {
  @Label("Exits")
  long exits;

  @Label("Emulated")
  long emulated;

  @Label("Denied")
  long denied;

  @Label("Stepped")
  long stepped;

  @Label("Timed out")
  long timedOut;

  @Label("Lost swaps")
  long swapConflicts;

  /** Emits the event from the recorder's own thread, from the moment when there is a recorder. */
  public static void emitFor(Stream stream) {
    FlightRecorder.addListener(
        new FlightRecorderListener() {
          @Override
          public void recorderInitialized(FlightRecorder recorder) {
            FlightRecorder.addPeriodicEvent(ExitsEvent.class, () -> emit(stream));
          }
        });
  }

  private static void emit(Stream stream) {
    ExitsEvent event = new ExitsEvent();
    event.exits = stream.counter(Counter.EXITS);
    event.emulated = stream.counter(Counter.EMULATED);
    event.denied = stream.counter(Counter.DENIED);
    event.stepped = stream.counter(Counter.STEPPED);
    event.timedOut = stream.counter(Counter.TIMED_OUT);
    event.swapConflicts = stream.counter(Counter.SWAP_CONFLICTS);
    event.commit();
  }
}
