// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.observe;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Interns the string constants of classes ahead of time. HotSpot creates those of a class when its
 * optimizing compiler first takes one of the class's methods, on the thread that asked for it: a
 * few hundred bytes on the decider, at a moment that nobody chooses. A constant that is interned
 * already costs nothing then.
 */
public final class StringConstants {
  private static final int MAGIC = 0xCAFEBABE;

  // Tags of the constant pool, JVMS 4.4 table 4.4-A.
  private static final int UTF8 = 1;
  private static final int INTEGER = 3;
  private static final int FLOAT = 4;
  private static final int LONG = 5;
  private static final int DOUBLE = 6;
  private static final int CLASS = 7;
  private static final int STRING = 8;
  private static final int METHOD_HANDLE = 15;
  private static final int METHOD_TYPE = 16;
  private static final int MODULE = 19;
  private static final int PACKAGE = 20;

  /** Holds the constants: an interned string that nobody holds is forgotten. */
  private final List<String> held = new ArrayList<>();

  /** The constants held. */
  public int size() {
    return held.size();
  }

  /**
   * Interns and holds the constants of one class.
   *
   * @param classFile read to the end of its constant pool, not closed
   * @throws IOException where it is no class file
   */
  public void add(InputStream classFile) throws IOException {
    DataInputStream input = new DataInputStream(classFile);
    if (input.readInt() != MAGIC) {
      throw new IOException("not a class file");
    }
    input.readInt(); // version
    int count = input.readUnsignedShort();
    Map<Integer, String> texts = new HashMap<>();
    List<Integer> strings = new ArrayList<>();
    for (int index = 1; index < count; index++) {
      int tag = input.readUnsignedByte();
      switch (tag) {
        case UTF8 -> texts.put(index, input.readUTF());
        case STRING -> strings.add(input.readUnsignedShort());
        case CLASS, METHOD_TYPE, MODULE, PACKAGE -> input.readUnsignedShort();
        case METHOD_HANDLE -> input.skipNBytes(3);
        case LONG, DOUBLE -> {
          input.readLong();
          index++; // takes two places
        }
        case INTEGER, FLOAT -> input.readInt();
        default -> input.readInt(); // a pair of indices
      }
    }
    strings.forEach(text -> held.add(texts.get(text).intern()));
  }
}
