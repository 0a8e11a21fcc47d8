/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets in a vCPU's block that assembly uses; cpu.h asserts them. And how an instruction names its operand. */
#ifndef PTARMIGAN_SANDBOX_GUEST_OFFSETS_H
#define PTARMIGAN_SANDBOX_GUEST_OFFSETS_H

#define CPU_IN 0
#define CPU_OUT 136
#define CPU_STACK 272
#define CPU_BYTES 16384

/* How the instruction addresses memory. */
#define FORM_RDI 0       /* (%rdi) */
#define FORM_INDEX 1     /* -8(%rbx,%r9,8) */
#define FORM_GS 2        /* %gs:(%rdi) */
#define FORM_BIT 3       /* (%rdi), moved by the bit offset in rax */
#define FORM_STACK 4     /* push: below rsp */
#define FORM_DOWN 5      /* (%rdi) with DF set */
#define FORM_COPY 6      /* (%rdi), from (%rsi), which is the vCPU's own source */
#define FORM_COPY_DOWN 7 /* likewise with DF set */

#endif
