// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.ptarmigan.abi.Memory;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * One side publishes work and looks whether the other sleeps; the other says that it sleeps and
 * looks for work. Both fence in between, as barrier and wake do. The same in either direction.
 */
@JCStressTest
@Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "The sleeper saw the work and stays awake.")
@Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "The publisher saw the sleeper and wakes it.")
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "Both: a wake too many.")
@Outcome(
    id = "0, 0",
    expect = FORBIDDEN,
    desc = "Work is there, its owner sleeps and nobody wakes it: a virtual CPU stays paused.")
@State
public class SleepHandshake {
  private static final Places PLACES = new Places();
  private static final int LINE = 128;
  private static final ByteBuffer BUFFER = ByteBuffer.allocateDirect(Places.COUNT * 2 * LINE);

  private final int work = PLACES.take() * 2 * LINE;
  private final int waiting = work + LINE;

  public SleepHandshake() {
    Memory.setLong(BUFFER, work, 0);
    Memory.setInt(BUFFER, waiting, 0);
  }

  @Actor
  public void sleeper(II_Result result) {
    Memory.setIntOpaque(BUFFER, waiting, 1);
    VarHandle.fullFence();
    result.r1 = (int) Memory.getLongAcquire(BUFFER, work);
  }

  @Actor
  public void publisher(II_Result result) {
    Memory.setLongRelease(BUFFER, work, 1);
    VarHandle.fullFence();
    result.r2 = Memory.getIntOpaque(BUFFER, waiting);
  }
}
