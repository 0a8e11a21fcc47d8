// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class EmulateCommandTest {
  private static final String OLD = "0".repeat(64);
  private static final String MOV =
      "bits=64 insn=488903 gla=10001008 old=" + OLD + " rip=1000 rflags=202 rax=7 rbx=10001008";
  private static final String MOVED =
      "WRITE mask=000000ff new=07" + "0".repeat(62) + " rip=1003 rflags=202";

  private int status;

  private List<String> answers(String... lines) throws IOException {
    StringWriter output = new StringWriter();
    BufferedReader input = new BufferedReader(new StringReader(String.join("\n", lines) + "\n"));
    status = EmulateCommand.answer(input, new PrintWriter(output));
    return output.toString().lines().toList();
  }

  @Test
  void oneAnswerForEachLineInOrder() throws IOException {
    List<String> answers = answers(MOV, MOV.replace("gla=10001008", "gla=10001010"), MOV);
    assertEquals(List.of(MOVED, "UNSUPPORTED address", MOVED), answers);
    assertEquals(0, status);
  }

  @Test
  void aMalformedLineIsAnsweredAndTheRestGoesOn() throws IOException {
    List<String> answers =
        answers(
            "nonsense",
            MOV + " rax=8",
            MOV.replace("bits=64", "bits=63"),
            MOV.replace("rax=7", "rax=seven"),
            MOV.replace("rax=7", "rax=11112222333344445"),
            MOV.replace("old=", "old=00"),
            MOV.replace("insn=488903", "insn=48890"),
            MOV.replace("rip", "pip"),
            "",
            MOV);
    assertEquals(10, answers.size());
    assertTrue(answers.stream().limit(9).allMatch(line -> line.startsWith("ERROR ")));
    assertEquals("ERROR rax twice", answers.get(1));
    assertEquals(MOVED, answers.get(9));
    assertEquals(2, status);
  }

  @Test
  void missingKeysAreZero() throws IOException {
    assertEquals(
        List.of("WRITE mask=00000001 new=" + OLD + " rip=2 rflags=0"),
        answers("bits=64 insn=8803"));
  }

  @Test
  void repIsDoneInsideTheWindow() throws IOException {
    String stos = "bits=64 insn=f348ab gla=10001008 rip=50 rax=1 rdi=10001008 rcx=6";
    String entry = "01" + "0".repeat(14);
    assertEquals(
        List.of(
            "WRITE mask=ffffffff new=" + entry.repeat(4) + " rip=50 rflags=0 rcx=2 rdi=10001028"),
        answers(stos));
  }

  @Test
  void hundredThousandCasesTakeSeconds() {
    String[] lines = new String[100_000];
    for (int i = 0; i < lines.length; i++) {
      lines[i] = MOV.replace("rax=7", "rax=" + Integer.toHexString(i));
    }
    assertTimeout(Duration.ofSeconds(20), () -> assertEquals(lines.length, answers(lines).size()));
  }
}
