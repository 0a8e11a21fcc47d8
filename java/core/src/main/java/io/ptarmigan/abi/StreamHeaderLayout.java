// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.abi;

import io.ptarmigan.abi.generated.pt_stream_header;

/** Byte offsets of {@code struct pt_stream_header}, the header of the stream file. */
public final class StreamHeaderLayout {
  public static final int MAGIC = Offsets.of(pt_stream_header.class, "magic");
  public static final int VERSION = Offsets.of(pt_stream_header.class, "version");
  public static final int HEADER_BYTES = Offsets.of(pt_stream_header.class, "header_bytes");
  public static final int SLOT_BYTES = Offsets.of(pt_stream_header.class, "slot_bytes");
  public static final int SLOT_COUNT = Offsets.of(pt_stream_header.class, "slot_count");
  public static final int VCPUS = Offsets.of(pt_stream_header.class, "vcpus");
  public static final int MAXPHYADDR = Offsets.of(pt_stream_header.class, "maxphyaddr");
  public static final int DEADLINE_NS = Offsets.of(pt_stream_header.class, "deadline_ns");
  public static final int CURSOR = Offsets.of(pt_stream_header.class, "cursor");
  public static final int WAKE = Offsets.of(pt_stream_header.class, "wake");
  public static final int NATIVE_WAITING = Offsets.of(pt_stream_header.class, "native_waiting");
  public static final int GENERATION = Offsets.of(pt_stream_header.class, "generation");
  public static final int STATE = Offsets.of(pt_stream_header.class, "state");
  public static final int COMMANDS_DONE = Offsets.of(pt_stream_header.class, "commands_done");
  public static final int RUNNING_NS = Offsets.of(pt_stream_header.class, "running_ns");
  public static final int COUNTERS = Offsets.of(pt_stream_header.class, "counters");

  private StreamHeaderLayout() {}
}
