// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Zydis, which shares no code with iced-x86, reads the same bytes: the tables' instructions, each
 * of them with every single bit flipped, and random bytes behind random prefixes. Whatever differs
 * must be explained in decoder-differences.txt, and whatever is explained there must still differ.
 */
class SecondDecoderTest {
  private static final Path BINARY =
      Path.of("../../native/target/cmake/native/oracle/second-decoder");
  private static final Path EXPLAINED = Path.of("src/test/resources/decoder-differences.txt");
  private static final int RANDOM = 150_000;
  private static final int[] PREFIXES = {
    0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65, 0x48, 0x4c, 0x41, 0x40
  };
  private static final Pattern LISTED =
      Pattern.compile(
          "mov|movnti|movbe|movs[bwdq]|stos[bwdq]|xchg|cmpxchg(8b|16b)?|add|or|adc|sbb|and|sub|xor"
              + "|inc|dec|not|neg|xadd|bt[src]|ro[lr]|rc[lr]|s[ah][lr]|sh[lr]d|set[a-z]+|pop|push|call"
              + "|v?mov([aul]p[sd]|ntp[sd]|hp[sd]|lp[sd]|dq[au]|ntdq|[qd]|s[sd])");

  private record Question(int bits, byte[] bytes) {
    String line() {
      return bits + " " + HexFormat.of().formatHex(bytes);
    }

    Plan plan(Decoder decoder) {
      long[] words = new long[2];
      for (int i = 0; i < bytes.length; i++) {
        words[i / 8] |= (bytes[i] & 0xffL) << 8 * (i % 8);
      }
      return decoder.decode(bits, words[0], words[1], bytes.length);
    }
  }

  @Test
  void zydisAgrees() throws IOException, InterruptedException {
    assertTrue(Files.isExecutable(BINARY), BINARY + " is not built");
    List<Question> questions = new ArrayList<>(fromTables());
    long seed = System.nanoTime();
    questions.addAll(random(new Random(seed)));
    List<String> answers = ask(questions);
    Map<String, String> explained = explanations();
    Map<String, Integer> counts = new TreeMap<>();
    Decoder decoder = new IcedDecoder();
    List<String> unexplained = new ArrayList<>();
    int compared = 0;
    for (int i = 0; i < questions.size(); i++) {
      Plan plan = questions.get(i).plan(decoder);
      compared += plan.refusal == null ? 1 : 0;
      String difference = difference(plan, answers.get(i));
      if (difference != null) {
        String seen = questions.get(i).line() + ": " + difference;
        explained.keySet().stream()
            .filter(pattern -> Pattern.compile(pattern).matcher(seen).find())
            .findFirst()
            .ifPresentOrElse(
                why -> counts.merge(why, 1, Integer::sum), () -> unexplained.add(seen));
      }
    }
    assertTrue(
        unexplained.isEmpty(),
        () ->
            unexplained.size()
                + " unexplained, seed "
                + seed
                + unexplained.stream().limit(400).collect(Collectors.joining("\n", "\n", "")));
    System.out.println(compared + " plans compared, seed " + seed);
    counts.forEach((why, n) -> System.out.println(n + " times: " + explained.get(why)));
    assertTrue(compared > questions.size() / 10, "too few plans");
    assertEquals(explained.keySet(), counts.keySet(), "an explanation that nothing needs any more");
  }

  private static List<Question> fromTables() {
    List<Question> questions = new ArrayList<>();
    for (Path file : Tables.files()) {
      for (Tables.Line line : Tables.lines(file)) {
        ExitState exit = line.parseExit();
        byte[] bytes = new byte[16];
        for (int i = 0; i < 16; i++) {
          bytes[i] =
              (byte) ((i < 8 ? exit.instructionLow() : exit.instructionHigh()) >>> 8 * (i & 7));
        }
        questions.add(new Question(exit.codeBits(), bytes));
        for (int bit = 0; bit < 8 * exit.instructionCount(); bit++) {
          byte[] flipped = bytes.clone();
          flipped[bit / 8] ^= (byte) (1 << bit % 8);
          questions.add(new Question(exit.codeBits(), flipped));
        }
      }
    }
    return questions;
  }

