// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The text tables of the emulator, see native/oracle/text.h for their form. */
public final class Tables {
  private static final Path FOLDER = Path.of("src/test/resources/emulator");

  private Tables() {}

  /** One line of a table. */
  public record Line(String name, String exit, String answer, long undefined) {
    static Line parse(String text) {
      String name = text.substring(0, text.indexOf(": "));
      String[] parts = text.substring(name.length() + 2).split(" -> | ; ");
      String notes = parts.length > 2 ? parts[2] : "";
      int at = notes.indexOf("undef=");
      long undefined = at < 0 ? 0 : Long.parseLong(notes.substring(at + 6).split(" ")[0], 16);
      return new Line(name, parts[0], parts[1], undefined);
    }

    public TextCase parseExit() {
      return TextCase.parse(exit);
    }

    boolean isWrite() {
      return answer.startsWith("WRITE");
    }
  }

  static List<Path> files() {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static List<Line> lines(Path file) {
    List<Line> lines = new ArrayList<>();
    try {
      for (String text : Files.readAllLines(file)) {
        if (!text.isEmpty() && !text.startsWith("#")) {
          lines.add(Line.parse(text));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return lines;
  }

  /** All lines of all tables. */
  public static List<Line> all() {
    return files().stream().flatMap(file -> lines(file).stream()).toList();
  }

  /** All lines whose answer is a write. */
  static List<Line> writes() {
    return all().stream().filter(Line::isWrite).toList();
  }
}
