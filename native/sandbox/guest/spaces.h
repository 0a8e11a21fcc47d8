/* SPDX-License-Identifier: Apache-2.0 */
/* What a kernel does to whole address spaces and to 2 MiB pages. */
#ifndef PTARMIGAN_SANDBOX_GUEST_SPACES_H
#define PTARMIGAN_SANDBOX_GUEST_SPACES_H

#include "guest/cpu.h"

/* fork, some life in the child with copy-on-write on both sides, exit of the child. */
void fork_live_exit(struct cpu *cpu);

/* One step in the life of the 2 MiB page: mapped, split, changed in part, collapsed, unmapped, and so on. */
void large_page_step(struct cpu *cpu);

#endif