  private static List<Question> random(Random random) {
    List<Question> questions = new ArrayList<>();
    for (int i = 0; i < RANDOM; i++) {
      byte[] bytes = new byte[16];
      random.nextBytes(bytes);
      int prefixes = random.nextInt(4);
      for (int at = 0; at < prefixes; at++) {
        bytes[at] = (byte) PREFIXES[random.nextInt(PREFIXES.length)];
      }
      if (random.nextInt(3) == 0) {
        bytes[prefixes] = 0x0f;
      }
      questions.add(new Question(16 << random.nextInt(3), bytes));
    }
    return questions;
  }

  /** What differs between the two, or null. */
  private static String difference(Plan plan, String answer) {
    String[] words = answer.split(" ");
    boolean valid = words.length > 1;
    if (plan.refusal != null) {
      boolean stores = valid && Arrays.stream(words).anyMatch(SecondDecoderTest::isWrite);
      boolean missed = stores && LISTED.matcher(words[1]).matches();
      return missed ? plan.refusal.text() + " but Zydis says " + answer : null;
    }
    if (!valid) {
      return PlanText.of(plan) + " but Zydis says invalid";
    }
    String theirs = normal(plan, words);
    String ours = PlanText.of(plan);
    return ours.equals(theirs) ? null : ours + " but Zydis says " + theirs;
  }

  private static boolean isWrite(String word) {
    return word.startsWith("m:w:") || word.startsWith("m:rw:");
  }

  /** The answer in the form of {@link PlanText}. */
  private static String normal(Plan plan, String[] words) {
    List<String> memory = new ArrayList<>();
    List<String> operands = new ArrayList<>();
    for (int i = 5; i < words.length; i++) {
      if (isWrite(words[i])) {
        memory.add(0, memory(plan.address.mask, words[i]));
      } else if (words[i].startsWith("m:")) {
        memory.add(memory(plan.source == null ? -1 : plan.source.mask, words[i]));
      } else if (words[i].startsWith("i:")) {
        operands.add(immediate(plan, words[i]));
      } else {
        operands.add(words[i]);
      }
    }
    String condition = words[1].startsWith("set") ? " " + words[1].substring(3) : "";
    String lock = words[2].equals("1") && plan.operation != Operation.XCHG ? " lock" : "";
    String rep = words[3].equals("1") && isString(plan) ? " rep" : "";
    return words[0] + lock + rep + condition + " " + memory + " " + operands;
  }

  private static boolean isString(Plan plan) {
    return plan.operation == Operation.STOS || plan.operation == Operation.MOVS;
  }

  private static String memory(long mask, String word) {
    String[] parts = word.split(":");
    String segment = parts[2].equals("fs") || parts[2].equals("gs") ? parts[2] : "flat";
    String displacement = Long.toHexString(Long.parseUnsignedLong(parts[6], 16) & mask);
    String scale = parts[4].equals("none") ? "0" : parts[5];
    return String.join(":", segment, parts[3], parts[4], scale, displacement, parts[7]);
  }

  /** Immediates are compared in as many bytes as count. */
  private static String immediate(Plan plan, String word) {
    int bytes =
        switch (plan.operation) {
          case ROL, ROR, RCL, RCR, SHL, SHR, SAR, SHLD, SHRD, BTS, BTR, BTC -> 1;
          default -> plan.size;
        };
    long value = Long.parseUnsignedLong(word.substring(2), 16) & Flags.valueMask(bytes);
    return "i:" + Long.toHexString(value);
  }

  private static List<String> ask(List<Question> questions)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(BINARY.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    Thread writer = new Thread(() -> write(process, questions));
    writer.start();
    List<String> answers;
    try (BufferedReader reader = process.inputReader()) {
      answers = reader.lines().collect(Collectors.toList());
    }
    writer.join();
    assertEquals(0, process.waitFor());
    assertEquals(questions.size(), answers.size());
    return answers;
  }

  private static void write(Process process, List<Question> questions) {
    try (Writer output = process.outputWriter()) {
      for (Question question : questions) {
        output.write(question.line() + "\n");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Pattern of a difference to its explanation, the comment above it. */
  private static Map<String, String> explanations() throws IOException {
    Map<String, String> explained = new LinkedHashMap<>();
    StringBuilder comment = new StringBuilder();
    for (String line : Files.readAllLines(EXPLAINED)) {
      if (line.startsWith("# ")) {
        comment.append(line.substring(2)).append(' ');
      } else if (!line.isEmpty()) {
        explained.put(line, comment.toString().trim());
      } else {
        comment.setLength(0);
      }
    }
    return explained;
  }
}
