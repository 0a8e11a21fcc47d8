// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class SoakEmulateCommandTest {
  private static final Path ORACLE = Path.of("../../native/target/cmake/native/oracle/oracle");

  private final StringWriter output = new StringWriter();

  private int run(String... arguments) {
    return new CommandLine(new SoakEmulateCommand())
        .setOut(new PrintWriter(output))
        .setErr(new PrintWriter(output))
        .execute(arguments);
  }

  @Test
  void endsAfterTheCasesAskedFor() {
    int status = run("--oracle", ORACLE.toString(), "--cases", "10000", "--seed", "7");
    Assumptions.assumeFalse(output.toString().contains("FSGSBASE"), output::toString);
    assertEquals(0, status, output::toString);
    assertTrue(output.toString().contains("seed 7"));
    assertTrue(output.toString().contains("legal cells"));
    assertTrue(output.toString().endsWith("no mismatch\n"));
  }

  @Test
  void endsWhenTheTimeIsOver() {
    int status = run("--oracle", ORACLE.toString(), "--hours", "0.0003");
    Assumptions.assumeFalse(output.toString().contains("FSGSBASE"), output::toString);
    assertEquals(0, status, output::toString);
  }

  @Test
  void aRunnerThatFailsIsAnErrorAndNotAProof(@TempDir Path folder) throws Exception {
    Path broken = Files.writeString(folder.resolve("broken"), "#!/bin/sh\nexit 3\n");
    assertTrue(broken.toFile().setExecutable(true));
    assertEquals(1, run("--oracle", broken.toString(), "--cases", "1"));
    assertTrue(!output.toString().contains("no mismatch"));
  }
}
