// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import com.lmax.disruptor.BatchEventProcessor;
import com.lmax.disruptor.BatchEventProcessorBuilder;
import com.lmax.disruptor.EventHandler;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.ring.DecisionWriter;
import io.ptarmigan.ring.ExitRecord;
import io.ptarmigan.ring.SharedSequenceBarrier;
import io.ptarmigan.ring.StreamProvider;
import io.ptarmigan.ring.StreamRecord;
import io.ptarmigan.ring.WaitTimes;
import io.ptarmigan.x86.Effect;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/**
 * The Java half of {@code bench rtt}: barrier, provider and processor of the monitor, with a
 * decider that answers each exit with a write of nothing. Started by the benchmark; ends with the
 * stream.
 */
@Command(name = "bench-consumer", hidden = true)
final class BenchConsumerCommand implements Callable<Integer> {
  private static final long POLL_MILLIS = 20;

  @Override
  public Integer call() throws InterruptedException {
    Channel channel = Channel.inherited(System.getenv());
    int cpus = Runtime.getRuntime().availableProcessors();
    SharedSequenceBarrier barrier =
        new SharedSequenceBarrier(
            channel.stream(), channel.decisions(), WaitTimes.forCpus(cpus), () -> {});
    BatchEventProcessor<StreamRecord> processor =
        new BatchEventProcessorBuilder()
            .build(
                new StreamProvider(channel.stream()),
                barrier,
                new Echo(new DecisionWriter(channel.decisions(), channel.wake())));
    processor.getSequence().set(channel.decisions().consumed());
    Thread thread = new Thread(processor, "ptarmigan-decider");
    thread.start();
    channel.decisions().ready();
    channel.wake().published();
    while (channel.stream().state() != Native.PT_STATE_ENDED
        || channel.decisions().consumed() < channel.stream().cursor()) {
      Thread.sleep(POLL_MILLIS);
    }
    processor.halt();
    thread.join();
    return 0;
  }

  private static final class Echo implements EventHandler<StreamRecord> {
    private final DecisionWriter decisions;
    private final Effect effect = new Effect();

    Echo(DecisionWriter decisions) {
      this.decisions = decisions;
    }

    @Override
    public void onEvent(StreamRecord record, long sequence, boolean endOfBatch) {
      if (record.kind() != Native.PT_RECORD_EXIT) {
        return;
      }
      long seen = System.nanoTime();
      ExitRecord exit = record.exit();
      for (int entry = 0; entry < effect.expected.length; entry++) {
        effect.expected[entry] = exit.window(entry);
        effect.bytes[entry] = exit.window(entry);
      }
      effect.stores = 1;
      effect.rip = exit.rip();
      effect.rflags = exit.rflags();
      decisions.decide(record.vcpu(), sequence, Native.PT_ACTION_WRITE, effect, 0, seen);
    }
  }
}
