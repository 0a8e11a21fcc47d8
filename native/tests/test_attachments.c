/* SPDX-License-Identifier: Apache-2.0 */
/* What MORE attaches: bytes of guest memory by the guest's own tables, XMM registers; and what it does not give. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "rig.h"

#define PRESENT_WRITABLE 3u
#define CODE_END_GVA (FAKE_CODE_GVA + 2 * FAKE_PAGE) /* nothing is mapped there */
#define CR0_TS (1u << 3)
#define CR4_OSFXSR (1u << 9)

static void map(struct rig *rig, unsigned table, unsigned index, unsigned frame) {
  *fake_guest_entry(&rig->guest, table, index) = (uint64_t)frame * FAKE_PAGE | PRESENT_WRITABLE;
}

/* An exit on vCPU 0 of which adjust has changed something; the record after MORE. */
static struct pt_exit_record ask(struct rig *rig, void (*adjust)(struct pt_exit *), uint32_t needs, uint64_t gla,
                                 uint32_t bytes, uint32_t xmm_register) {
  struct pt_exit exit;
  fake_guest_exit(&rig->guest, 0, 0x80, &exit);
  if (adjust)
    adjust(&exit);
  assert_int_equal(pt_submit(rig->monitor, &exit), 0);
  struct pt_exit_record record = rig_exit(rig);
  rig_more(rig, &record, needs, gla, bytes, xmm_register);
  rig_no_reply(rig);
  return rig_exit(rig);
}

static void finish(struct rig *rig, const struct pt_exit_record *exit) {
  rig_write(rig, exit, 0, 8, 1);
  rig_reply(rig);
  pt_outcome(rig->monitor, 0);
  rig_outcome(rig);
}

static struct pt_exit_record ask_source(struct rig *rig, uint64_t gla, uint32_t bytes) {
  struct pt_exit_record exit = ask(rig, NULL, PT_MORE_SOURCE, gla, bytes, 0);
  finish(rig, &exit);
  return exit;
}

static void any_bytes_at_any_place_are_as_memory_holds_them(void **state) {
  struct rig *rig = *state;
  for (uint32_t bytes = 1; bytes <= PT_SOURCE_BYTES; bytes++)
    for (uint32_t offset = 0; offset < 9; offset++) {
      struct pt_exit_record exit = ask_source(rig, FAKE_CODE_GVA + 0x200 + offset, bytes);
      assert_int_equal(exit.source_count, bytes);
      assert_memory_equal(exit.source, &rig->guest.ram[FAKE_CODE][0x200 + offset], bytes);
    }
}

static void a_source_over_a_page_end_comes_from_both_pages(void **state) {
  struct rig *rig = *state;
  map(rig, FAKE_PT_CODE, 1, 20); /* the next page in memory is not the next in the address space */
  memset(rig->guest.ram[20], 0x20, FAKE_PAGE);
  struct pt_exit_record exit = ask_source(rig, FAKE_CODE_GVA + FAKE_PAGE - 5, 8);
  assert_int_equal(exit.source_count, 8);
  assert_memory_equal(exit.source, &rig->guest.ram[FAKE_CODE][FAKE_PAGE - 5], 5);
  assert_memory_equal(exit.source + 5, rig->guest.ram[20], 3);
}

static void a_source_ends_where_a_page_is_missing(void **state) {
  struct rig *rig = *state;
  struct pt_exit_record exit = ask_source(rig, CODE_END_GVA - 5, 8);
  assert_int_equal(exit.source_count, 5);
  assert_memory_equal(exit.source, &rig->guest.ram[FAKE_CODE + 1][FAKE_PAGE - 5], 5);
  assert_int_equal(exit.source[5], 0);
  assert_int_equal(ask_source(rig, CODE_END_GVA, 8).source_count, 0);
  assert_int_equal(ask_source(rig, 0x800000000000, 8).source_count, 0); /* not canonical */
  assert_int_equal(ask_source(rig, ~7ull, 32).source_count, 0);
  map(rig, FAKE_PT_CODE, 2, FAKE_FRAMES); /* a frame that the guest does not have */
  assert_int_equal(ask_source(rig, CODE_END_GVA - 5, 8).source_count, 5);
}

