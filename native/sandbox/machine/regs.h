/* SPDX-License-Identifier: Apache-2.0 */
/* Between a signal's saved registers and those of a vm_event record. */
#ifndef PTARMIGAN_SANDBOX_REGS_H
#define PTARMIGAN_SANDBOX_REGS_H

#include "machine.h"

/* The vCPU's whole state as its guest sees it: the trap flag of a step that the hypervisor wants is not shown. */
void regs_save(const struct vcpu *vcpu, const ucontext_t *context, struct vm_event_regs_x86 *out);

/* The XMM registers, which no vm_event record holds, into the channel. They stay those of the signal's frame. */
void regs_save_xmm(const struct vcpu *vcpu, const ucontext_t *context);

/* What VM_EVENT_FLAG_SET_REGISTERS sets: general registers, rip, and of rflags what user code may change but TF. */
void regs_set(ucontext_t *context, const struct vm_event_regs_x86 *in);

static inline void regs_trap(ucontext_t *context, bool on) {
  const greg_t trap_flag = 0x100;
  context->uc_mcontext.gregs[REG_EFL] &= ~trap_flag;
  context->uc_mcontext.gregs[REG_EFL] |= on ? trap_flag : 0;
}

#endif
