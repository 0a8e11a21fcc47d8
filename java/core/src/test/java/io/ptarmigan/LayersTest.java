// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Inner packages know nothing of outer ones. */
class LayersTest {
  /** From the innermost outwards. */
  private static final String[] LAYERS = {
    "api", "abi", "paging", "x86", "watch", "policy", "ring", "monitor", "observe", "recording"
  };

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages(Stream.of(LAYERS).map(LayersTest::pattern).toArray(String[]::new));

  private static String pattern(String layer) {
    return "io.ptarmigan." + layer;
  }

  static IntStream layers() {
    return IntStream.range(0, LAYERS.length - 1);
  }

  @ParameterizedTest
  @MethodSource("layers")
  void innerNeverImportsOuter(int layer) {
    String[] outer =
        Stream.of(LAYERS).skip(layer + 1).map(name -> pattern(name) + "..").toArray(String[]::new);
    assertTrue(CLASSES.stream().anyMatch(type -> in(type.getPackageName(), LAYERS[layer])));
    noClasses()
        .that()
        .resideInAPackage(pattern(LAYERS[layer]) + "..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(outer)
        .check(CLASSES);
  }

  private static boolean in(String packageName, String layer) {
    return packageName.startsWith(pattern(layer));
  }

  @Test
  void theEmulatorKnowsNoBuffer() {
    noClasses()
        .that()
        .resideInAPackage(pattern("x86") + "..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("java.nio..")
        .check(CLASSES);
  }
}