static void run_32_bit_code(struct pt_exit *exit) {
  exit->cpu.code_bits = 32;
}

static void the_addresses_of_32_bit_code_end_at_4_gib(void **state) {
  struct rig *rig = *state;
  map(rig, FAKE_PDPT, 3, FAKE_PD);
  map(rig, FAKE_PDPT, 4, FAKE_PD);
  map(rig, FAKE_PD, 511, 21);
  map(rig, FAKE_PD, 0, 22);
  map(rig, 21, 511, FAKE_CODE);
  map(rig, 22, 0, FAKE_CODE);
  assert_int_equal(ask_source(rig, 0xFFFFFFFC, 8).source_count, 8);
  struct pt_exit_record exit = ask(rig, run_32_bit_code, PT_MORE_SOURCE, 0xFFFFFFFC, 8, 0);
  assert_int_equal(exit.source_count, 4);
  finish(rig, &exit);
  exit = ask(rig, run_32_bit_code, PT_MORE_SOURCE, 0x100000000, 8, 0);
  assert_int_equal(exit.source_count, 0);
}

static void the_written_frame_under_another_address_is_told(void **state) {
  struct rig *rig = *state;
  map(rig, FAKE_PT_CODE, 5, FAKE_TABLE);
  assert_int_equal(ask_source(rig, FAKE_CODE_GVA + 5 * FAKE_PAGE + 0x78, 8).source_aliased, 1);
  assert_int_equal(ask_source(rig, FAKE_TABLE_GVA + 0x78, 8).source_aliased, 0); /* the same address: no alias */
  assert_int_equal(ask_source(rig, FAKE_CODE_GVA, 8).source_aliased, 0);
  map(rig, FAKE_PT_CODE, 4, FAKE_CODE);
  assert_int_equal(ask_source(rig, FAKE_CODE_GVA + 5 * FAKE_PAGE - 4, 8).source_aliased, 1); /* its end */
}

static void run_user_code(struct pt_exit *exit) {
  exit->cpu.cpl = 3;
}

static void user_code_is_lent_no_memory(void **state) {
  struct rig *rig = *state;
  struct pt_exit_record exit = ask(rig, run_user_code, PT_MORE_SOURCE, FAKE_CODE_GVA, 8, 0);
  assert_int_equal(exit.attached, PT_MORE_SOURCE);
  assert_int_equal(exit.source_count, 0);
  for (unsigned i = 0; i < PT_SOURCE_BYTES; i++)
    assert_int_equal(exit.source[i], 0);
}

static void hold_another_tasks_registers(struct pt_exit *exit) {
  exit->cpu.cr0 |= CR0_TS;
}

static void leave_sse_off(struct pt_exit *exit) {
  exit->cpu.cr4 &= ~(uint64_t)CR4_OSFXSR;
}

static void no_register_where_the_processor_would_fault(void **state) {
  struct rig *rig = *state;
  void (*const adjust[])(struct pt_exit *) = {hold_another_tasks_registers, leave_sse_off};
  memset(rig->guest.xmm, 0x5A, sizeof rig->guest.xmm);
  for (unsigned i = 0; i < 2; i++) {
    struct pt_exit_record exit = ask(rig, adjust[i], PT_MORE_XMM, 0, 0, 2);
    assert_int_equal(exit.attached, PT_MORE_XMM);
    assert_int_equal(exit.xmm_register, PT_XMM_NONE);
    assert_int_equal(exit.xmm[0], 0);
    finish(rig, &exit);
  }
  assert_int_equal(ask(rig, NULL, PT_MORE_XMM, 0, 0, 2).xmm_register, 2);
}

static void no_register_where_the_host_fails(void **state) {
  struct rig *rig = *state;
  memset(rig->guest.xmm, 0x5A, sizeof rig->guest.xmm);
  rig->guest.fail_xmm = -EIO;
  struct pt_exit_record exit = ask(rig, NULL, PT_MORE_XMM, 0, 0, 2);
  assert_int_equal(exit.xmm_register, PT_XMM_NONE);
  assert_int_equal(exit.xmm[0], 0);
}

struct hostile {
  const char *what;
  uint32_t needs, source_bytes, xmm_register, flags;
};

