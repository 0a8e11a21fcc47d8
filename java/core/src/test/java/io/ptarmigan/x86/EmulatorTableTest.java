// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
  private static final Path TABLES = Path.of("src/test/resources/emulator");

  private final Emulator emulator = new Emulator(new PlanCache(new IcedDecoder(), 1024));
  private final Effect effect = new Effect();

  @TestFactory
  Stream<DynamicContainer> tables() throws IOException {
    try (Stream<Path> files = Files.list(TABLES)) {
      List<Path> tables = files.sorted().toList();
      assertTrue(tables.size() > 8, "tables are missing");
      return tables.stream().map(this::table);
    }
  }

  private DynamicContainer table(Path file) {
    List<DynamicTest> tests = new ArrayList<>();
    try {
      for (String line : Files.readAllLines(file)) {
        if (!line.isEmpty() && !line.startsWith("#")) {
          String name = line.substring(0, line.indexOf(": "));
          tests.add(DynamicTest.dynamicTest(name, () -> check(line.substring(name.length() + 2))));
        }
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    assertTrue(!tests.isEmpty(), "empty table " + file);
    return DynamicContainer.dynamicContainer(file.getFileName().toString(), tests);
  }

  private void check(String line) {
    String[] parts = line.split(" -> | ; ");
    TextCase exit = TextCase.parse(parts[0]);
    String expected = parts[1];
    String actual = exit.answer(emulator.emulate(exit, effect), effect);
    long undefined = note(line, "undef=");
    assertEquals(withoutFlags(expected, undefined), withoutFlags(actual, undefined));
  }

  private static long note(String line, String key) {
    int notes = line.indexOf(" ; ");
    int at = notes < 0 ? -1 : line.indexOf(key, notes);
    return at < 0 ? 0 : Long.parseLong(line.substring(at + key.length()).split(" ")[0], 16);
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
