// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import io.ptarmigan.recording.RecordingReader;
import io.ptarmigan.recording.RecordingText;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows a recording as text. */
@Command(
    name = "dump",
    mixinStandardHelpOptions = true,
    description = {
      "Shows a recording as text, one line per record, decision, command and watch.",
      "Exit status: 0; 2 where the file is cut or damaged, after what was intact of it."
    })
final class DumpCommand implements Callable<Integer> {
  private static final int BAD_FILE = 2;

  @Parameters(paramLabel = "FILE", description = "Written by --record.")
  private Path file;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter output = spec.commandLine().getOut();
    try (RecordingReader recording = RecordingReader.open(file)) {
      RecordingText.write(recording, output::println);
      return 0;
    } catch (NoSuchFileException e) {
      spec.commandLine().getErr().println(e.getFile() + ": no such file");
      return BAD_FILE;
    } catch (IOException e) {
      output.flush();
      spec.commandLine().getErr().println(file + ": " + e.getMessage());
      return BAD_FILE;
    } finally {
      output.flush();
    }
  }
}
