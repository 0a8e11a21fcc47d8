/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PTARMIGAN_FOREIGN_LOOP_H
#define PTARMIGAN_FOREIGN_LOOP_H

#include "ptarmigan/plugin.h"

struct foreign_loop {
  struct pt_monitor *monitor;
  int exit_fd;                 /* non-blocking; struct pt_exit, from any vCPU */
  int resume_fd[PT_MAX_VCPUS]; /* struct pt_cpu, to each vCPU */
  /* Executes one instruction of the vCPU in the unrestricted view and changes cpu as it does. */
  void (*step)(void *context, uint32_t vcpu, struct pt_cpu *cpu);
  void *step_context;
  uint64_t exits;
  uint64_t replies;
  unsigned failures;
};

/* Until so many exits are answered. */
void foreign_loop_run(struct foreign_loop *loop, uint64_t exits);

#endif
