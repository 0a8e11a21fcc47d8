/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cases as lines of text:
 *
 *   name: case -> answer ; notes
 *
 * case    space-separated key=value as `ptarmigan emulate` reads them: insn, gla, old, src, rip, rflags, the registers,
 *         fsbase, gsbase
 * answer  WRITE mask=.. new=.. rip=.. rflags=.. [registers that changed]
 * notes   undef=<flags that the architecture leaves undefined> srcat=<address of src> landing=<address after a call>
 *
 * Lines that are empty or begin with # are skipped, and so are cases whose answer is not WRITE: they are the
 * emulator's own refusals.
 */
#ifndef PTARMIGAN_ORACLE_TEXT_H
#define PTARMIGAN_ORACLE_TEXT_H

#include <stdio.h>

struct text_counts {
  unsigned long cases;       /* run */
  unsigned long differences; /* of those */
  unsigned long skipped;     /* other modes and addresses than a process has */
};

/* Runs each line and compares; adds to the counts and prints what differs. 0 or -EINVAL for a malformed line. */
int text_check(FILE *table, const char *name, struct text_counts *counts);

/* Prints each line's name and case with the processor's answer in place of what follows "->". */
int text_answer(FILE *input);

#endif
