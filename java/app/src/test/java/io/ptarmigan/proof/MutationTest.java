// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.proof;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Breaks the emulator in one named place at a time, mutations.txt says where, and sees whether the
 * suite notices. The broken source is compiled and loaded beside the real one.
 */
class MutationTest {
  private static final Path SOURCES = Path.of("../core/src/main/java/io/ptarmigan/x86");
  private static final Path TABLES = Path.of("../core/src/test/resources/emulator");
  private static final Path LIST = Path.of("src/test/resources/mutations.txt");

  @TempDir Path scratch;

  private record Mutation(String name, String file, String original, String broken) {
    /** Takes a paragraph of three lines apart. */
    static Mutation parse(String paragraph) {
      String[] lines = paragraph.strip().split("\n");
      assertEquals(3, lines.length, paragraph);
      String[] head = lines[0].split(" ");
      return new Mutation(head[0], head[1], lines[1].substring(2), lines[2].substring(2));
    }
  }

  @TestFactory
  Stream<DynamicTest> everyMutationIsCaught() throws IOException {
    Path oracle = Oracle.path();
    String list = Files.readString(LIST);
    List<Mutation> mutations = Stream.of(list.split("\n\n")).skip(1).map(Mutation::parse).toList();
    assertTrue(mutations.size() >= 20, "at least 20 named places");
    return mutations.stream()
        .map(
            mutation -> DynamicTest.dynamicTest(mutation.name(), () -> isCaught(mutation, oracle)));
  }

  /** The control: what is not broken passes. */
  @Test
  void theEmulatorAsItIsPasses() throws Exception {
    Path classes = Files.createDirectory(scratch.resolve("unbroken"));
    assertNull(suite(classes, Oracle.path()).call());
  }

  private void isCaught(Mutation mutation, Path oracle) throws Exception {
    Path classes = Files.createDirectory(scratch.resolve(mutation.name()));
    compile(mutation, classes);
    String caught = suite(classes, oracle).call();
    System.out.println("mutation " + mutation.name() + " caught by " + caught);
    assertNotNull(caught, mutation.name());
  }

  private void compile(Mutation mutation, Path classes) throws IOException {
    String source = Files.readString(SOURCES.resolve(mutation.file() + ".java"));
    int at = source.indexOf(mutation.original());
    assertTrue(at >= 0, mutation.name() + ": the original is no longer there");
    assertEquals(at, source.lastIndexOf(mutation.original()), mutation.name() + ": not unique");
    Path folder = Files.createDirectory(scratch.resolve(mutation.name() + "-source"));
    Path file = folder.resolve(mutation.file() + ".java");
    Files.writeString(file, source.replace(mutation.original(), mutation.broken()));
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
      List<String> options =
          List.of("-d", classes.toString(), "-cp", System.getProperty("java.class.path"));
      boolean compiled =
          compiler.getTask(null, files, null, options, null, files.getJavaFileObjects(file)).call();
      assertTrue(compiled, mutation.name() + " does not compile");
    }
  }

  @SuppressWarnings("unchecked")
  private static Callable<String> suite(Path classes, Path oracle) throws Exception {
    ClassLoader loader = new BrokenFirst(classes);
    return (Callable<String>)
        loader
            .loadClass(MutationSuite.class.getName())
            .getConstructor(Path.class, Path.class)
            .newInstance(TABLES, oracle);
  }

  /** Loads emulator and suite anew, the broken class first; everything else is shared. */
  private static final class BrokenFirst extends URLClassLoader {
    BrokenFirst(Path classes) throws MalformedURLException {
      super(urls(classes), MutationTest.class.getClassLoader());
    }

    private static URL[] urls(Path classes) throws MalformedURLException {
      String[] path = System.getProperty("java.class.path").split(":");
      URL[] urls = new URL[path.length + 1];
      urls[0] = classes.toUri().toURL();
      for (int i = 0; i < path.length; i++) {
        urls[i + 1] = Path.of(path[i]).toUri().toURL();
      }
      return urls;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      synchronized (getClassLoadingLock(name)) {
        boolean own =
            name.startsWith("io.ptarmigan.x86.") || name.startsWith("io.ptarmigan.proof.");
        if (!own) {
          return super.loadClass(name, resolve);
        }
        Class<?> loaded = findLoadedClass(name);
        return loaded != null ? loaded : findClass(name);
      }
    }
  }
}
