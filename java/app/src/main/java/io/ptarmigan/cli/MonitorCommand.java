// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import io.ptarmigan.monitor.GuestMonitor;
import io.ptarmigan.monitor.GuestMonitorBuilder;
import io.ptarmigan.monitor.PluginJars;
import io.ptarmigan.monitor.Rehearsal;
import io.ptarmigan.observe.ExitsEvent;
import io.ptarmigan.observe.Journal;
import io.ptarmigan.observe.LatencyHandler;
import io.ptarmigan.observe.StringConstants;
import io.ptarmigan.x86.Emulator;
import io.ptarmigan.x86.IcedDecoder;
import io.ptarmigan.x86.PlanCache;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The JVM's part of a monitor. Started by ptarmigand; ends with the stream. */
@Command(
    name = "monitor",
    description = "Decides about the exits of a guest; started by ptarmigand.")
final class MonitorCommand implements Callable<Integer> {
  private static final Logger LOG = LoggerFactory.getLogger(MonitorCommand.class);
  private static final int PLANS = 16_384;
  private static final int JOURNAL_ENTRIES = 4096;
  private static final int JOURNAL_LINES = 20;
  private static final int REHEARSED_ROUNDS = 20_000;

  /** Native loop and page walker, beside the virtual CPUs. */
  private static final int SANDBOX_THREADS = 2;

  @Option(names = "--plugin", paramLabel = "FILE", description = "A jar with plug-ins; repeatable.")
  private List<Path> pluginJars = new ArrayList<>();

  @Option(
      names = "--watch",
      paramLabel = "CR3:ADDRESS[,BITS][,deny]",
      description = "Prints, or denies, changes of an address; repeatable.")
  private List<String> watchTexts = new ArrayList<>();

  @Option(
      names = "--protect",
      paramLabel = "GPA:LENGTH",
      description = "Protects guest memory from the start; repeatable.")
  private List<String> rangeTexts = new ArrayList<>();

  @Option(
      names = "--demo",
      paramLabel = "DIR",
      description = "Where the sandbox guest leaves its layout and its result.")
  private Path demo;

  @Option(
      names = "--record",
      paramLabel = "FILE",
      description = "Writes exits, decisions and outcomes to a new file.")
  private Path recordFile;

  @Option(names = "--json", description = "Ends with one JSON object on a line.")
  private boolean json;

  @Spec private CommandSpec spec;

  private final PrintStream output = System.out;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Channel channel = Channel.inherited(System.getenv());
    List<NamedWatch> watches = read(watchTexts, NamedWatch::parse);
    List<MemoryRange> ranges = read(rangeTexts, MemoryRange::parse);
    SandboxFiles sandbox = demo == null ? null : new SandboxFiles(demo);
    if (sandbox != null) {
      SandboxFiles.Layout layout = sandbox.layout();
      ranges.add(layout.tables());
      watches.addAll(layout.watches());
    }
    StringConstants constants = ClassPathConstants.intern(System.getProperty("java.class.path"));
    PlanCache plans = new PlanCache(new IcedDecoder(), PLANS);
    Emulator emulator = new Emulator(plans);
    Rehearsal.run(emulator, REHEARSED_ROUNDS);
    ExitsEvent.emitFor(channel.stream());
    LatencyHandler latencies = new LatencyHandler();
    Journal journal = new Journal(JOURNAL_ENTRIES);
    GuestMonitorBuilder builder =
        new GuestMonitorBuilder(channel.stream(), channel.decisions(), channel.wake())
            .emulator(emulator)
            .notebook(channel.notebook())
            .follower("latencies", latencies)
            .follower("journal", journal)
            .plugin(new Watching(watches, new ChangePrinter(output)));
    ranges.forEach(range -> builder.protect(range.gpa(), range.length()));
    PluginJars.load(pluginJars).forEach(builder::plugin);
    try (Recording recording = recordFile == null ? null : Recording.begin(recordFile, channel);
        GuestMonitor monitor = recorded(builder, recording).build()) {
      monitor.start();
      Run run = new Run(channel.stream(), monitor, plans, latencies, new LiveLine(output));
      announce(channel, monitor);
      run.follow();
      LOG.debug("{} string constants were interned", constants.size());
      int status = conclude(run, sandbox);
      if (status != 0 && run.drained()) {
        journal.newest(JOURNAL_LINES).forEach(LOG::info);
      }
      return status;
    }
  }

  private static GuestMonitorBuilder recorded(GuestMonitorBuilder builder, Recording recording) {
    return recording == null ? builder : recording.addTo(builder);
  }

  private <T> List<T> read(List<String> texts, Function<String, T> parser) {
    try {
      return new ArrayList<>(texts.stream().map(parser).toList());
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  private void announce(Channel channel, GuestMonitor monitor) {
    int java = monitor.threadCount() + 1;
    int vcpus = channel.stream().vcpus();
    int cpus = Runtime.getRuntime().availableProcessors();
    if (demo == null) {
      output.printf("%d Java threads and %d vCPUs on %d CPUs%n", java, vcpus, cpus);
      return;
    }
    output.printf(
        "%d threads share %d CPUs: %d vCPUs, page walker, native loop, %d in Java%n",
        java + vcpus + SANDBOX_THREADS, cpus, vcpus, java);
    output.println("shares of the time that a vCPU waits as p50/p99/p99.9");
  }

  private int conclude(Run run, SandboxFiles sandbox) throws IOException, InterruptedException {
    Optional<SandboxFiles.Result> guest =
        sandbox == null ? Optional.empty() : sandbox.awaitResult();
    Summary summary = new Summary(run, guest);
    if (sandbox != null && guest.isEmpty()) {
      summary.fault("the guest left no result");
    }
    if (run.monitor.deciderCounters().failures() > 0) {
      LOG.warn("the decider failed", run.monitor.deciderCounters().lastFailure());
    }
    if (run.allocations().bytesPerExit().isEmpty()) {
      LOG.info("allocation per exit is not known: the run was over before the JVM was warm");
    }
    summary.printWords(output);
    summary.faults().forEach(LOG::error);
    if (json) {
      summary.printJson(output);
    }
    output.flush();
    return summary.faults().isEmpty() ? 0 : 1;
  }
}
