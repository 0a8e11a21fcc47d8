// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.proof;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** The native runner that the build has made. */
final class Oracle {
  private static final Path BINARY = Path.of("../../native/target/cmake/native/oracle/oracle");

  private Oracle() {}

  /** Its path; the test is skipped, with a line that says so, where it cannot run cases. */
  static Path path() throws IOException {
    assertTrue(Files.isExecutable(BINARY), BINARY + " is not built");
    try (OracleProcess probe = new OracleProcess(BINARY, 1)) {
      assertTrue(probe.layout().recordBytes > 0);
      return BINARY;
    } catch (OracleProcess.Unavailable e) {
      System.out.println("Skipped: " + e.getMessage());
      return Assumptions.abort(e.getMessage());
    }
  }
}
