// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.example;

import io.ptarmigan.watch.AppliedWrite;
import io.ptarmigan.watch.GuestPort;
import io.ptarmigan.watch.PageTableWrites;
import io.ptarmigan.x86.Effect;
import io.ptarmigan.x86.ExitState;
import java.lang.reflect.Proxy;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.function.Function;

/**
 * A guest small enough to read at a glance: memory, and stores that are judged before they happen.
 */
final class SmallGuest implements GuestPort {
  private record Read(long id, long gpa) {}

  private final Map<Long, Long> memory = new HashMap<>();
  private final Queue<Read> reads = new ArrayDeque<>();
  private long lastId;
  private long sequence;
  PageTableWrites writes;

  long get(long gpa) {
    return memory.getOrDefault(gpa, 0L);
  }

  void set(long gpa, long entry) {
    memory.put(gpa, entry);
  }

  /** Answers what the watches asked for, until they ask no more. */
  void settle() {
    writes.poll();
    for (Read read = reads.poll(); read != null; read = reads.poll()) {
      long entry = get(read.gpa);
      writes.completed(read.id, 0, 0, read.gpa, 8, index -> entry);
    }
  }

  /** Stores one entry if it is allowed, and returns whether it was. */
  boolean store(long gpa, long entry) {
    Effect effect = new Effect();
    effect.mask = 0xFF;
    effect.expected[0] = get(gpa);
    effect.bytes[0] = entry;
    int verdict = writes.judge(++sequence, 0, gpa, zeros(ExitState.class), effect);
    if ((verdict & PageTableWrites.DENY) != 0) {
      writes.denied(applied(gpa, effect));
      return false;
    }
    set(gpa, entry);
    writes.applied(applied(gpa, effect));
    settle();
    return true;
  }

  private AppliedWrite applied(long gpa, Effect effect) {
    return proxy(
        AppliedWrite.class,
        name -> {
          switch (name) {
            case "gpa":
              return gpa;
            case "mask":
              return effect.mask;
            case "replaced":
              return effect.expected[0];
            case "bytes":
              return effect.bytes[0];
            default:
              return null;
          }
        });
  }

  private static <T> T zeros(Class<T> type) {
    return proxy(type, name -> null);
  }

  /** An object whose methods answer by name, numbers of no interest being 0. */
  private static <T> T proxy(Class<T> type, Function<String, Object> answers) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> {
              Object answer = answers.apply(method.getName());
              if (answer != null) {
                return answer;
              }
              return method.getReturnType() == long.class ? (Object) 0L : (Object) 0;
            }));
  }

  @Override
  public long protectAndRead(long gpa, int length) {
    reads.add(new Read(++lastId, gpa));
    return lastId;
  }

  @Override
  public long read(long gpa, int length) {
    return protectAndRead(gpa, length);
  }

  @Override
  public long deny(long gpa, long mask) {
    return ++lastId;
  }

  @Override
  public long allow(long gpa, long mask) {
    return ++lastId;
  }

  @Override
  public void release(long gpa) {}
}
