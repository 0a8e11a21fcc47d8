/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's header and the few things that C does not say. */
#include "guest/offsets.h"

  .section .header, "a"
  .quad 0x31545355474d5450   /* GUEST_MAGIC */
  .quad guest_entry
  .quad guest_page_fault
  .quad guest_text_end
  .quad guest_image_end
  .quad guest_boot
  .quad guest_cpus
  .quad CPU_BYTES

  .text
  .globl guest_entry
guest_entry:
  call guest_main
  cli
0:
  hlt
  jmp 0b

/*
 * struct user_result user_load(uint64_t va), uint64_t user_store(uint64_t va, uint64_t value). A page fault in one of
 * them comes to guest_page_fault with rdx = error code, which ends it.
 */
  .globl user_load
user_load:
  mov (%rdi), %rax
  xor %edx, %edx
  ret

  .globl user_store
user_store:
  mov %rsi, (%rdi)
  xor %eax, %eax
  ret

guest_page_fault:
  mov %rdx, %rax
  ret

  .globl invalidate_page
invalidate_page:
  invlpg (%rdi)
  ret

  .globl load_root
load_root:
  mov %rdi, %cr3
  ret

  .globl yield
yield:
  hlt
  ret

/*
 * One routine per line of insns.h: loads all registers and flags from the vCPU's block, executes the instruction,
 * and stores all of them back. rsp is loaded only where the instruction is about it.
 */
  .macro BEFORE form
  push %rbx
  push %rbp
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, %gs:CPU_STACK
  pushq %gs:CPU_IN + 8 * 16
  popfq
  mov %gs:CPU_IN + 8 * 0, %rax
  mov %gs:CPU_IN + 8 * 1, %rcx
  mov %gs:CPU_IN + 8 * 2, %rdx
  mov %gs:CPU_IN + 8 * 3, %rbx
  .if \form == FORM_STACK
  mov %gs:CPU_IN + 8 * 4, %rsp
  .endif
  mov %gs:CPU_IN + 8 * 5, %rbp
  mov %gs:CPU_IN + 8 * 6, %rsi
  mov %gs:CPU_IN + 8 * 7, %rdi
  mov %gs:CPU_IN + 8 * 8, %r8
  mov %gs:CPU_IN + 8 * 9, %r9
  mov %gs:CPU_IN + 8 * 10, %r10
  mov %gs:CPU_IN + 8 * 11, %r11
  mov %gs:CPU_IN + 8 * 12, %r12
  mov %gs:CPU_IN + 8 * 13, %r13
  mov %gs:CPU_IN + 8 * 14, %r14
  mov %gs:CPU_IN + 8 * 15, %r15
  .endm

  .macro AFTER
  mov %rax, %gs:CPU_OUT + 8 * 0
  mov %rcx, %gs:CPU_OUT + 8 * 1
  mov %rdx, %gs:CPU_OUT + 8 * 2
  mov %rbx, %gs:CPU_OUT + 8 * 3
  mov %rsp, %gs:CPU_OUT + 8 * 4
  mov %rbp, %gs:CPU_OUT + 8 * 5
  mov %rsi, %gs:CPU_OUT + 8 * 6
  mov %rdi, %gs:CPU_OUT + 8 * 7
  mov %r8, %gs:CPU_OUT + 8 * 8
  mov %r9, %gs:CPU_OUT + 8 * 9
  mov %r10, %gs:CPU_OUT + 8 * 10
  mov %r11, %gs:CPU_OUT + 8 * 11
  mov %r12, %gs:CPU_OUT + 8 * 12
  mov %r13, %gs:CPU_OUT + 8 * 13
  mov %r14, %gs:CPU_OUT + 8 * 14
  mov %r15, %gs:CPU_OUT + 8 * 15
  mov %gs:CPU_STACK, %rsp
  pushfq
  popq %gs:CPU_OUT + 8 * 16
  cld
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbp
  pop %rbx
  ret
  .endm

#define INSN(name, how, class, size, form, weight, flags, ...) \
  .globl insn_##name; insn_##name: BEFORE form; __VA_ARGS__; AFTER;
#include "guest/insns.h"

  .section .note.GNU-stack, "", @progbits
