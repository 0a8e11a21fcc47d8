/* SPDX-License-Identifier: Apache-2.0 */
/* An intent held against the registers and the memory that a dead monitor left. */
#include <string.h>

/* cmocka.h needs the four headers before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "intent_verdict.h"

#define FRAMES 16
#define A 0x20u
#define D 0x40u
#define PAE 0x20u

/* Two entries: 0x1007 -> 0x2007 and 0x3007 -> 0x4007, nothing done yet. */
static struct pt_intent_record example(void) {
  struct pt_intent_record record = {.current = 1};
  struct pt_intent *intent = &record.slots[0];
  intent->exit_id = 5;
  intent->gpa = 0x2010;
  intent->cpu.rip = 0x400000;
  intent->cpu.rflags = 2;
  intent->cpu.cr4 = PAE;
  intent->cpu.code_bits = 64;
  intent->cpu.gpr[7] = 0x77;
  intent->rip = 0x400003;
  intent->rflags = 3;
  pt_entry_put(intent->expected, 0, 0x1007);
  pt_entry_put(intent->expected, 1, 0x3007);
  pt_entry_put(intent->bytes, 0, 0x2007);
  pt_entry_put(intent->bytes, 1, 0x4007);
  intent->mask = 0xFFFF;
  intent->kind = PT_INTENT_WRITE;
  intent->state = PT_INTENT_INTENDED;
  intent->check = pt_intent_check(intent);
  return record;
}

static enum pt_verdict match(const struct pt_intent_record *record, uint64_t exit_id) {
  struct pt_intent ignored;
  struct pt_cpu cpu = example().slots[0].cpu;
  return pt_intent_match(record, &cpu, exit_id, FRAMES, &ignored);
}

/* What is left to write where the two entries hold that. */
static uint32_t rest_of(const struct pt_intent *intent, uint64_t first, uint64_t second) {
  const uint64_t found[PT_WINDOW_ENTRIES] = {first, second};
  uint32_t rest;
  return pt_intent_rest(intent, found, &rest) == PT_VERDICT_FINISH ? rest : ~0u;
}

static void the_same_exit_matches(void **state) {
  (void)state;
  struct pt_intent_record record = example();
  assert_int_equal(match(&record, 5), PT_VERDICT_FINISH);
  assert_int_equal(match(&record, 0), PT_VERDICT_FINISH); /* by registers alone */
  assert_true(pt_intent_certain(&record.slots[0], 5));
  assert_false(pt_intent_certain(&record.slots[0], 0));
}

static void an_exit_without_intent_is_executed(void **state) {
  (void)state;
  struct pt_intent_record record = example();
  record.current = 0;
  assert_int_equal(match(&record, 5), PT_VERDICT_NO_WRITE);
}

/* lock add [m],1 in a loop: registers and flags of the next exit are the same. */
static void a_later_exit_with_the_same_registers_is_told_apart_by_its_number(void **state) {
  (void)state;
  struct pt_intent_record record = example();
  record.slots[0].state = PT_INTENT_SWAPPED;
  assert_int_equal(match(&record, 6), PT_VERDICT_NO_WRITE);
}

static void other_registers_are_another_exit(void **state) {
  (void)state;
  struct pt_intent_record record = example();
  struct pt_intent ignored;
  for (unsigned i = 0; i < 4; i++) {
    struct pt_cpu cpu = record.slots[0].cpu;
    uint64_t *changed[] = {&cpu.gpr[15], &cpu.rip, &cpu.rflags, &cpu.cr3};
    *changed[i] ^= 1;
    assert_int_equal(pt_intent_match(&record, &cpu, 0, FRAMES, &ignored), PT_VERDICT_NO_WRITE);
    /* The number says that it is this exit: something is wrong. */
    assert_int_equal(pt_intent_match(&record, &cpu, 5, FRAMES, &ignored), PT_VERDICT_DAMAGED);
  }
}

static void any_damaged_bit_is_noticed(void **state) {
  (void)state;
  for (size_t bit = 0; bit < offsetof(struct pt_intent, state) * 8; bit++) {
    struct pt_intent_record record = example();
    ((uint8_t *)&record.slots[0])[bit / 8] ^= (uint8_t)(1u << bit % 8);
    assert_int_equal(match(&record, 5), PT_VERDICT_DAMAGED);
  }
}

static void resealed(struct pt_intent_record *record) {
  record->slots[0].check = pt_intent_check(&record->slots[0]);
}

static void a_record_that_makes_no_sense_is_damaged(void **state) {
  (void)state;
  for (unsigned i = 0; i < 10; i++) {
    struct pt_intent_record record = example();
    struct pt_intent *intent = &record.slots[0];
    switch (i) {
      case 0:
        record.current = 3;
        break;
      case 1:
        intent->gpa += 4;
        break;
      case 2:
        intent->gpa = FRAMES * 4096;
        break;
      case 3:
        intent->gpa = 0x2FF8; /* the mask runs over the end of the frame */
        break;
      case 4:
        intent->earlier = 0x8000; /* written already and to be written */
        break;
      case 5:
        intent->rip += 15;
        break;
      case 6:
        intent->kind = 3;
        break;
      case 7:
        intent->kind = PT_INTENT_DENY;
        break;
      case 8:
        intent->state = 0;
        break;
      default:
        intent->done = 0x10000; /* never asked for */
        break;
    }
    resealed(&record);
    assert_int_equal(match(&record, 5), PT_VERDICT_DAMAGED);
  }
}