static const struct hostile hostile[] = {
    {"nothing", 0, 8, 0, 0},
    {"an unknown need", PT_MORE_SOURCE | 4, 8, 0, 0},
    {"no bytes", PT_MORE_SOURCE, 0, 0, 0},
    {"33 bytes", PT_MORE_SOURCE, PT_SOURCE_BYTES + 1, 0, 0},
    {"four billion bytes", PT_MORE_SOURCE | PT_MORE_XMM, UINT32_MAX, 0, 0},
    {"XMM16", PT_MORE_XMM, 0, PT_XMM_COUNT, 0},
    {"the last XMM register of all", PT_MORE_XMM, 0, UINT32_MAX, 0},
    {"a wide swap", PT_MORE_XMM, 0, 0, PT_DECISION_WIDE},
    {"a relevant one", PT_MORE_XMM, 0, 0, PT_DECISION_RELEVANT},
};

static void a_more_decision_that_makes_no_sense_is_refused_and_stepped(void **state) {
  struct rig *rig = *state;
  for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
    rig_submit(rig, 0, 0);
    struct pt_exit_record exit = rig_exit(rig);
    struct pt_decision *decision = fake_java_decision(&rig->java, 0);
    fake_java_decide(&rig->java, &exit, PT_ACTION_MORE, 0, decision);
    decision->needs = hostile[i].needs;
    decision->source_gla = FAKE_CODE_GVA;
    decision->source_bytes = hostile[i].source_bytes;
    decision->xmm_register = hostile[i].xmm_register;
    decision->flags = hostile[i].flags;
    fake_java_publish(&rig->java, decision, exit.head.sequence);
    struct pt_reply replies[1];
    if (pt_poll(rig->monitor, replies, 1) != 1)
      fail_msg("not refused: %s", hostile[i].what);
    assert_int_equal(replies[0].kind, PT_REPLY_STEP);
    pt_outcome(rig->monitor, 0);
    assert_int_equal(rig_outcome(rig).cause, PT_CAUSE_REFUSED);
  }
  assert_int_equal(pt_counters(rig->monitor)->more, 0);
}

typedef uint64_t __attribute__((aligned(1), may_alias)) unaligned;

struct writer {
  volatile unaligned *at;
  atomic_bool stop;
};

static void *flip(void *argument) {
  struct writer *writer = argument;
  while (!atomic_load_explicit(&writer->stop, memory_order_relaxed)) {
    *writer->at = 0;
    *writer->at = ~0ull;
  }
  return NULL;
}

/* An unaligned element within a cache line is one access of the processor: SDM vol. 3A 9.1.1. */
static void an_element_is_read_in_one_piece(void **state) {
  struct rig *rig = *state;
  struct writer writer = {.at = (unaligned *)(void *)&rig->guest.ram[FAKE_CODE][0x804]};
  pthread_t thread;
  *writer.at = 0;
  assert_int_equal(pthread_create(&thread, NULL, flip, &writer), 0);
  unsigned torn = 0;
  for (unsigned i = 0; i < 100000; i++) {
    struct pt_exit_record exit = ask_source(rig, FAKE_CODE_GVA + 0x804, 8);
    uint64_t value;
    memcpy(&value, exit.source, sizeof value);
    torn += value != 0 && value != ~0ull;
  }
  atomic_store(&writer.stop, true);
  pthread_join(thread, NULL);
  assert_int_equal(torn, 0);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_up, rig_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_RIG(any_bytes_at_any_place_are_as_memory_holds_them),
      WITH_RIG(a_source_over_a_page_end_comes_from_both_pages),
      WITH_RIG(a_source_ends_where_a_page_is_missing),
      WITH_RIG(the_addresses_of_32_bit_code_end_at_4_gib),
      WITH_RIG(the_written_frame_under_another_address_is_told),
      WITH_RIG(user_code_is_lent_no_memory),
      WITH_RIG(no_register_where_the_processor_would_fault),
      WITH_RIG(no_register_where_the_host_fails),
      WITH_RIG(a_more_decision_that_makes_no_sense_is_refused_and_stepped),
      WITH_RIG(an_element_is_read_in_one_piece),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
