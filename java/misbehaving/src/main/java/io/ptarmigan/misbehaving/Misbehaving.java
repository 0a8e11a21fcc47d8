// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.misbehaving;

import io.ptarmigan.api.Bits;
import io.ptarmigan.api.Monitor;
import io.ptarmigan.api.Plugin;
import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.TranslationListener;
import io.ptarmigan.api.Verdict;
import java.util.ArrayList;
import java.util.List;

/**
 * A plug-in that does what none may, for the tests of what the guest notices of it. The system
 * property {@code misbehave} says what: {@code memory} uses up the heap, {@code collect} has large
 * collections made all the time, {@code sleep} sleeps in the callback that a virtual CPU waits for.
 * Only {@code collect} goes on in a second JVM.
 */
public final class Misbehaving implements Plugin {
  private static final int CHUNK_BYTES = 1 << 20;
  private static final int LIVE_OBJECTS = 1_500_000;
  private static final long PAUSE_MILLIS = 300;
  private static final long LATER_MILLIS = 1000;

  /** Questions answered at once before the short nap, and before the long one. */
  private static final int NAP_AT = 20;

  private static final int LONG_NAP_AT = 40;
  private static final long LONG_NAP_MILLIS = 20_000;

  private final List<Object> held = new ArrayList<>();

  @Override
  public void start(Monitor monitor) {
    boolean first = "1".equals(System.getenv("PTARMIGAN_GENERATION"));
    String what = System.getProperty("misbehave", "nothing");
    if (what.equals("collect")) {
      background(this::collect);
    } else if (first && what.equals("memory")) {
      background(this::useUpTheHeap);
    } else if (first && what.equals("sleep")) {
      monitor
          .watches()
          .watch(property("misbehave.cr3"), property("misbehave.va"), Bits.DEFAULT, new Sleeper());
    }
  }

  private static long property(String name) {
    return Long.decode(System.getProperty(name));
  }

  private static void background(Runnable task) {
    Thread thread = new Thread(task, "misbehaving");
    thread.setDaemon(true);
    thread.start();
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void useUpTheHeap() {
    pause(LATER_MILLIS);
    while (true) {
      held.add(new byte[CHUNK_BYTES]);
    }
  }

  /** A collection takes as long as there are live objects to look at. */
  private void collect() {
    for (int i = 0; i < LIVE_OBJECTS; i++) {
      held.add(new Object[] {held});
    }
    while (!Thread.currentThread().isInterrupted()) {
      System.gc();
      pause(PAUSE_MILLIS);
    }
  }

  private static final class Sleeper implements TranslationListener {
    private int questions;

    @Override
    public Verdict before(TranslationChange proposed) {
      questions++;
      if (questions == NAP_AT) {
        pause(PAUSE_MILLIS);
      } else if (questions == LONG_NAP_AT) {
        pause(LONG_NAP_MILLIS);
      }
      return Verdict.ALLOW;
    }

    @Override
    public void changed(TranslationChange change) {}
  }
}
