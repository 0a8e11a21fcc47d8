// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.proof;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Many random cases on all processors; ends with the first mismatch. */
public final class Campaign {
  private final Path oracle;
  private final long seed;
  private final int workers;
  private final AtomicLong cases = new AtomicLong();
  private volatile boolean stopped;
  private volatile String mismatch;

  /**
   * @param oracle the native runner
   * @param seed of the first worker; the others count up from it
   */
  public Campaign(Path oracle, long seed, int workers) {
    this.oracle = oracle;
    this.seed = seed;
    this.workers = workers;
  }

  /**
   * Runs until that many cases are done, the time is over, or a case differs.
   *
   * @param most cases
   * @param nanos from now
   * @param progress told every ten seconds or so how many cases are done
   * @throws IOException with the oracle's words if it cannot run here
   */
  public Coverage run(long most, long nanos, Progress progress)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + nanos;
    ExecutorService threads = Executors.newFixedThreadPool(workers);
    try {
      List<Future<Coverage>> futures = new ArrayList<>();
      for (int i = 0; i < workers; i++) {
        long own = seed + i;
        futures.add(threads.submit(() -> work(own, most, end)));
      }
      threads.shutdown();
      while (!threads.awaitTermination(10, TimeUnit.SECONDS)) {
        progress.at(cases.get());
      }
      return collect(futures);
    } finally {
      stopped = true;
      threads.shutdownNow();
    }
  }

  /** Told how far a campaign is. */
  public interface Progress {
    void at(long cases);
  }

  private Coverage work(long own, long most, long end) throws IOException {
    try (Differential differential = new Differential(oracle, own)) {
      while (!stopped && cases.get() < most && System.nanoTime() - end < 0) {
        long before = differential.cases();
        boolean agreed = differential.next();
        cases.addAndGet(differential.cases() - before);
        if (!agreed) {
          mismatch =
              "seed " + own + ", case " + differential.cases() + ": " + differential.mismatch();
          stopped = true;
        }
      }
      return differential.coverage();
    }
  }

  private static Coverage collect(List<Future<Coverage>> futures)
      throws IOException, InterruptedException {
    Coverage all = new Coverage(Cell.legal());
    for (Future<Coverage> future : futures) {
      try {
        all.add(future.get());
      } catch (ExecutionException e) {
        if (e.getCause() instanceof IOException cause) {
          throw cause;
        }
        throw new IllegalStateException(e.getCause());
      }
    }
    return all;
  }

  /** Cases judged. */
  public long cases() {
    return cases.get();
  }

  /** The first case that differs, made small; null if there is none. */
  public String mismatch() {
    return mismatch;
  }
}
