// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.bench;

import java.io.PrintWriter;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.openjdk.jmh.util.Statistics;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Nanoseconds and bytes allocated per exit, by instruction. */
@Command(
    name = "emulate",
    mixinStandardHelpOptions = true,
    description = {
      "Nanoseconds and bytes allocated per exit, by instruction: decode cached, cached with write"
          + " processing, and cold. Median, minimum and maximum of five iterations; takes some"
          + " minutes."
    })
final class EmulateCommand implements Callable<Integer> {
  private static final String ALLOCATED = "gc.alloc.rate.norm";

  @Spec private CommandSpec spec;

  @Option(names = "--json", description = "One JSON object.")
  private boolean json;

  @Override
  public Integer call() throws RunnerException {
    Collection<RunResult> results =
        new Runner(
                new OptionsBuilder()
                    .include(EmulateBenchmark.class.getName() + ".*")
                    .addProfiler(GCProfiler.class)
                    .verbosity(VerboseMode.SILENT)
                    .shouldFailOnError(true)
                    .build())
            .run();
    Map<String, Map<String, double[]>> rows = new TreeMap<>();
    for (RunResult result : results) {
      String instruction = result.getParams().getParam("instruction").toLowerCase(Locale.ROOT);
      rows.computeIfAbsent(instruction, key -> new TreeMap<>())
          .put(result.getPrimaryResult().getLabel(), figures(result));
    }
    PrintWriter output = spec.commandLine().getOut();
    output.print(json ? json(rows) : table(rows));
    output.flush();
    return 0;
  }

  /** Nanoseconds as median, minimum and maximum; bytes. */
  private static double[] figures(RunResult result) {
    for (String name : result.getSecondaryResults().keySet()) {
      if (name.endsWith(ALLOCATED)) {
        Statistics nanos = result.getPrimaryResult().getStatistics();
        double bytes = result.getSecondaryResults().get(name).getScore();
        return new double[] {nanos.getPercentile(50), nanos.getMin(), nanos.getMax(), bytes};
      }
    }
    throw new IllegalStateException("the profiler measured no allocation");
  }

  private static String table(Map<String, Map<String, double[]>> rows) {
    StringBuilder text = new StringBuilder(4000);
    text.append("nanoseconds: median (minimum to maximum), bytes allocated\n");
    text.append(
        String.format("%-14s %32s %32s %36s%n", "", "cached", "cached and processed", "cold"));
    rows.forEach(
        (instruction, row) -> {
          text.append(String.format("%-14s", instruction));
          for (String mode : List.of("cached", "cachedAndProcessed", "cold")) {
            double[] f = row.get(mode);
            text.append(String.format(" %8.1f (%8.1f to %8.1f) %6.2f", f[0], f[1], f[2], f[3]));
          }
          text.append('\n');
        });
    return text.toString();
  }

  private static String json(Map<String, Map<String, double[]>> rows) {
    StringBuilder text = new StringBuilder("{");
    rows.forEach(
        (instruction, row) ->
            row.forEach(
                (mode, figures) -> {
                  text.append(text.length() > 1 ? "," : "");
                  text.append(
                      String.format(
                          Locale.ROOT,
                          "\"%1$s_%2$s_ns\":%3$.1f,\"%1$s_%2$s_min_ns\":%4$.1f,"
                              + "\"%1$s_%2$s_max_ns\":%5$.1f,\"%1$s_%2$s_bytes\":%6$.2f",
                          instruction,
                          mode,
                          figures[0],
                          figures[1],
                          figures[2],
                          figures[3]));
                }));
    return text.append("}\n").toString();
  }
}
