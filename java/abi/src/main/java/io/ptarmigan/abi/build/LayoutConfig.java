// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.abi.build;

import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/**
 * Tells JavaCPP which headers to turn into classes. Used by the build only: the parser writes
 * {@code io.ptarmigan.abi.generated}, one class per struct of {@code include/ptarmigan/abi.h}, and
 * the constants and functions as members of {@code Native}.
 */
@Properties(
    value =
        @Platform(
            value = "linux-x86_64",
            cinclude = {"ptarmigan/abi.h", "native_calls.h"},
            library = "jniptarmigan"),
    target = "io.ptarmigan.abi.generated",
    global = "io.ptarmigan.abi.generated.Native")
public class LayoutConfig implements InfoMapper {
  @Override
  public void map(InfoMap infos) {
    infos.put(new Info("PTARMIGAN_ABI_H", "PTARMIGAN_NATIVE_CALLS_H").define(false));
    infos.put(new Info("PT_STATIC_ASSERT").cppText("#define PT_STATIC_ASSERT(condition, text)"));
  }
}
