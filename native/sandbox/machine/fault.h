/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VM exits: what a vCPU's thread does when guest code faults, traps or is called away. The handlers interrupt guest
 * code only, which holds no lock of the machine or of libc, and each other not at all: what they call is never
 * re-entered.
 */
#ifndef PTARMIGAN_SANDBOX_FAULT_H
#define PTARMIGAN_SANDBOX_FAULT_H

/* Installs the process's signal handlers. 0 or a negative errno. */
int fault_install(void);

#endif
