// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.api;

/**
 * User code that watches a guest. Implementations are found by {@link java.util.ServiceLoader} in
 * the jars named with {@code --plugin}; they need a public constructor without parameters.
 */
public interface Plugin {
  /**
   * Called once, before the guest runs its first monitored instruction. Watches placed here are in
   * force when it does. Runs on the starting thread, outside any deadline; an exception ends the
   * start of the monitor.
   */
  void start(Monitor monitor);

  /** Called once after the last exit. Watches need not be closed here. */
  default void stop() {}
}
