// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.x86.Effect;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;

/**
 * Guest memory and the native side, in one thread and in small steps that a test orders: a virtual
 * CPU stores, the native side carries out a command or a decision, Java takes a record from the
 * stream. A store to a protected frame becomes an exit, which is judged and swapped; a store to any
 * other frame goes unseen.
 */
final class FakeGuest implements GuestPort {
  private static final int PROTECT_READ = Native.PT_COMMAND_PROTECT_READ;
  private static final int RELEASE = Native.PT_COMMAND_RELEASE;
  private static final int READ = Native.PT_COMMAND_READ;
  private static final int DENY = Native.PT_COMMAND_DENY;
  private static final int ALLOW = Native.PT_COMMAND_ALLOW;
  static final long RIP = 0xffff_8000_0010_0000L;

  /** One store of one virtual CPU on its way from exit to outcome. */
  static final class Store {
    final int vcpu;
    final long gpa;
    final int mask;
    final long[] bytes;
    final long[] captured = new long[4];
    long sequence;
    int verdict;
    boolean finished;

    Store(int vcpu, long gpa, int mask, long[] bytes) {
      this.vcpu = vcpu;
      this.gpa = gpa;
      this.mask = mask;
      this.bytes = bytes;
    }
  }

  private record Command(long id, int kind, long gpa, long mask) {}

  private final long frames;
  private final Map<Long, Long> memory = new HashMap<>();
  private final Map<Long, Integer> protections = new TreeMap<>();

  /** Denied bits by address of the entry. */
  final Map<Long, Long> rules = new TreeMap<>();

  private final Queue<Command> commands = new ArrayDeque<>();
  private final Queue<Store> decisions = new ArrayDeque<>();
  private final Queue<Runnable> stream = new ArrayDeque<>();
  private final Effect effect = new Effect();

  /** Frames that can be read and not be protected. */
  final Set<Long> unprotectable = new HashSet<>();

  final List<String> commandLog = new ArrayList<>();
  PageTableWrites writes;
  int commandRoom = 256;
  int ruleRoom = 256;
  private long nextId = 1;
  private long sequence;

  FakeGuest(long frames) {
    this.frames = frames;
  }

  long get(long gpa) {
    return memory.getOrDefault(gpa, 0L);
  }

  /** Changes memory behind everyone's back, as a test's set-up or a device does. */
  void poke(long gpa, long value) {
    memory.put(gpa, value);
  }

  int protections(long gpa) {
    return protections.getOrDefault(gpa >>> 12, 0);
  }

  Map<Long, Integer> protections() {
    return protections;
  }

  @Override
  public long protectAndRead(long gpa, int length) {
    return command(PROTECT_READ, gpa, 0);
  }

  @Override
  public long read(long gpa, int length) {
    return command(READ, gpa, 0);
  }

  @Override
  public long deny(long gpa, long mask) {
    return command(DENY, gpa, mask);
  }

  @Override
  public long allow(long gpa, long mask) {
    return command(ALLOW, gpa, mask);
  }

  @Override
  public void release(long gpa) {
    commands.add(new Command(nextId++, RELEASE, gpa, 0));
  }

  private long command(int kind, long gpa, long mask) {
    if (commands.size() >= commandRoom) {
      return -1;
    }
    commands.add(new Command(nextId, kind, gpa, mask));
    return nextId++;
  }

  /** A virtual CPU stores whole or partial entries; it may have to wait for its outcome. */
  Store store(int vcpu, long gpa, int mask, long... bytes) {
    long[] all = new long[4];
    System.arraycopy(bytes, 0, all, 0, bytes.length);
    Store store = new Store(vcpu, gpa & ~7L, mask, all);
    if (protections(gpa) == 0) {
      write(store);
      store.finished = true;
    } else {
      publish(store);
    }
    return store;
  }

  /** Stores one entry. */
  Store store(long gpa, long entry) {
    return store(0, gpa, 0xFF, entry);
  }

  /** The virtual CPU executes the store by itself; it is seen when the step ends. */
  Store beginStep(long gpa, long entry) {
    Store store = new Store(0, gpa, 0xFF, new long[] {entry, 0, 0, 0});
    store.sequence = ++sequence;
    capture(store);
    write(store);
    return store;
  }

  /** All that is told of an entry in a frame that nobody remembered before the step. */
  void putBack(Store store, long found, long held) {
    poke(store.gpa, held);
    long[] replaced = {found};
    long[] now = {held};
    stream.add(
        () ->
            writes.lateDenied(new FakeOutcome(store, Native.PT_RESULT_LATE_DENIED, replaced, now)));
  }

  /** Ends the step of a store to one entry; denied bits are put back first, as C does. */
  void endStep(Store store) {
    long denied = rules.getOrDefault(store.gpa, 0L);
    long found = get(store.gpa);
    long held = found & ~denied | store.captured[0] & denied;
    if (held != found) {
      putBack(store, found, held);
    }
    outcome(store, Native.PT_RESULT_STEPPED);
  }

  private void publish(Store store) {
    capture(store);
    store.sequence = ++sequence;
    stream.add(() -> decide(store));
  }

