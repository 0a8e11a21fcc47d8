/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One case for the processor, and what it did with it. The file that the driver shares with the runner is an array of
 * these; the runner prints the layout when it starts, so that a driver in another language repeats no offset.
 */
#ifndef PTARMIGAN_ORACLE_RECORD_H
#define PTARMIGAN_ORACLE_RECORD_H

#include <stdint.h>

#define ORACLE_WINDOW_BYTES 32
#define ORACLE_SOURCE_BYTES 32
#define ORACLE_INSN_BYTES 16

/* Pages that the runner maps. Each data page has an unmapped page on either side, so that a store which leaves it
 * faults. Everything else is for the driver to stay away from. */
#define ORACLE_DATA_LOW 0x10001000ULL
#define ORACLE_DATA_HIGH 0x7e0000001000ULL
#define ORACLE_SOURCE_LOW 0x18001000ULL
#define ORACLE_SOURCE_HIGH 0x7e0008001000ULL
#define ORACLE_CODE_LOW 0x20001000ULL
#define ORACLE_CODE_HIGH 0x7e0020001000ULL
#define ORACLE_PAGE_BYTES 4096

enum oracle_status {
  ORACLE_DONE = 0,  /* the processor went on to the landing address */
  ORACLE_FAULT = 1, /* it raised a signal; the registers are those of the signal */
  ORACLE_STRAY = 2, /* it wrote beside the window */
  ORACLE_BAD = 3    /* the case asks for addresses that are not mapped */
};

/* How to run it. */
#define ORACLE_STEP 1 /* under the trap flag: rip is the processor's word; not for REP, which traps per element */

#define ORACLE_FIELDS(X)                        \
  X(gpr, uint64_t, [16])                        \
  X(rip, uint64_t, )                            \
  X(rflags, uint64_t, )                         \
  X(fs_base, uint64_t, )                        \
  X(gs_base, uint64_t, )                        \
  X(window_at, uint64_t, )                      \
  X(source_at, uint64_t, )                      \
  X(landing, uint64_t, )                        \
  X(insn, uint8_t, [ORACLE_INSN_BYTES])         \
  X(window, uint8_t, [ORACLE_WINDOW_BYTES])     \
  X(source, uint8_t, [ORACLE_SOURCE_BYTES])     \
  X(xmm, uint8_t, [16 * 16])                    \
  X(insn_count, uint32_t, )                     \
  X(window_count, uint32_t, )                   \
  X(source_count, uint32_t, )                   \
  X(mode, uint32_t, )                           \
  X(out_gpr, uint64_t, [16])                    \
  X(out_rip, uint64_t, )                        \
  X(out_rflags, uint64_t, )                     \
  X(out_fault_address, uint64_t, )              \
  X(out_window, uint8_t, [ORACLE_WINDOW_BYTES]) \
  X(out_status, uint32_t, )                     \
  X(out_signal, uint32_t, )

#define ORACLE_MEMBER(name, type, count) type name count;
struct oracle_record {
  ORACLE_FIELDS(ORACLE_MEMBER)
};

#endif
