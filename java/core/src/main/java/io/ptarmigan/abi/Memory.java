// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.abi;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Little-endian access to shared memory; each name carries the memory order. Offsets are bytes from
 * the start of the buffer. All but the plain ones need naturally aligned offsets.
 */
public final class Memory {
  private static final VarHandle SHORT =
      MethodHandles.byteBufferViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private Memory() {}

  public static short getShort(ByteBuffer buffer, int offset) {
    return (short) SHORT.get(buffer, offset);
  }

  public static int getInt(ByteBuffer buffer, int offset) {
    return (int) INT.get(buffer, offset);
  }

  public static int getIntOpaque(ByteBuffer buffer, int offset) {
    return (int) INT.getOpaque(buffer, offset);
  }

  public static int getIntAcquire(ByteBuffer buffer, int offset) {
    return (int) INT.getAcquire(buffer, offset);
  }

  public static void setInt(ByteBuffer buffer, int offset, int value) {
    INT.set(buffer, offset, value);
  }

  public static void setIntOpaque(ByteBuffer buffer, int offset, int value) {
    INT.setOpaque(buffer, offset, value);
  }

  public static void setIntRelease(ByteBuffer buffer, int offset, int value) {
    INT.setRelease(buffer, offset, value);
  }

  public static long getLong(ByteBuffer buffer, int offset) {
    return (long) LONG.get(buffer, offset);
  }

  public static long getLongOpaque(ByteBuffer buffer, int offset) {
    return (long) LONG.getOpaque(buffer, offset);
  }

  public static long getLongAcquire(ByteBuffer buffer, int offset) {
    return (long) LONG.getAcquire(buffer, offset);
  }

  public static void setLong(ByteBuffer buffer, int offset, long value) {
    LONG.set(buffer, offset, value);
  }

  public static void setLongOpaque(ByteBuffer buffer, int offset, long value) {
    LONG.setOpaque(buffer, offset, value);
  }

  public static void setLongRelease(ByteBuffer buffer, int offset, long value) {
    LONG.setRelease(buffer, offset, value);
  }
}
