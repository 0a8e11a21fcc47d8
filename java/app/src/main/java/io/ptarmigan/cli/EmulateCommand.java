// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import io.ptarmigan.x86.Effect;
import io.ptarmigan.x86.Emulator;
import io.ptarmigan.x86.IcedDecoder;
import io.ptarmigan.x86.PlanCache;
import io.ptarmigan.x86.TextCase;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Answers emulator cases from standard input, one line each, in order. */
@Command(
    name = "emulate",
    mixinStandardHelpOptions = true,
    description = {
      "Reads one case per line from standard input and answers one line each.",
      "A case is key=value words: bits insn gla old src rip rflags, the general registers, xmm0 to"
          + " xmm15, csbase dsbase esbase ssbase fsbase gsbase; hexadecimal but for bits.",
      "Exit status 2 if a line was malformed."
    })
public final class EmulateCommand implements Callable<Integer> {
  private static final int MALFORMED = 2;
  private static final int PLANS = 4096;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.ISO_8859_1));
    return answer(input, spec.commandLine().getOut());
  }

  /** Exit status: 0, or 2 if a line was malformed. */
  static int answer(BufferedReader input, PrintWriter output) throws IOException {
    Emulator emulator = new Emulator(new PlanCache(new IcedDecoder(), PLANS));
    Effect effect = new Effect();
    int status = 0;
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      try {
        TextCase exit = TextCase.parse(line);
        output.println(exit.answer(emulator.emulate(exit, effect), effect));
      } catch (IllegalArgumentException e) {
        output.println("ERROR " + e.getMessage());
        status = MALFORMED;
      }
      if (!input.ready()) {
        output.flush();
      }
    }
    output.flush();
    return status;
  }
}
