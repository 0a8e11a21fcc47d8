// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.abi.generated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Walks every field of every shared struct: plants a value through the compiler's own view of the
 * struct and finds it with the offset that JavaCPP reports, and nowhere else.
 */
class GeneratedLayoutTest {
  @BeforeAll
  static void load() {
    Loader.load(Native.class);
  }

  static Stream<Class<? extends Pointer>> structs() {
    return Stream.of(
        pt_cpu.class,
        pt_record_head.class,
        pt_exit_record.class,
        pt_outcome_record.class,
        pt_completion_record.class,
        pt_decision.class,
        pt_command.class,
        pt_counters.class,
        pt_stream_header.class,
        pt_decisions_header.class,
        pt_notebook_header.class,
        pt_note_copy.class);
  }

  @ParameterizedTest
  @MethodSource("structs")
  void everyScalarLiesWhereItsOffsetSays(Class<? extends Pointer> type) throws Exception {
    int size = Pointer.sizeof(type);
    int bytesOfScalars = 0;
    for (Method setter : setters(type, 1)) {
      Class<?> value = setter.getParameterTypes()[0];
      ByteBuffer expected = zeroes(size);
      int offset = Pointer.offsetof(type, setter.getName());
      plant(expected, offset, value);
      ByteBuffer actual = zeroes(size);
      setter.invoke(over(type, actual), valueOf(value));
      assertEquals(expected, actual, type.getSimpleName() + "." + setter.getName());
      bytesOfScalars += sizeOf(value);
    }
    assertTrue(bytesOfScalars > 0 && bytesOfScalars <= size);
  }

  @ParameterizedTest
  @MethodSource("structs")
  void everyArrayLiesWhereItsOffsetSays(Class<? extends Pointer> type) throws Exception {
    int size = Pointer.sizeof(type);
    for (Method setter : setters(type, 2)) {
      Class<?> value = setter.getParameterTypes()[1];
      for (int index = 0; index < 4; index++) {
        ByteBuffer expected = zeroes(size);
        int offset = Pointer.offsetof(type, setter.getName()) + index * sizeOf(value);
        plant(expected, offset, value);
        ByteBuffer actual = zeroes(size);
        setter.invoke(over(type, actual), index, valueOf(value));
        assertEquals(expected, actual, type.getSimpleName() + "." + setter.getName());
      }
    }
  }

  private static List<Method> setters(Class<?> type, int parameters) {
    List<Method> found = new ArrayList<>();
    for (Method method : type.getDeclaredMethods()) {
      if (Modifier.isNative(method.getModifiers())
          && Modifier.isPublic(method.getModifiers())
          && method.getParameterCount() == parameters
          && method.getReturnType() == type
          && method.getParameterTypes()[parameters - 1].isPrimitive()) {
        found.add(method);
      }
    }
    return found;
  }

  private static ByteBuffer zeroes(int size) {
    return ByteBuffer.allocateDirect(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static Pointer over(Class<? extends Pointer> type, ByteBuffer buffer) throws Exception {
    return type.getConstructor(Pointer.class).newInstance(new BytePointer(buffer));
  }

  private static void plant(ByteBuffer buffer, int offset, Class<?> value) {
    if (value == long.class) {
      buffer.putLong(offset, 0x8877665544332211L);
    } else if (value == int.class) {
      buffer.putInt(offset, 0xC4C3C2C1);
    } else if (value == short.class) {
      buffer.putShort(offset, (short) 0xD2D1);
    } else {
      buffer.put(offset, (byte) 0xE7);
    }
  }

  private static Object valueOf(Class<?> value) {
    if (value == long.class) {
      return 0x8877665544332211L;
    }
    if (value == short.class) {
      return (short) 0xD2D1;
    }
    return value == int.class ? (Object) 0xC4C3C2C1 : (Object) (byte) 0xE7;
  }

  private static int sizeOf(Class<?> value) {
    return value == long.class ? 8 : value == int.class ? 4 : value == short.class ? 2 : 1;
  }
}
