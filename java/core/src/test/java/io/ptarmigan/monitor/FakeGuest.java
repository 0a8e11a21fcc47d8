// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.monitor;

import io.ptarmigan.abi.CommandLayout;
import io.ptarmigan.abi.CompletionLayout;
import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.ExitLayout;
import io.ptarmigan.abi.OutcomeLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.ring.StreamProducer;
import java.util.HashMap;
import java.util.Map;

/**
 * A guest and the native side in front of it, in plain memory: raises exits of real instructions,
 * carries out decisions and commands. One thread.
 */
public final class FakeGuest {
  public static final int RAX = 0;
  public static final int RDI = 7;

  /** {@code mov [rdi], rax} */
  public static final long MOV = 0x078948L;

  public static final int MOV_LENGTH = 3;

  /** {@code push rax} */
  public static final long PUSH = 0x50L;

  /** {@code fxsave [rdi]}, which nobody emulates. */
  public static final long FXSAVE = 0x07AE0FL;

  /** {@code movsq} */
  public static final long MOVS = 0xA548L;

  /** {@code movups [rdi], xmm6} */
  public static final long MOVUPS = 0x37110FL;

  /** {@code rep stosq} */
  static final long REP_STOS = 0xAB48F3L;

  private static final long RIP = 0xFFFF_8000_0000_1000L;
  private static final long LINEAR = 0xFFFF_8880_0000_0000L;
  private static final long CR3 = 0x1000;

  public final StreamProducer producer = new StreamProducer();
  private final Map<Long, Long> memory = new HashMap<>();
  private long commandsDone;

  public void store(long gpa, long value) {
    memory.put(gpa, value);
  }

  public long load(long gpa) {
    return memory.getOrDefault(gpa, 0L);
  }

  /** Publishes an exit of an instruction that stores {@code value} at {@code gpa}. */
  public long raise(int vcpu, long instruction, long gpa, long value) {
    begin(vcpu, instruction, gpa, value);
    return producer.publish();
  }

  /** As {@link #raise}, up to the last field. */
  void begin(int vcpu, long instruction, long gpa, long value) {
    long base = gpa & -8;
    producer
        .exit(vcpu)
        .with(ExitLayout.INSN, instruction)
        .with(ExitLayout.GPA, gpa)
        .with(ExitLayout.GLA, LINEAR + gpa)
        .with(ExitLayout.RIP, RIP)
        .with(ExitLayout.CR3, CR3)
        .with(ExitLayout.RFLAGS, 2L)
        .with(ExitLayout.GPR + 8 * RAX, value)
        .with(ExitLayout.GPR + 8 * RDI, LINEAR + gpa);
    for (int i = 0; i < 4; i++) {
      producer.with(ExitLayout.WINDOW + 8 * i, load(base + 8 * i));
    }
  }

  /** Publishes the exit that asked for it again, with {@code value} as source and register 6. */
  public long raiseWithMore(int vcpu, long instruction, long gpa, long value) {
    int needs = producer.decisionInt(vcpu, DecisionLayout.NEEDS);
    begin(vcpu, instruction, gpa, 0);
    producer
        .with(ExitLayout.ROUND, 1)
        .with(ExitLayout.ATTACHED, needs)
        .with(ExitLayout.SOURCE_COUNT, producer.decisionInt(vcpu, DecisionLayout.SOURCE_BYTES))
        .with(ExitLayout.XMM_REGISTER, 6)
        .with(ExitLayout.SOURCE, value)
        .with(ExitLayout.XMM, value)
        .with(ExitLayout.XMM + 8, ~value);
    return producer.publish();
  }

  /** Waits for the decision and does what it says; the result that the outcome tells. */
  public int carryOut(int vcpu, long sequence, long gpa) {
    producer.awaitDecision(vcpu, sequence);
    int action = producer.decisionInt(vcpu, DecisionLayout.ACTION);
    int mask = producer.decisionInt(vcpu, DecisionLayout.MASK);
    int result =
        action == Native.PT_ACTION_WRITE
            ? Native.PT_RESULT_APPLIED
            : action == Native.PT_ACTION_SKIP ? Native.PT_RESULT_DENIED : Native.PT_RESULT_STEPPED;
    long base = gpa & -8;
    producer
        .outcome(vcpu, sequence, result)
        .with(OutcomeLayout.GPA, base)
        .with(OutcomeLayout.MASK, mask)
        .with(OutcomeLayout.RIP, RIP)
        .with(OutcomeLayout.CR3, CR3);
    for (int i = 0; i < 4; i++) {
      long now = producer.decisionLong(vcpu, DecisionLayout.BYTES + 8 * i);
      producer.with(OutcomeLayout.REPLACED + 8 * i, load(base + 8 * i));
      producer.with(OutcomeLayout.BYTES + 8 * i, now);
      if (result == Native.PT_RESULT_APPLIED && (mask >>> (8 * i) & 0xFF) != 0) {
        store(base + 8 * i, now);
      }
    }
    producer.publish();
    return result;
  }

  /** Carries out every command that waits. */
  public void serve() {
    while (commandsDone < producer.commandsPublished()) {
      commandsDone++;
      long gpa = producer.commandLong(commandsDone, CommandLayout.GPA);
      int length = producer.commandInt(commandsDone, CommandLayout.LENGTH);
      int kind = producer.commandInt(commandsDone, CommandLayout.KIND);
      producer.completion(producer.commandLong(commandsDone, CommandLayout.ID), kind, 0, gpa);
      if (kind == Native.PT_COMMAND_PROTECT_READ || kind == Native.PT_COMMAND_READ) {
        producer.with(CompletionLayout.LENGTH, length);
        for (int at = 0; at < length; at += 8) {
          producer.with(CompletionLayout.DATA + at, load(gpa + at));
        }
      }
      producer.publish();
      producer.commandsDone(commandsDone);
    }
  }

  /** Serves commands until Java says that it is ready. */
  public void serveUntilReady() {
    while (producer.ready() != StreamProducer.GENERATION) {
      serve();
      Thread.onSpinWait();
    }
  }
}
