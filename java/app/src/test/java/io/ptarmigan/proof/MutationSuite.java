// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.proof;

import io.ptarmigan.x86.Effect;
import io.ptarmigan.x86.Emulator;
import io.ptarmigan.x86.IcedDecoder;
import io.ptarmigan.x86.PlanCache;
import io.ptarmigan.x86.TextCase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/**
 * The suite in one call: the text tables, then random cases. Loaded once for each broken emulator,
 * by a class loader of its own.
 */
public final class MutationSuite implements Callable<String> {
  private static final long CASES = 300_000;

  private final Path tables;
  private final Path oracle;

  /**
   * @param oracle the native runner; null where there is none
   */
  public MutationSuite(Path tables, Path oracle) {
    this.tables = tables;
    this.oracle = oracle;
  }

  /** What it finds wrong, or null. */
  @Override
  public String call() throws IOException {
    String wrong = checkTables();
    return wrong != null || oracle == null ? wrong : checkRandom();
  }

  private String checkTables() throws IOException {
    Emulator emulator = new Emulator(new PlanCache(new IcedDecoder(), 4096));
    Effect effect = new Effect();
    List<Path> files;
    try (Stream<Path> list = Files.list(tables)) {
      files = list.toList();
    }
    for (Path file : files) {
      for (String line : Files.readAllLines(file)) {
        if (line.contains(" -> ")) {
          String[] parts = line.substring(line.indexOf(": ") + 2).split(" -> | ; ");
          TextCase exit = TextCase.parse(parts[0]);
          String answer = exit.answer(emulator.emulate(exit, effect), effect);
          long undefined = parts.length > 2 ? number(parts[2], "undef=") : 0;
          if (!defined(answer, undefined).equals(defined(parts[1], undefined))) {
            return "table " + file.getFileName() + ": " + line.substring(0, line.indexOf(": "));
          }
        }
      }
    }
    return null;
  }

  private static long number(String text, String key) {
    int at = text.indexOf(key);
    return at < 0 ? 0 : Long.parseUnsignedLong(text.substring(at + key.length()).split(" ")[0], 16);
  }

  /** The answer without the flags that the table itself says are undefined. */
  private static String defined(String answer, long undefined) {
    long flags = number(answer, "rflags=") & ~undefined;
    return answer.replaceFirst("rflags=[0-9a-f]+", "rflags=" + Long.toHexString(flags));
  }

  private String checkRandom() throws IOException {
    try (Differential differential = new Differential(oracle, 1)) {
      while (differential.cases() < CASES) {
        if (!differential.next()) {
          return "random: " + differential.mismatch().lines().findFirst().orElseThrow();
        }
      }
      return null;
    }
  }
}
