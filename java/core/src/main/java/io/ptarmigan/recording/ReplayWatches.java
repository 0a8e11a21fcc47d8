// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import io.ptarmigan.api.Bits;
import io.ptarmigan.api.Monitor;
import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.TranslationListener;
import io.ptarmigan.api.Verdict;
import io.ptarmigan.api.Watch;
import io.ptarmigan.api.Watches;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;

/**
 * The watches of a replay: placed and closed when the recorded decider took them over. One that a
 * plug-in asks for lends its listener to the recorded watch of the same address, root and bits;
 * every other answers as recorded.
 */
public final class ReplayWatches implements Monitor, Watches {
  private record Key(long cr3, long address, long bits, boolean denies) {}

  private static final Bits[] SINGLE = {
    Bits.P, Bits.RW, Bits.US, Bits.PS, Bits.FRAME, Bits.PKEY, Bits.NX
  };

  private final Map<Long, Watch> byNumber = new HashMap<>();
  private final Map<Key, Queue<Asked>> asked = new HashMap<>();
  private final Map<Key, Queue<Recorded>> unclaimed = new HashMap<>();
  private Verdict recordedVerdict = Verdict.ALLOW;

  /** What listeners say for which no plug-in speaks. */
  void answer(Verdict verdict) {
    recordedVerdict = verdict;
  }

  /**
   * Places or closes as recorded.
   *
   * @throws DamagedRecordingException where no guest can have such a watch
   */
  void play(Watches real, Moment.Placing placing) throws DamagedRecordingException {
    if (!placing.placed()) {
      Watch watch = byNumber.remove(placing.number());
      if (watch != null) {
        watch.close();
      }
      return;
    }
    Key key = new Key(placing.cr3(), placing.address(), placing.bits(), placing.denied() != 0);
    Recorded listener = new Recorded();
    Queue<Asked> waiting = asked.get(key);
    if (waiting != null && !waiting.isEmpty()) {
      listener.plugin = waiting.remove();
    } else {
      unclaimed.computeIfAbsent(key, k -> new ArrayDeque<>()).add(listener);
    }
    try {
      Watch watch =
          key.denies
              ? real.deny(key.cr3, key.address, bits(key.bits), listener)
              : real.watch(key.cr3, key.address, bits(key.bits), listener);
      if (listener.plugin != null) {
        listener.plugin.watch = watch;
      }
      listener.watch = watch;
      byNumber.put(placing.number(), watch);
    } catch (IllegalArgumentException e) {
      throw new DamagedRecordingException("a watch that cannot be: " + e.getMessage());
    }
  }

  private static Bits bits(long mask) {
    Bits sum = Bits.P.without(Bits.P);
    for (Bits single : SINGLE) {
      sum = (mask & single.mask()) == single.mask() ? sum.with(single) : sum;
    }
    return sum;
  }

  @Override
  public Watches watches() {
    return this;
  }

  @Override
  public Watch watch(long cr3, long address, Bits bits, TranslationListener listener) {
    return ask(new Key(cr3, address, bits.mask(), false), bits, listener);
  }

  @Override
  public Watch deny(long cr3, long address, Bits bits, TranslationListener listener) {
    return ask(new Key(cr3, address, bits.mask(), true), bits, listener);
  }

  /** A plug-in asks; what it gets follows the recorded watch, once there is one. */
  private Watch ask(Key key, Bits bits, TranslationListener listener) {
    Asked request = new Asked(key, bits, listener);
    Queue<Recorded> placed = unclaimed.get(key);
    if (placed != null && !placed.isEmpty()) {
      Recorded recorded = placed.remove();
      recorded.plugin = request;
      request.watch = recorded.watch;
    } else {
      asked.computeIfAbsent(key, k -> new ArrayDeque<>()).add(request);
    }
    return request;
  }

  /** Watches that plug-ins asked for and the recorded run did not have. */
  int notRecorded() {
    return asked.values().stream().mapToInt(Queue::size).sum();
  }

  /** The listener of a recorded watch. */
  private final class Recorded implements TranslationListener {
    private Asked plugin;
    private Watch watch;

    @Override
    public Verdict before(TranslationChange proposed) {
      if (plugin == null) {
        return recordedVerdict;
      }
      return plugin.closed ? Verdict.ALLOW : plugin.listener.before(proposed);
    }

    @Override
    public void changed(TranslationChange change) {
      if (plugin != null && !plugin.closed) {
        plugin.listener.changed(change);
      }
    }

    @Override
    public void denied(TranslationChange attempt) {
      if (plugin != null && !plugin.closed) {
        plugin.listener.denied(attempt);
      }
    }
  }

  /** What a plug-in holds. Its tables are let go when the recorded watch is. */
  private static final class Asked implements Watch {
    private final Key key;
    private final Bits bits;
    private final TranslationListener listener;
    private Watch watch;
    private boolean closed;

    Asked(Key key, Bits bits, TranslationListener listener) {
      this.key = key;
      this.bits = bits;
      this.listener = listener;
    }

    @Override
    public long cr3() {
      return key.cr3;
    }

    @Override
    public long address() {
      return key.address;
    }

    @Override
    public Bits bits() {
      return bits;
    }

    @Override
    public boolean inForce() {
      return !closed && watch != null && watch.inForce();
    }

    @Override
    public void close() {
      closed = true;
    }
  }
}