static void what_was_never_tried_is_untouched_whatever_memory_holds(void **state) {
  (void)state;
  struct pt_intent intent = example().slots[0];
  assert_int_equal(rest_of(&intent, 0x1007, 0x3007), ~0u);
  assert_int_equal(rest_of(&intent, 0x2007, 0x4007), ~0u);
}

static void a_swap_without_its_mark_is_found_in_memory(void **state) {
  (void)state;
  struct pt_intent intent = example().slots[0];
  intent.attempted = 0xFF;
  assert_int_equal(rest_of(&intent, 0x1007, 0x3007), ~0u); /* killed before it */
  assert_int_equal(rest_of(&intent, 0x1007 | A, 0x3007), ~0u);
  assert_int_equal(rest_of(&intent, 0x2007, 0x3007), 0xFF00);
  assert_int_equal(rest_of(&intent, 0x2007 | A | D, 0x3007), 0xFF00);
  intent.done = 0xFF;
  intent.attempted = 0xFFFF;
  assert_int_equal(rest_of(&intent, 0x2007, 0x3007), 0xFF00);
  assert_int_equal(rest_of(&intent, 0x2007, 0x4007), 0);
}

/* BTC of the A bit: the walker may have set it, or the swap; that the swap did is an order that could have been. */
static void an_accessed_bit_that_either_could_have_set_counts_as_ours(void **state) {
  (void)state;
  struct pt_intent intent = example().slots[0];
  intent.mask = intent.attempted = 0xFF;
  pt_entry_put(intent.bytes, 0, 0x1007 | A);
  assert_int_equal(rest_of(&intent, 0x1007 | A, 0), 0);
  assert_int_equal(rest_of(&intent, 0x1007, 0), ~0u);
}

static void an_entry_that_is_not_present_gets_no_accessed_bit(void **state) {
  (void)state;
  struct pt_intent intent = example().slots[0];
  intent.mask = intent.attempted = 0xFF;
  pt_entry_put(intent.bytes, 0, 0x2006);
  assert_int_equal(rest_of(&intent, 0x2006, 0), 0);
  assert_int_equal(rest_of(&intent, 0x2006 | A, 0), ~0u);
}

static void halves_of_a_legacy_guest_have_bits_of_their_own(void **state) {
  (void)state;
  struct pt_intent intent = example().slots[0];
  intent.mask = intent.attempted = 0xFF;
  pt_entry_put(intent.expected, 0, 0x0000100700001007);
  pt_entry_put(intent.bytes, 0, 0x0000200700001007);
  assert_int_equal(rest_of(&intent, 0x0000202700001007, 0), ~0u); /* bit 37 is a frame bit in an 8-byte entry */
  intent.cpu.cr4 = 0;
  assert_int_equal(rest_of(&intent, 0x0000202700001047, 0), 0);
}

static void what_earlier_rounds_wrote_is_finished(void **state) {
  (void)state;
  struct pt_intent intent = example().slots[0];
  intent.earlier = 0xFF;
  intent.mask = 0xFF00;
  assert_int_equal(rest_of(&intent, 0x2007, 0x9999), 0xFF00);
}

static void a_final_write_has_no_rest(void **state) {
  (void)state;
  struct pt_intent intent = example().slots[0];
  intent.state = PT_INTENT_SWAPPED;
  assert_int_equal(rest_of(&intent, 0x9999, 0x9999), 0);
}

static void finishing_keeps_other_bytes_and_the_walkers_bits(void **state) {
  (void)state;
  struct pt_intent intent = example().slots[0];
  assert_int_equal(pt_intent_value(&intent, 1, 0x3007, 0xFF00), 0x4007);
  assert_int_equal(pt_intent_value(&intent, 1, 0x3007 | A, 0xFF00), 0x4007 | A);
  assert_int_equal(pt_intent_value(&intent, 1, 0x8888000000003007, 0x0F00), 0x8888000000004007);
  assert_int_equal(pt_intent_value(&intent, 1, 0x4007 | A, 0), 0x4007 | A);
  intent.held[1] = 2; /* a denied bit stays as it is found */
  assert_int_equal(pt_intent_value(&intent, 1, 0x3005, 0xFF00), 0x4005);
  intent.held[1] = 0;
  pt_entry_put(intent.bytes, 1, 0x4006); /* not present: the walker would not touch it */
  assert_int_equal(pt_intent_value(&intent, 1, 0x3007 | A, 0xFF00), 0x4006);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_same_exit_matches),
      cmocka_unit_test(an_exit_without_intent_is_executed),
      cmocka_unit_test(a_later_exit_with_the_same_registers_is_told_apart_by_its_number),
      cmocka_unit_test(other_registers_are_another_exit),
      cmocka_unit_test(any_damaged_bit_is_noticed),
      cmocka_unit_test(a_record_that_makes_no_sense_is_damaged),
      cmocka_unit_test(what_was_never_tried_is_untouched_whatever_memory_holds),
      cmocka_unit_test(a_swap_without_its_mark_is_found_in_memory),
      cmocka_unit_test(an_accessed_bit_that_either_could_have_set_counts_as_ours),
      cmocka_unit_test(an_entry_that_is_not_present_gets_no_accessed_bit),
      cmocka_unit_test(halves_of_a_legacy_guest_have_bits_of_their_own),
      cmocka_unit_test(what_earlier_rounds_wrote_is_finished),
      cmocka_unit_test(a_final_write_has_no_rest),
      cmocka_unit_test(finishing_keeps_other_bytes_and_the_walkers_bits),
  };
  return cmocka_run_group_tests_name("intent_verdict", tests, NULL, NULL);
}
