// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.policy.WritePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SandboxFilesTest {
  private static final String LAYOUT =
      """
      {"cr3": ["0x20f000"], "tables": {"gpa": "0x200000", "length": "0x6f000"},
       "watch": [{"cr3": "0x20f000", "va": "0x200000001000", "name": "first"},
                 {"cr3": "0x20f000", "va": "0xffff800000003000", "name": "denied"}],
       "deny": {"cr3": "0x20f000", "va": "0xffff800000003000"}}
      """;

  @TempDir private Path directory;

  private SandboxFiles with(String name, String text) throws IOException {
    Files.writeString(directory.resolve(name), text);
    return new SandboxFiles(directory);
  }

  @Test
  void layoutSaysWhatToProtectAndWatch() throws Exception {
    SandboxFiles.Layout layout = with("layout.json", LAYOUT).layout();
    assertEquals(new MemoryRange(0x200000, 0x6f000), layout.tables());
    assertEquals(2, layout.watches().size());
    assertEquals("first", layout.watches().get(0).name());
    assertEquals(0x20f000, layout.watches().get(0).rule().cr3());
    assertEquals(0x200000001000L, layout.watches().get(0).rule().address());
    assertEquals(WritePolicy.ALLOW, layout.watches().get(0).rule().policy());
    assertEquals(0xffff800000003000L, layout.watches().get(1).rule().address());
    assertEquals(WritePolicy.DENY, layout.watches().get(1).rule().policy());
  }

  @Test
  void aLayoutWithoutTablesIsRefused() throws Exception {
    SandboxFiles files = with("layout.json", LAYOUT.replace("tables", "other"));
    assertThrows(IOException.class, files::layout);
  }

  @Test
  void aNumberThatIsNoneIsNamed() throws Exception {
    SandboxFiles files = with("layout.json", LAYOUT.replace("0x6f000", "many"));
    IOException refused = assertThrows(IOException.class, files::layout);
    assertTrue(refused.getMessage().contains("many"), refused.getMessage());
  }

  @Test
  void aMissingLayoutIsNamed() {
    IOException refused = assertThrows(IOException.class, new SandboxFiles(directory)::layout);
    assertTrue(refused.getMessage().contains("layout.json"), refused.getMessage());
  }

  @Test
  void theResultIsWaitedForUntilItIsWhole() throws Exception {
    SandboxFiles files = with("result.json", "{\"guest_stores\": 5, \"guest_mism");
    Thread writer =
        new Thread(
            () -> {
              try {
                Thread.sleep(100);
                with(
                    "result.json",
                    "{\"guest_stores\": 5, \"guest_mismatches\": 1, \"walker_ad\": 7}");
              } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    writer.start();
    assertEquals(new SandboxFiles.Result(5, 1, 7), files.awaitResult().orElseThrow());
    writer.join();
  }
}
