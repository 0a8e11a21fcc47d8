// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import com.fasterxml.jackson.jr.ob.JSON;
import io.ptarmigan.api.Bits;
import io.ptarmigan.policy.WatchRule;
import io.ptarmigan.policy.WritePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the sandbox guest leaves in its directory: {@code layout.json} before it starts, and after
 * its end {@code result.json}, its own account of what it did.
 */
final class SandboxFiles {
  private static final long RESULT_MILLIS = 20_000;
  private static final long LOOK_MILLIS = 20;

  /** Where the guest's tables lie and what to watch in them. */
  record Layout(MemoryRange tables, List<NamedWatch> watches) {}

  /**
   * What the guest says of its run.
   *
   * @param stores to protected memory, counted by the guest itself
   * @param mismatches failed checks and entries that differ from an unmonitored run
   * @param walkerUpdates accessed and dirty bits set by the page walker
   */
  record Result(long stores, long mismatches, long walkerUpdates) {}

  private final Path directory;

  SandboxFiles(Path directory) {
    this.directory = directory;
  }

  /**
   * Reads the layout.
   *
   * @throws IOException where it is missing or not as it should be
   */
  Layout layout() throws IOException {
    Map<String, Object> root = read("layout.json");
    try {
      Map<?, ?> tables = (Map<?, ?>) root.get("tables");
      Map<?, ?> deny = (Map<?, ?>) root.get("deny");
      List<NamedWatch> watches = new ArrayList<>();
      for (Object watch : (List<?>) root.get("watch")) {
        Map<?, ?> fields = (Map<?, ?>) watch;
        boolean denied =
            deny != null
                && hex(fields, "cr3") == hex(deny, "cr3")
                && hex(fields, "va") == hex(deny, "va");
        WritePolicy policy = denied ? WritePolicy.DENY : WritePolicy.ALLOW;
        WatchRule rule = new WatchRule(hex(fields, "cr3"), hex(fields, "va"), Bits.DEFAULT, policy);
        watches.add(new NamedWatch((String) fields.get("name"), rule));
      }
      return new Layout(new MemoryRange(hex(tables, "gpa"), hex(tables, "length")), watches);
    } catch (ClassCastException | NullPointerException | IllegalArgumentException e) {
      throw new IOException("layout.json: " + e.getMessage(), e);
    }
  }

  /** Waits a while for the result; empty where none comes. */
  Optional<Result> awaitResult() throws InterruptedException {
    long end = System.nanoTime() + RESULT_MILLIS * 1_000_000;
    while (System.nanoTime() < end) {
      try {
        Map<String, Object> root = read("result.json");
        return Optional.of(
            new Result(
                number(root, "guest_stores"),
                number(root, "guest_mismatches"),
                number(root, "walker_ad")));
      } catch (IOException e) {
        Thread.sleep(LOOK_MILLIS); // not there yet, or not written to its end
      }
    }
    return Optional.empty();
  }

  private Map<String, Object> read(String name) throws IOException {
    Path file = directory.resolve(name);
    if (!Files.exists(file)) {
      throw new NoSuchFileException(file.toString());
    }
    return JSON.std.mapFrom(Files.readString(file));
  }

  private static long hex(Map<?, ?> fields, String key) {
    Object value = fields.get(key);
    if (!(value instanceof String)) {
      throw new IllegalArgumentException(key + " is missing");
    }
    return Hex.parse((String) value);
  }

  private static long number(Map<?, ?> fields, String key) throws IOException {
    Object value = fields.get(key);
    if (!(value instanceof Number)) {
      throw new IOException("result.json: " + key + " is missing");
    }
    return ((Number) value).longValue();
  }
}
