// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.proof;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.x86.Operation;
import java.io.IOException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Emulator and processor agree on random cases; every legal cell of the matrix is drawn. */
class DifferentialTest {
  private static final long QUICK = 2_000_000;
  private static final long LONG = 200_000_000;

  @Test
  void twoMillionCases() throws IOException, InterruptedException {
    agree(QUICK);
  }

  @Test
  @Tag("long")
  void twoHundredMillionCases() throws IOException, InterruptedException {
    agree(LONG);
  }

  private static void agree(long cases) throws IOException, InterruptedException {
    long seed = System.nanoTime() & 0xffff_ffffL;
    int workers = Math.max(1, Runtime.getRuntime().availableProcessors() - 1);
    Campaign campaign = new Campaign(Oracle.path(), seed, workers);
    Coverage coverage =
        campaign.run(cases, TimeUnit.HOURS.toNanos(3), done -> System.out.println(done + " cases"));
    System.out.print(coverage.matrix());
    System.out.println(campaign.cases() + " cases, seed " + seed + ", " + workers + " workers");
    assertNull(campaign.mismatch());
    assertTrue(campaign.cases() >= cases, "only " + campaign.cases());
    int round = Cell.legal().stream().mapToInt(Cell::weight).sum();
    long rounds = cases / round;
    assertTrue(coverage.leastDrawn() >= rounds - workers, "a cell was drawn too seldom");
    assertTrue(coverage.leastWritten() >= 1, "a cell was always refused");
  }

  /** A listed instruction that nobody draws would be proven by nothing. */
  @Test
  void everyOperationIsDrawn() {
    Set<Operation> drawn =
        Arrays.stream(Form.values())
            .map(form -> form.operation)
            .collect(Collectors.toCollection(() -> EnumSet.noneOf(Operation.class)));
    assertEquals(EnumSet.allOf(Operation.class), drawn);
  }
}
