// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.api.Monitor;
import io.ptarmigan.api.Plugin;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PluginJarsTest {
  private static final String SERVICE = "META-INF/services/io.ptarmigan.api.Plugin";

  @TempDir private Path directory;

  /** Named as a service by the test's jar. */
  public static final class Example implements Plugin {
    @Override
    public void start(Monitor monitor) {
      monitor.watches();
    }
  }

  private Path jar(String entry, String text) throws IOException {
    Path jar = directory.resolve("plugin.jar");
    try (OutputStream file = Files.newOutputStream(jar);
        ZipOutputStream zip = new ZipOutputStream(file)) {
      zip.putNextEntry(new ZipEntry(entry));
      zip.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return jar;
  }

  @Test
  void aServiceIsMade() throws Exception {
    List<Plugin> plugins = PluginJars.load(List.of(jar(SERVICE, Example.class.getName())));
    assertEquals(List.of(Example.class), plugins.stream().map(Object::getClass).toList());
  }

  @Test
  void noJarsNoPlugins() throws Exception {
    assertEquals(List.of(), PluginJars.load(List.of()));
  }

  @Test
  void aMissingJarIsNamed() {
    Path missing = directory.resolve("missing.jar");
    var refused = assertThrows(NoSuchFileException.class, () -> PluginJars.load(List.of(missing)));
    assertTrue(refused.getMessage().contains("missing.jar"));
  }

  @Test
  void aJarWithoutPluginIsRefused() throws Exception {
    Path jar = jar("nothing", "");
    assertThrows(IOException.class, () -> PluginJars.load(List.of(jar)));
  }
}
