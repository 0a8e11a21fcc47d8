// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.proof;

import io.ptarmigan.x86.Result;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** How often each cell was drawn, and how often the emulator answered it with a write. */
public final class Coverage {
  private final List<Cell> cells;
  private final long[] drawn;
  private final long[] written;
  private final Map<Result, Long> results = new EnumMap<>(Result.class);

  Coverage(List<Cell> cells) {
    this.cells = cells;
    this.drawn = new long[cells.size()];
    this.written = new long[cells.size()];
    for (Result result : Result.values()) {
      results.put(result, 0L);
    }
  }

  void count(int cell, Result result) {
    drawn[cell]++;
    if (result == Result.WRITE) {
      written[cell]++;
    }
    results.merge(result, 1L, Long::sum);
  }

  /** Adds the counts of another one over the same cells. */
  void add(Coverage other) {
    for (int i = 0; i < drawn.length; i++) {
      drawn[i] += other.drawn[i];
      written[i] += other.written[i];
    }
    other.results.forEach((result, n) -> results.merge(result, n, Long::sum));
  }

  public int cells() {
    return cells.size();
  }

  /** Draws of the least drawn cell. */
  public long leastDrawn() {
    return Arrays.stream(drawn).min().orElse(0);
  }

  /** Writes of the least written cell among those that are not always refused. */
  public long leastWritten() {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < written.length; i++) {
      if (cells.get(i).isEmulated()) {
        least = Math.min(least, written[i]);
      }
    }
    return least;
  }

  /**
   * The matrix as text: a row for each form and size with the draws by addressing form, by prefixes
   * and by entry offset, then how the cases ended and the least drawn cell.
   */
  public String matrix() {
    StringBuilder text = new StringBuilder(40_000);
    header(text);
    int from = 0;
    while (from < cells.size()) {
      int to = from;
      while (to < cells.size() && sameRow(cells.get(from), cells.get(to))) {
        to++;
      }
      row(text, from, to);
      from = to;
    }
    text.append("ended:");
    results.forEach((result, n) -> text.append(n == 0 ? "" : " " + result.text() + "=" + n));
    text.append(
        String.format(
            "%n%d legal cells, least drawn %d times, least written %d times%n",
            cells(), leastDrawn(), leastWritten()));
    return text.toString();
  }

  private static boolean sameRow(Cell a, Cell b) {
    return a.form() == b.form() && a.size() == b.size();
  }

  private static void header(StringBuilder text) {
    text.append(String.format("%-12s %4s", "form", "size"));
    for (Cell.Addressing addressing : Cell.Addressing.values()) {
      text.append(' ').append(addressing.name().toLowerCase());
    }
    text.append(" |");
    for (Cell.Prefixes prefixes : Cell.Prefixes.values()) {
      text.append(' ').append(prefixes.name().toLowerCase());
    }
    text.append(" | offset 0 to 7\n");
  }

  private void row(StringBuilder text, int from, int to) {
    Cell first = cells.get(from);
    text.append(String.format("%-12s %4d", first.form().name().toLowerCase(), first.size()));
    for (Cell.Addressing addressing : Cell.Addressing.values()) {
      text.append(' ').append(sum(from, to, Cell::addressing, addressing));
    }
    text.append(" |");
    for (Cell.Prefixes prefixes : Cell.Prefixes.values()) {
      text.append(' ').append(sum(from, to, Cell::prefixes, prefixes));
    }
    text.append(" |");
    for (int offset = 0; offset < 8; offset++) {
      text.append(' ').append(sum(from, to, Cell::offset, offset));
    }
    text.append('\n');
  }

  private long sum(int from, int to, Function<Cell, Object> by, Object value) {
    long sum = 0;
    for (int i = from; i < to; i++) {
      if (by.apply(cells.get(i)).equals(value)) {
        sum += drawn[i];
      }
    }
    return sum;
  }
}
