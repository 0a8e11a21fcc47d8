// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.monitor;

import com.lmax.disruptor.BatchEventProcessor;
import com.lmax.disruptor.BatchEventProcessorBuilder;
import com.lmax.disruptor.EventHandler;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.api.Monitor;
import io.ptarmigan.api.Plugin;
import io.ptarmigan.api.Watches;
import io.ptarmigan.paging.EntryFormat;
import io.ptarmigan.paging.PagingMode;
import io.ptarmigan.ring.CommandWriter;
import io.ptarmigan.ring.DeciderLog;
import io.ptarmigan.ring.DecisionWriter;
import io.ptarmigan.ring.Decisions;
import io.ptarmigan.ring.NativeWake;
import io.ptarmigan.ring.SharedSequenceBarrier;
import io.ptarmigan.ring.Stream;
import io.ptarmigan.ring.StreamProvider;
import io.ptarmigan.ring.StreamRecord;
import io.ptarmigan.watch.Notebook;
import io.ptarmigan.watch.PageTableWrites;
import io.ptarmigan.watch.PlacingLog;
import io.ptarmigan.watch.WriteCounters;
import java.util.ArrayList;
import java.util.List;

/**
 * One guest's monitor: the decider, the handlers behind it and the observer, each on its thread.
 * {@link #start} and {@link #close} belong to one thread; the rest is for any.
 */
public final class GuestMonitor implements Monitor, AutoCloseable {
  /** Bounds how far the native side can run into unpublished progress. */
  private static final int RECORDS_PER_BATCH = 64;

  private final Stream stream;
  private final Decisions decisions;
  private final NativeWake wake;
  private final CommandWriter commands;
  private final PageTableWrites writes;
  private final Notebook notebook;
  private final DeciderCounters counters = new DeciderCounters();
  private final FailureCounter followerFailures = new FailureCounter();
  private final FailureCounter listenerFailures = new FailureCounter();
  private final ChangeRing changes;
  private final SharedSequenceBarrier barrier;
  private final BatchEventProcessor<StreamRecord> decider;
  private final List<Follower> followers = new ArrayList<>();
  private final List<Plugin> plugins;
  private final List<GuestMonitorBuilder.Range> protectedRanges;
  private final List<Thread> handlerThreads = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private boolean ready;

  GuestMonitor(GuestMonitorBuilder from) {
    stream = from.stream;
    decisions = from.decisions;
    wake = from.wake;
    plugins = List.copyOf(from.plugins);
    protectedRanges = List.copyOf(from.protectedRanges);
    commands = new CommandWriter(stream, decisions, wake, from.log);
    EntryFormat format = new EntryFormat(PagingMode.FOUR_LEVEL, stream.maxphyaddr());
    changes = new ChangeRing(format, listenerFailures);
    notebook = from.notebook;
    PlacingLog placings = from.log == null ? PlacingLog.NONE : from.log;
    writes = new PageTableWrites(format, commands, notebook, changes, this::nudge, placings);
    barrier = new SharedSequenceBarrier(stream, decisions, from.waitTimes, this::idle);
    for (GuestMonitorBuilder.NamedHandler named : from.followers) {
      followers.add(
          new Follower(named.name(), named.handler(), stream, decisions, followerFailures));
    }
    DecisionWriter writer = new DecisionWriter(decisions, wake, from.log);
    decider =
        new BatchEventProcessorBuilder()
            .setMaxBatchSize(RECORDS_PER_BATCH)
            .build(
                new StreamProvider(stream),
                barrier,
                logged(from.log, new Decider(from.emulator, writes, writer, commands, counters)));
    decider.setExceptionHandler(new DeciderFallback(new StreamProvider(stream), writer, counters));
    decider.getSequence().set(decisions.consumed());
  }

  private EventHandler<StreamRecord> logged(DeciderLog log, Decider handler) {
    if (log == null) {
      return handler;
    }
    log.begin(decisions.consumed());
    return (record, sequence, endOfBatch) -> {
      log.begin(sequence);
      handler.onEvent(record, sequence, endOfBatch);
    };
  }

  private void nudge() {
    barrier.nudge();
  }

  /** On the decider's thread, whenever it has nothing else to do. */
  private void idle() {
    commands.flush();
    writes.poll();
    if (!ready && writes.settled()) {
      ready = true;
      decisions.ready();
      wake.published();
    }
    changes.wakeIfAsleep();
    for (int i = 0; i < followers.size(); i++) {
      followers.get(i).wakeIfAsleep();
    }
  }

  /**
   * Starts the plug-ins, protects what is to be protected, then starts the threads. The native side
   * lets the guest run once every watch placed until here is in force.
   *
   * @throws IllegalStateException where the native side has no room for the first commands
   */
  public void start() {
    for (Plugin plugin : plugins) {
      plugin.start(this);
    }
    // From the first command on the native side tells what happens to memory: the decider is to
    // read it soon.
    for (GuestMonitorBuilder.Range range : protectedRanges) {
      if (commands.protectRange(range.gpa(), range.length()) == CommandWriter.FULL) {
        throw new IllegalStateException("too many ranges to protect at once");
      }
    }
    for (Follower follower : followers) {
      handlerThreads.add(run(follower.name(), follower.processor()));
    }
    run("changes", changes.observer());
    handlerThreads.add(run("decider", decider));
  }

  private Thread run(String name, Runnable task) {
    Thread thread = new Thread(task, "ptarmigan-" + name);
    thread.setDaemon(true);
    threads.add(thread);
    thread.start();
    return thread;
  }

  @Override
  public Watches watches() {
    return writes.watches();
  }

  /** True once no exit will follow and every handler and listener has seen all there is. */
  public boolean drained() {
    if (stream.state() != Native.PT_STATE_ENDED) {
      return false;
    }
    long last = stream.cursor();
    if (decisions.consumed() < last) {
      return false;
    }
    for (Follower follower : followers) {
      if (!follower.reached(last)) {
        return false;
      }
    }
    return changes.drained();
  }

  /** The decider's thread and those of the handlers behind it; empty before the start. */
  public List<Thread> handlerThreads() {
    return List.copyOf(handlerThreads);
  }

  /** Every thread of this monitor. */
  public int threadCount() {
    return threads.size();
  }

  public DeciderCounters deciderCounters() {
    return counters;
  }

  public WriteCounters writeCounters() {
    return writes.counters();
  }

  /** Changes told by this JVM and, where they share a notebook, by earlier ones. */
  public long changes() {
    return notebook.changes();
  }

  /** Of those, changes found in memory without having been seen as a write. */
  public long resyncs() {
    return notebook.resyncs();
  }

  /** Records that handlers behind the decider lost because the native side lapped them. */
  public long recordsLost() {
    long lost = 0;
    for (Follower follower : followers) {
      lost += follower.lost();
    }
    return lost;
  }

  /** Changes that no listener was told, because too many waited. */
  public long changesDropped() {
    return changes.dropped();
  }

  /** Failures of handlers behind the decider. */
  public long followerFailures() {
    return followerFailures.failures();
  }

  /** Failures of listeners that were told of a change. */
  public long listenerFailures() {
    return listenerFailures.failures();
  }

  /**
   * Stops the threads, then the plug-ins. Exits that are not decided yet are left to the deadline.
   */
  @Override
  public void close() {
    decider.halt();
    changes.observer().halt();
    for (Follower follower : followers) {
      follower.processor().halt();
    }
    for (Thread thread : threads) {
      join(thread);
    }
    for (Plugin plugin : plugins) {
      plugin.stop();
    }
  }

  private static void join(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
