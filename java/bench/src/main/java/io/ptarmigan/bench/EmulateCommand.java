// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.bench;

import java.io.PrintWriter;
import java.util.Collection;
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
          + " processing, and cold. The best of six iterations each; takes some minutes."
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

  /** Nanoseconds of the least disturbed iteration; bytes, whose fraction is the harness's own. */
  private static double[] figures(RunResult result) {
    for (String name : result.getSecondaryResults().keySet()) {
      if (name.endsWith(ALLOCATED)) {
        double bytes = Math.floor(result.getSecondaryResults().get(name).getScore());
        return new double[] {result.getPrimaryResult().getStatistics().getMin(), bytes};
      }
    }
    throw new IllegalStateException("the profiler measured no allocation");
  }

  private static String table(Map<String, Map<String, double[]>> rows) {
    StringBuilder text = new StringBuilder(4000);
    text.append(
        String.format(
            "%-14s %18s %22s %18s%n", "ns (bytes)", "cached", "cached and processed", "cold"));
    rows.forEach(
        (instruction, row) -> {
          text.append(String.format("%-14s", instruction));
          text.append(String.format(" %11.1f (%4.0f)", boxed(row.get("cached"))));
          text.append(String.format(" %15.1f (%4.0f)", boxed(row.get("cachedAndProcessed"))));
          text.append(String.format(" %11.1f (%4.0f)%n", boxed(row.get("cold"))));
        });
    return text.toString();
  }

  private static Object[] boxed(double[] figures) {
    return new Object[] {figures[0], figures[1]};
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
                          "\"%s_%s_ns\":%.1f,\"%s_%s_bytes\":%.0f",
                          instruction,
                          mode,
                          figures[0],
                          instruction,
                          mode,
                          figures[1]));
                }));
    return text.append("}\n").toString();
  }
}
