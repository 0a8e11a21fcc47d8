/* SPDX-License-Identifier: Apache-2.0 */
/*
 * second-decoder: what Zydis makes of instructions. Reads lines "bits hex-bytes", answers each with one line:
 *
 *   invalid
 *   length mnemonic lock rep addresswidth memory.. operand..
 *
 * Each memory operand is "m:rw:segment:base:index:scale:displacement:bytes" with rw of r, w, or both, and names of
 * registers; a displacement to rip counts from the first byte of the instruction. Other operands are "r:name" and
 * "i:hex". Hidden operands are left out unless they are memory.
 */
#include <Zydis/Zydis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 256
#define MOST_BYTES 16

static const char *name(ZydisRegister reg) {
  const char *text = ZydisRegisterGetString(reg);
  return text ? text : "none";
}

static void print_memory(const ZydisDecodedInstruction *instruction, const ZydisDecodedOperand *operand) {
  int64_t displacement = operand->mem.disp.has_displacement ? operand->mem.disp.value : 0;
  int relative = operand->mem.base == ZYDIS_REGISTER_RIP || operand->mem.base == ZYDIS_REGISTER_EIP;
  if (relative)
    displacement += instruction->length;
  printf(" m:%s%s:%s:%s:%s:%u:%" PRIx64 ":%u", operand->actions & ZYDIS_OPERAND_ACTION_MASK_READ ? "r" : "",
         operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE ? "w" : "", name(operand->mem.segment),
         name(operand->mem.base), name(operand->mem.index), operand->mem.scale, (uint64_t)displacement,
         operand->size / 8);
}

static void print_operand(const ZydisDecodedInstruction *instruction, const ZydisDecodedOperand *operand) {
  if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY)
    print_memory(instruction, operand);
  else if (operand->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN)
    return;
  else if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER)
    printf(" r:%s", name(operand->reg.value));
  else if (operand->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
    printf(" i:%" PRIx64, operand->imm.value.u + (operand->imm.is_relative ? instruction->length : 0));
}

static void print_instruction(const ZydisDecodedInstruction *instruction, const ZydisDecodedOperand *operands) {
  uint64_t repeats = ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE;
  printf("%u %s %d %d %u", instruction->length, ZydisMnemonicGetString(instruction->mnemonic),
         (instruction->attributes & ZYDIS_ATTRIB_HAS_LOCK) != 0, (instruction->attributes & repeats) != 0,
         instruction->address_width / 8);
  for (int i = 0; i < instruction->operand_count; i++)
    print_operand(instruction, &operands[i]);
  printf("\n");
}

int main(void) {
  ZydisDecoder decoders[3];
  ZydisDecoderInit(&decoders[0], ZYDIS_MACHINE_MODE_LONG_COMPAT_16, ZYDIS_STACK_WIDTH_16);
  ZydisDecoderInit(&decoders[1], ZYDIS_MACHINE_MODE_LONG_COMPAT_32, ZYDIS_STACK_WIDTH_32);
  ZydisDecoderInit(&decoders[2], ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  char line[LINE_BYTES];
  while (fgets(line, sizeof line, stdin)) {
    char *hex;
    unsigned long bits = strtoul(line, &hex, 10);
    uint8_t bytes[MOST_BYTES];
    size_t count = 0;
    for (hex += strspn(hex, " "); count < MOST_BYTES && sscanf(hex, "%2hhx", &bytes[count]) == 1; hex += 2)
      count++;
    const ZydisDecoder *decoder = &decoders[bits == 64 ? 2 : bits == 32 ? 1 : 0];
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    if (ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder, bytes, count, &instruction, operands)))
      print_instruction(&instruction, operands);
    else
      puts("invalid");
  }
  return 0;
}
