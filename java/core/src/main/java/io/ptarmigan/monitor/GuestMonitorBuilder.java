// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.monitor;

import com.lmax.disruptor.EventHandler;
import io.ptarmigan.api.Plugin;
import io.ptarmigan.ring.DeciderLog;
import io.ptarmigan.ring.Decisions;
import io.ptarmigan.ring.NativeWake;
import io.ptarmigan.ring.Stream;
import io.ptarmigan.ring.StreamRecord;
import io.ptarmigan.ring.WaitTimes;
import io.ptarmigan.watch.Notebook;
import io.ptarmigan.x86.Emulator;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Puts a {@link GuestMonitor} together; programs and tests embed it the same way. */
public final class GuestMonitorBuilder {
  final Stream stream;
  final Decisions decisions;
  final NativeWake wake;
  final List<Plugin> plugins = new ArrayList<>();
  final List<NamedHandler> followers = new ArrayList<>();
  final List<Range> protectedRanges = new ArrayList<>();
  Emulator emulator;
  Notebook notebook = Notebook.none();
  DeciderLog log;
  WaitTimes waitTimes = WaitTimes.forCpus(Runtime.getRuntime().availableProcessors());

  record NamedHandler(String name, EventHandler<StreamRecord> handler) {}

  record Range(long gpa, long length) {}

  /**
   * A monitor of the guest behind a stream.
   *
   * @param decisions of this JVM's generation
   */
  public GuestMonitorBuilder(Stream stream, Decisions decisions, NativeWake wake) {
    this.stream = stream;
    this.decisions = decisions;
    this.wake = wake;
  }

  /** The emulator to use, which no other monitor may use; required. */
  public GuestMonitorBuilder emulator(Emulator emulator) {
    this.emulator = emulator;
    return this;
  }

  /** What earlier JVMs told about this guest; without one there is nothing to compare with. */
  public GuestMonitorBuilder notebook(Notebook notebook) {
    this.notebook = notebook;
    return this;
  }

  /** How the decider waits; by default as suits the CPUs of this machine. */
  public GuestMonitorBuilder waitTimes(WaitTimes waitTimes) {
    this.waitTimes = waitTimes;
    return this;
  }

  /** User code, started before the guest runs. */
  public GuestMonitorBuilder plugin(Plugin plugin) {
    plugins.add(plugin);
    return this;
  }

  /** A handler behind the decider, on a thread of its own. */
  public GuestMonitorBuilder follower(String name, EventHandler<StreamRecord> handler) {
    followers.add(new NamedHandler(name, handler));
    return this;
  }

  /** Has the decider write what it does into a log, which one follower is to read. */
  public GuestMonitorBuilder log(DeciderLog log) {
    this.log = log;
    return this;
  }

  /**
   * Guest memory to protect from the start, watched or not.
   *
   * @param length bytes, below 4 GiB
   */
  public GuestMonitorBuilder protect(long gpa, long length) {
    protectedRanges.add(new Range(gpa, length));
    return this;
  }

  public GuestMonitor build() {
    Objects.requireNonNull(emulator, "emulator");
    return new GuestMonitor(this);
  }
}
