// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.abi.generated.pt_completion_record;
import io.ptarmigan.abi.generated.pt_cpu;
import io.ptarmigan.abi.generated.pt_exit_record;
import io.ptarmigan.abi.generated.pt_outcome_record;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The views read what the compiler's own struct holds, field by field. */
class RecordViewTest {
  private final ByteBuffer memory = ByteBuffer.allocateDirect(2 * Native.PT_SLOT_BYTES);
  private final BytePointer slot = new BytePointer(memory).getPointer(Native.PT_SLOT_BYTES);
  private final StreamRecord view = new StreamRecord(memory).moveTo(Native.PT_SLOT_BYTES);

  @BeforeAll
  static void load() {
    Loader.load(Native.class);
  }

  private static void fill(BytePointer bytes, int count, int start) {
    for (int i = 0; i < count; i++) {
      bytes.put(i, (byte) (start + i));
    }
  }

  @Test
  void head() {
    pt_exit_record exit = new pt_exit_record(slot);
    exit.head().sequence(0x1122334455667788L).kind(2).vcpu(5);
    assertEquals(0x1122334455667788L, view.sequence());
    assertEquals(2, view.kind());
    assertEquals(5, view.vcpu());
    assertEquals(5, view.outcome().vcpu());
  }

  @Test
  void exit() {
    pt_exit_record exit = new pt_exit_record(slot);
    exit.first(11).round(12).access(13).done(14).gpa(15).gla(16).insn_count(17).window_count(18);
    exit.taken_ns(19).published_ns(20);
    fill(exit.insn(), 16, 0x10);
    fill(exit.window(), 32, 0x40);
    ExitRecord record = view.exit();
    assertEquals(11, record.first());
    assertEquals(12, record.round());
    assertEquals(13, record.access());
    assertEquals(14, record.done());
    assertEquals(15, record.gpa());
    assertEquals(16, record.gla());
    assertEquals(17, record.instructionCount());
    assertEquals(18, record.windowCount());
    assertEquals(19, record.takenNanos());
    assertEquals(20, record.publishedNanos());
    assertEquals(0x1716151413121110L, record.instructionLow());
    assertEquals(0x1F1E1D1C1B1A1918L, record.instructionHigh());
    assertEquals(0x4746454443424140L, record.window(0));
    assertEquals(0x5F5E5D5C5B5A5958L, record.window(3));
  }

  @Test
  void attachments() {
    pt_exit_record exit = new pt_exit_record(slot);
    ExitRecord record = view.exit();
    exit.source_count(32).source_aliased(1).xmm_register(0);
    fill(exit.source(), 32, 0x30);
    fill(exit.xmm(), 16, 0x60);
    assertEquals(0, record.sourceCount());
    assertFalse(record.sourceAliased());
    assertFalse(record.hasXmm(0));

    exit.attached(Native.PT_MORE_SOURCE);
    assertEquals(Native.PT_MORE_SOURCE, record.attached());
    assertEquals(32, record.sourceCount());
    assertTrue(record.sourceAliased());
    assertFalse(record.hasXmm(0));
    assertEquals(0x3736353433323130L, record.source(0));
    assertEquals(0x4F4E4D4C4B4A4948L, record.source(3));

    exit.attached(Native.PT_MORE_XMM).xmm_register(9);
    assertEquals(0, record.sourceCount());
    assertTrue(record.hasXmm(9));
    assertFalse(record.hasXmm(8));
    assertEquals(0x6766656463626160L, record.xmmLow(9));
    assertEquals(0x6F6E6D6C6B6A6968L, record.xmmHigh(9));

    exit.xmm_register(Native.PT_XMM_NONE);
    for (int i = 0; i < Native.PT_XMM_COUNT; i++) {
      assertFalse(record.hasXmm(i));
    }
  }

  @Test
  void processorState() {
    pt_cpu cpu = new pt_exit_record(slot).cpu();
    for (int i = 0; i < 16; i++) {
      cpu.gpr(i, 100 + i);
    }
    for (int i = 0; i < 6; i++) {
      cpu.segment_base(i, 200 + i);
      cpu.segment_selector(i, (short) (0xFFF0 + i));
    }
    cpu.rip(1).rflags(2).cr0(3).cr3(4).cr4(5).efer(6).dr7(7).code_bits(32).cpl(3);
    ExitRecord record = view.exit();
    for (int i = 0; i < 16; i++) {
      assertEquals(100 + i, record.gpr(i));
    }
    for (int i = 0; i < 6; i++) {
      assertEquals(200 + i, record.segmentBase(i));
      assertEquals(0xFFF0 + i, record.selector(i));
    }
    assertEquals(1, record.rip());
    assertEquals(2, record.rflags());
    assertEquals(3, record.cr0());
    assertEquals(4, record.cr3());
    assertEquals(5, record.cr4());
    assertEquals(6, record.efer());
    assertEquals(7, record.dr7());
    assertEquals(32, record.codeBits());
    assertEquals(3, record.cpl());
  }

  @Test
  void outcome() {
    pt_outcome_record outcome = new pt_outcome_record(slot);
    outcome.exit(1).first(2).result(3).cause(4).gpa(5).mask(6).stores(7).more(1).round(8);
    outcome.rip(9).cr3(10).taken_ns(11).published_ns(12).seen_ns(13).decided_ns(14);
    outcome.collected_ns(15).swapped_ns(16).replied_ns(17);
    fill(outcome.replaced(), 32, 0x20);
    fill(outcome.bytes(), 32, 0x60);
    OutcomeRecord record = view.outcome();
    assertEquals(1, record.sequence());
    assertEquals(2, record.first());
    assertEquals(3, record.result());
    assertEquals(4, record.cause());
    assertEquals(5, record.gpa());
    assertEquals(6, record.mask());
    assertEquals(7, record.stores());
    assertTrue(record.more());
    assertEquals(8, record.round());
    assertEquals(9, record.rip());
    assertEquals(10, record.cr3());
    assertEquals(11, record.takenNanos());
    assertEquals(12, record.publishedNanos());
    assertEquals(13, record.seenNanos());
    assertEquals(14, record.decidedNanos());
    assertEquals(15, record.collectedNanos());
    assertEquals(17, record.repliedNanos());
    assertEquals(0x2726252423222120L, record.replaced(0));
    assertEquals(0x7F7E7D7C7B7A7978L, record.bytes(3));
  }

  @Test
  void completion() {
    pt_completion_record completion = new pt_completion_record(slot);
    completion.command(21).kind(2).status(-14).gpa(23).length(24);
    fill(completion.data(), 24, 0x30);
    CompletionRecord record = view.completion();
    assertEquals(21, record.command());
    assertEquals(2, record.kind());
    assertEquals(-14, record.status());
    assertEquals(23, record.gpa());
    assertEquals(24, record.length());
    assertEquals(0x4746454443424140L, record.entry(2));
  }
}
