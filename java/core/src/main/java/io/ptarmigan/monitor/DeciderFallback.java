// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.monitor;

import com.lmax.disruptor.ExceptionHandler;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.ring.DecisionWriter;
import io.ptarmigan.ring.StreamProvider;
import io.ptarmigan.ring.StreamRecord;

/**
 * What becomes of an exit whose handling threw, whatever it threw: the virtual CPU executes the
 * instruction itself, and the failure is counted. The decider's thread goes on; a thread that ended
 * here would be a frozen guest.
 */
public final class DeciderFallback implements ExceptionHandler<StreamRecord> {
  private final StreamProvider provider;
  private final DecisionWriter decisions;
  private final DeciderCounters counters;

  public DeciderFallback(
      StreamProvider provider, DecisionWriter decisions, DeciderCounters counters) {
    this.provider = provider;
    this.decisions = decisions;
    this.counters = counters;
  }

  /** The event that is handed over can be an earlier one, so the record is looked up again. */
  @Override
  public void handleEventException(Throwable failure, long sequence, StreamRecord event) {
    try {
      counters.countFailure(failure);
      StreamRecord record = provider.get(sequence);
      if (record.sequence() == sequence && record.kind() == Native.PT_RECORD_EXIT) {
        decisions.decide(record.vcpu(), sequence, Native.PT_ACTION_STEP, System.nanoTime());
      }
    } catch (Throwable again) {
      counters.countFailure(again);
    }
  }

  @Override
  public void handleOnStartException(Throwable failure) {
    counters.countFailure(failure);
  }

  @Override
  public void handleOnShutdownException(Throwable failure) {
    counters.countFailure(failure);
  }
}
