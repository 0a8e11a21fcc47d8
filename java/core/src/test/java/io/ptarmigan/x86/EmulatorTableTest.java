// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The text tables, whose answers are the processor's own wherever it can run the case: the oracle
 * checks the same files.
 */
class EmulatorTableTest {
  private final PlanCache plans = new PlanCache(new IcedDecoder(), 1024);
  private final Emulator emulator = new Emulator(plans);
  private final Effect effect = new Effect();

  @TestFactory
  Stream<DynamicContainer> tables() {
    List<Path> files = Tables.files();
    assertTrue(files.size() > 8, "tables are missing");
    return files.stream().map(this::table);
  }

  private DynamicContainer table(Path file) {
    List<Tables.Line> lines = Tables.lines(file);
    assertTrue(!lines.isEmpty(), "empty table " + file);
    Stream<DynamicTest> tests =
        lines.stream().map(line -> DynamicTest.dynamicTest(line.name(), () -> check(line)));
    return DynamicContainer.dynamicContainer(file.getFileName().toString(), tests);
  }

  private void check(Tables.Line line) {
    TextCase exit = line.parseExit();
    String actual = exit.answer(emulator.emulate(exit, effect), effect);
    assertEquals(
        withoutFlags(line.answer(), line.undefined()), withoutFlags(actual, line.undefined()));
    if (line.isWrite()) {
      assertEquals(line.undefined(), undefined(plans.find(exit), exit), "undefined flags");
    }
  }

  private static long undefined(Plan plan, ExitState exit) {
    boolean pair = plan.operation == Operation.SHLD || plan.operation == Operation.SHRD;
    boolean inCl = pair ? plan.countInCl : plan.register == Registers.RCX;
    long count = inCl ? exit.gpr(Registers.RCX) : plan.immediate;
    return UndefinedFlags.of(plan.operation, plan.size, Rotates.maskedCount(plan.size, count));
  }

  private static String withoutFlags(String answer, long flags) {
    int at = answer.indexOf(" rflags=");
    if (at < 0 || flags == 0) {
      return answer;
    }
    String value = answer.substring(at + 8).split(" ")[0];
    long defined = Long.parseLong(value, 16) & ~flags;
    return answer.replace(" rflags=" + value, " rflags=" + Long.toHexString(defined));
  }
}