  private void capture(Store store) {
    for (int i = 0; i < 4; i++) {
      store.captured[i] = get(store.gpa + 8L * i);
    }
  }

  private void decide(Store store) {
    effect.mask = store.mask;
    for (int i = 0; i < 4; i++) {
      effect.expected[i] = store.captured[i];
      effect.bytes[i] = merged(store, i, store.captured[i]);
    }
    store.verdict = writes.judge(store.sequence, store.vcpu, store.gpa, new FakeExit(RIP), effect);
    decisions.add(store);
  }

  private static long merged(Store store, int index, long old) {
    long bits = 0;
    for (int b = 0; b < 8; b++) {
      if ((store.mask >>> 8 * index + b & 1) != 0) {
        bits |= 0xFFL << 8 * b;
      }
    }
    return old & ~bits | store.bytes[index] & bits;
  }

  private void write(Store store) {
    for (int i = 0; i < 4; i++) {
      if ((store.mask >>> 8 * i & 0xFF) != 0) {
        long at = store.gpa + 8L * i;
        poke(at, merged(store, i, get(at)));
      }
    }
  }

  /** Native: swaps the oldest decided store, or publishes it again if memory moved. */
  boolean stepDecision() {
    Store store = decisions.poll();
    if (store == null) {
      return false;
    }
    if ((store.verdict & PageTableWrites.DENY) != 0) {
      stream.add(
          () ->
              writes.denied(
                  new FakeOutcome(
                      store, Native.PT_RESULT_DENIED, store.captured, intended(store))));
      store.finished = true;
      return true;
    }
    for (int i = 0; i < 4; i++) {
      boolean touched = (store.mask >>> 8 * i & 0xFF) != 0;
      if (touched && get(store.gpa + 8L * i) != store.captured[i]) {
        publish(store);
        return true;
      }
    }
    write(store);
    outcome(store, Native.PT_RESULT_APPLIED);
    return true;
  }

  private static long[] intended(Store store) {
    long[] values = new long[4];
    for (int i = 0; i < 4; i++) {
      values[i] = merged(store, i, store.captured[i]);
    }
    return values;
  }

  private void outcome(Store store, int result) {
    long[] now = new long[4];
    for (int i = 0; i < 4; i++) {
      now[i] = get(store.gpa + 8L * i);
    }
    stream.add(() -> writes.applied(new FakeOutcome(store, result, store.captured, now)));
    store.finished = true;
  }

  /** Native: carries out the oldest command. */
  boolean stepCommand() {
    Command command = commands.poll();
    if (command == null) {
      return false;
    }
    long frame = command.gpa >>> 12;
    commandLog.add("%d %x".formatted(command.kind, command.gpa));
    int status = frame < frames ? 0 : -2;
    if (command.kind == PROTECT_READ && unprotectable.contains(frame)) {
      status = -12;
    }
    if (status == 0 && command.kind == PROTECT_READ) {
      protections.merge(frame, 1, Integer::sum);
    }
    if (command.kind == DENY) {
      status = rules.size() < ruleRoom ? 0 : -28;
      if (status == 0) {
        rules.merge(command.gpa, command.mask, (a, b) -> a | b);
      }
    }
    if (command.kind == ALLOW) {
      rules.computeIfPresent(
          command.gpa, (gpa, mask) -> (mask & ~command.mask) == 0 ? null : mask & ~command.mask);
    }
    if (command.kind == RELEASE) {
      status = 0;
      int count = protections(command.gpa) - 1;
      if (count < 0) {
        throw new AssertionError("released more often than protected: %x".formatted(frame));
      }
      protections.put(frame, count);
      protections.remove(frame, 0);
    }
    int answer = status;
    long read = get(command.gpa);
    int length = status == 0 && command.kind != RELEASE ? 8 : 0;
    stream.add(
        () -> writes.completed(command.id, command.kind, answer, command.gpa, length, i -> read));
    return true;
  }

  /** Java: takes the oldest record. */
  boolean stepStream() {
    Runnable record = stream.poll();
    if (record == null) {
      return false;
    }
    record.run();
    return true;
  }

  /** Everything goes on until nothing is left to do. */
  void run() {
    boolean busy = true;
    while (busy) {
      writes.poll();
      busy = stepCommand() | stepDecision() | stepStream();
    }
  }

  private static final class FakeOutcome implements AppliedWrite {
    private final Store store;
    private final int result;
    private final long[] replaced;
    private final long[] now;

    FakeOutcome(Store store, int result, long[] replaced, long[] now) {
      this.store = store;
      this.result = result;
      this.replaced = replaced;
      this.now = now;
    }

    @Override
    public long sequence() {
      return store.sequence;
    }

    @Override
    public int vcpu() {
      return store.vcpu;
    }

    @Override
    public long gpa() {
      return store.gpa;
    }

    @Override
    public int mask() {
      return store.mask;
    }

    @Override
    public long replaced(int entry) {
      return replaced[entry];
    }

    @Override
    public long bytes(int entry) {
      return now[entry];
    }

    @Override
    public long rip() {
      return RIP;
    }

    @Override
    public long cr3() {
      return 0;
    }

    @Override
    public int result() {
      return result;
    }

    @Override
    public int cause() {
      return 0;
    }
  }
}
