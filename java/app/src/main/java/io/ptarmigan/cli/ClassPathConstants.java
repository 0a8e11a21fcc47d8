// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import io.ptarmigan.observe.StringConstants;
import java.io.BufferedInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/**
 * The string constants of every class that a handler's thread can run, from the jars they are in.
 */
final class ClassPathConstants {
  private static final List<String> PACKAGES =
      List.of("io/ptarmigan/", "com/lmax/disruptor/", "org/HdrHistogram/");

  private ClassPathConstants() {}

  /**
   * Interns them; they stay so while the result is held.
   *
   * @param classPath as the system property {@code java.class.path} has it; what is no jar is
   *     passed over
   */
  static StringConstants intern(String classPath) throws IOException {
    StringConstants constants = new StringConstants();
    for (String element : classPath.split(File.pathSeparator)) {
      if (element.endsWith(".jar") && new File(element).isFile()) {
        try (JarFile jar = new JarFile(element)) {
          for (JarEntry entry :
              (Iterable<JarEntry>) jar.stream().filter(e -> hot(e.getName()))::iterator) {
            try (InputStream input = new BufferedInputStream(jar.getInputStream(entry))) {
              constants.add(input);
            }
          }
        }
      }
    }
    return constants;
  }

  private static boolean hot(String name) {
    return name.endsWith(".class") && PACKAGES.stream().anyMatch(name::startsWith);
  }
}
