/* SPDX-License-Identifier: Apache-2.0 */
/* One kind of instruction over and over, for runs that are cut at every point of it. */
#ifndef PTARMIGAN_SANDBOX_GUEST_WORK_H
#define PTARMIGAN_SANDBOX_GUEST_WORK_H

#include "guest/cpu.h"

/* One round of guest_boot.work, which is neither GUEST_ALL nor GUEST_OPEN. */
void work_step(struct cpu *cpu);

#endif
