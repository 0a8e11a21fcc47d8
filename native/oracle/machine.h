/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Executes one instruction of a case on the processor, in this process, and survives it. Single-threaded. It never
 * looks at what the bytes mean.
 */
#ifndef PTARMIGAN_ORACLE_MACHINE_H
#define PTARMIGAN_ORACLE_MACHINE_H

#include "record.h"

/* Maps the pages and installs the signal handlers. 0 or a negative errno; -ENOTSUP where user code may not set the
 * segment bases (FSGSBASE). */
int machine_open(void);

/* Runs the case and fills in the out fields. */
void machine_run(struct oracle_record *record);

/* The selectors that cases run with: es, cs, ss, ds, fs, gs. */
void machine_selectors(uint16_t selectors[6]);

#endif
