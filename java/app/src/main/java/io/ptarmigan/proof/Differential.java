// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.proof;

import io.ptarmigan.x86.Effect;
import io.ptarmigan.x86.Emulator;
import io.ptarmigan.x86.IcedDecoder;
import io.ptarmigan.x86.PlanCache;
import io.ptarmigan.x86.Result;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Random cases through the emulator and through the processor, compared one by one. While the
 * runner works on one batch, the next is drawn and the last is judged. One thread.
 */
public final class Differential implements AutoCloseable {
  private static final int BATCH = 2048;
  private static final int PLANS = 4096;

  private final List<Cell> cells = Cell.legal();
  private final OracleProcess oracle;
  private final OracleCase exit;
  private final CaseGenerator generator;
  private final Emulator emulator = new Emulator(new PlanCache(new IcedDecoder(), PLANS));
  private final Effect effect = new Effect();
  private final Coverage coverage = new Coverage(cells);
  private final Batch[] batches = {new Batch(0), new Batch(BATCH)};
  private long cases;
  private String mismatch;

  /** Cases drawn together, in records from {@code first} on. */
  private static final class Batch {
    final int first;
    final int[] cell = new int[BATCH];
    final long[] undefined = new long[BATCH];
    final int[] count = new int[BATCH];

    Batch(int first) {
      this.first = first;
    }
  }

  /**
   * Starts the runner.
   *
   * @param oracle the native runner
   * @throws IOException with the runner's own words if it cannot run cases here
   */
  public Differential(Path oracle, long seed) throws IOException {
    this.oracle = new OracleProcess(oracle, 2 * BATCH + 1);
    exit = new OracleCase(this.oracle.records(), this.oracle.layout());
    generator = new CaseGenerator(seed, this.oracle.layout(), cells);
    draw(batches[0]);
    this.oracle.start(batches[0].first, BATCH);
  }

  /**
   * Goes on with the next batch.
   *
   * @return whether all agreed so far; after that {@link #mismatch} says what did not
   */
  public boolean next() throws IOException {
    Batch running = batches[0];
    Batch next = batches[1];
    draw(next);
    oracle.await(BATCH);
    oracle.start(next.first, BATCH);
    batches[0] = next;
    batches[1] = running;
    for (int i = 0; i < BATCH && mismatch == null; i++) {
      judge(running, i);
    }
    return mismatch == null;
  }

  private void draw(Batch batch) {
    for (int i = 0; i < BATCH; i++) {
      generator.draw(exit, batch.first + i);
      batch.cell[i] = generator.cellIndex;
      batch.undefined[i] = generator.undefined;
      batch.count[i] = generator.count;
    }
  }

  private void judge(Batch batch, int i) throws IOException {
    int cell = batch.cell[i];
    String wrong = judge(cell, batch.first + i, batch.undefined[i], batch.count[i]);
    cases++;
    if (wrong != null) {
      oracle.await(BATCH); // the batch in flight; the minimiser needs the runner
      Minimizer minimizer = new Minimizer(exit, record -> rerun(cell, record, batch, i));
      mismatch =
          cells.get(cell)
              + ": "
              + minimizer.minimize(batch.first + i, cells.get(cell).offset(), wrong);
    }
  }

  private String judge(int cell, int record, long undefined, int count) {
    exit.at(record, cells.get(cell).offset());
    Result result = emulator.emulate(exit, effect);
    coverage.count(cell, result);
    return Verdict.of(cells.get(cell), exit, result, effect, undefined, count);
  }

  private String rerun(int cell, int record, Batch batch, int i) throws IOException {
    oracle.start(record, 1);
    oracle.await(1);
    return judge(cell, record, batch.undefined[i], batch.count[i]);
  }

  /** Cases judged. */
  public long cases() {
    return cases;
  }

  /** The first case on which emulator and processor differ, made small; null if there is none. */
  public String mismatch() {
    return mismatch;
  }

  public Coverage coverage() {
    return coverage;
  }

  @Override
  public void close() throws IOException {
    oracle.close();
  }
}
