// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.bench;

import io.ptarmigan.abi.OutcomeLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.paging.EntryFormat;
import io.ptarmigan.paging.PagingMode;
import io.ptarmigan.ring.CommandWriter;
import io.ptarmigan.ring.ExitRecord;
import io.ptarmigan.ring.OutcomeRecord;
import io.ptarmigan.ring.StreamProducer;
import io.ptarmigan.ring.StreamProvider;
import io.ptarmigan.watch.PageTableWrites;
import io.ptarmigan.x86.Effect;
import io.ptarmigan.x86.Emulator;
import io.ptarmigan.x86.IcedDecoder;
import io.ptarmigan.x86.PlanCache;
import io.ptarmigan.x86.Result;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** One exit, read from its record in the stream, as the decider meets it. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 400, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 200, timeUnit = TimeUnit.MILLISECONDS)
public class EmulateBenchmark {
  private static final int PLANS = 4096;
  private static final int FEWEST_PLANS = 8;
  private static final int MAXPHYADDR = 40;

  /** What is emulated. */
  @Param public Instruction instruction;

  private final StreamProducer producer = new StreamProducer();
  private final IcedDecoder decoder = new IcedDecoder();
  private final Emulator emulator = new Emulator(new PlanCache(decoder, PLANS));
  private final Effect effect = new Effect();
  private PageTableWrites writes;
  private ExitRecord exit;
  private OutcomeRecord outcome;
  private long sequence;

  /** Builds the exit, and the outcome that its decision would have. */
  @Setup
  public void prepare() {
    CommandWriter commands =
        new CommandWriter(producer.stream(), producer.decisions(), producer.wake());
    EntryFormat format = new EntryFormat(PagingMode.FOUR_LEVEL, MAXPHYADDR);
    writes = new PageTableWrites(format, commands, change -> {}, () -> {});
    sequence = instruction.raise(producer, 0);
    exit = new StreamProvider(producer.stream()).get(sequence).exit();
    if (emulator.emulate(exit, effect) != Result.WRITE) {
      throw new IllegalStateException(instruction + " is not emulated");
    }
    producer
        .outcome(0, sequence, Native.PT_RESULT_APPLIED)
        .with(OutcomeLayout.GPA, Instruction.GPA)
        .with(OutcomeLayout.MASK, effect.mask);
    for (int i = 0; i < effect.bytes.length; i++) {
      producer.with(OutcomeLayout.REPLACED + Long.BYTES * i, effect.expected[i]);
      producer.with(OutcomeLayout.BYTES + Long.BYTES * i, effect.bytes[i]);
    }
    outcome = new StreamProvider(producer.stream()).get(producer.publish()).outcome();
  }

  /** The plan is in the cache. */
  @Benchmark
  public Result cached() {
    return emulator.emulate(exit, effect);
  }

  /** The same, judged, and its outcome taken notice of; nobody watches the entry. */
  @Benchmark
  public int cachedAndProcessed() {
    emulator.emulate(exit, effect);
    int verdict = writes.judge(sequence, 0, exit.gpa(), exit, effect);
    writes.applied(outcome);
    return verdict;
  }

  /** The instruction is seen for the first time: the cache is empty. */
  @Benchmark
  public Result cold() {
    return new Emulator(new PlanCache(decoder, FEWEST_PLANS)).emulate(exit, effect);
  }
}
