// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.monitor;

import io.ptarmigan.api.Plugin;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;

/** Finds plug-ins in jars. Their classes stay loaded as long as the monitor's process. */
public final class PluginJars {
  private PluginJars() {}

  /**
   * Makes one of each plug-in that the jars name as a service.
   *
   * @throws IOException where a file is missing, or none of the jars names a plug-in
   * @throws java.util.ServiceConfigurationError where one cannot be made
   */
  public static List<Plugin> load(List<Path> jars) throws IOException {
    List<Plugin> plugins = new ArrayList<>();
    if (jars.isEmpty()) {
      return plugins;
    }
    URL[] locations = new URL[jars.size()];
    for (int i = 0; i < locations.length; i++) {
      if (!Files.isRegularFile(jars.get(i))) {
        throw new NoSuchFileException(jars.get(i).toString());
      }
      locations[i] = jars.get(i).toUri().toURL();
    }
    ClassLoader loader = new URLClassLoader(locations, PluginJars.class.getClassLoader());
    for (Plugin plugin : ServiceLoader.load(Plugin.class, loader)) {
      plugins.add(plugin);
    }
    if (plugins.isEmpty()) {
      throw new IOException("no plug-in is named as a service in " + jars);
    }
    return plugins;
  }
}
