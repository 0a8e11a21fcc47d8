// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import com.fasterxml.jackson.jr.ob.JSON;
import io.ptarmigan.api.Plugin;
import io.ptarmigan.monitor.PluginJars;
import io.ptarmigan.recording.RecordingReader;
import io.ptarmigan.recording.Replay;
import io.ptarmigan.recording.ReplayReport;
import io.ptarmigan.recording.ReplayWatches;
import io.ptarmigan.x86.Emulator;
import io.ptarmigan.x86.IcedDecoder;
import io.ptarmigan.x86.PlanCache;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Decides the exits of a recording once more and compares. */
@Command(
    name = "replay",
    mixinStandardHelpOptions = true,
    description = {
      "Decides the exits of a recording once more and compares with what was decided then.",
      "Exit status: 0 identical; 1 parted; 2 the file is cut or damaged, and what was intact of it"
          + " is identical."
    })
final class ReplayCommand implements Callable<Integer> {
  private static final int PARTED = 1;
  private static final int BAD_FILE = 2;
  private static final int PLANS = 16_384;

  @Parameters(paramLabel = "FILE", description = "Written by --record.")
  private Path file;

  @Option(
      names = "--plugin",
      paramLabel = "FILE",
      description = "A jar with plug-ins to ask again, instead of what they said; repeatable.")
  private List<Path> pluginJars = new ArrayList<>();

  @Option(names = "--json", description = "Ends with one JSON object on a line.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    PrintWriter output = spec.commandLine().getOut();
    try (RecordingReader recording = RecordingReader.open(file)) {
      ReplayWatches watches = new ReplayWatches();
      List<Plugin> plugins = PluginJars.load(pluginJars);
      plugins.forEach(plugin -> plugin.start(watches));
      Emulator emulator = new Emulator(new PlanCache(new IcedDecoder(), PLANS));
      ReplayReport report = new Replay(recording, emulator, watches).run();
      plugins.forEach(Plugin::stop);
      print(report, output);
      return status(report);
    } catch (NoSuchFileException e) {
      spec.commandLine().getErr().println(e.getFile() + ": no such file");
      return BAD_FILE;
    } catch (IOException e) {
      spec.commandLine().getErr().println(file + ": " + e.getMessage());
      return BAD_FILE;
    }
  }

  private static int status(ReplayReport report) {
    if (!report.identical()) {
      return PARTED;
    }
    return report.damage() == null ? 0 : BAD_FILE;
  }

  private void print(ReplayReport report, PrintWriter output) throws IOException {
    report.figures().forEach((name, value) -> output.printf("  %-22s %s%n", name, value));
    if (!report.identical()) {
      output.println("the replay parts from the recording:");
      report.firstParting().forEach(output::println);
    }
    if (report.damage() != null) {
      spec.commandLine().getErr().println(file + ": " + report.damage().getMessage());
    }
    if (json) {
      output.println(JSON.std.with(JSON.Feature.WRITE_NULL_PROPERTIES).asString(report.figures()));
    }
    output.flush();
  }
}
