/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views and steps. The process has one set of mappings, and with them one view. So a vCPU is in the unrestricted view
 * for the length of single instructions only: the others are parked, each restricted frame that the instruction writes
 * is made writable as it is reached, and is made read-only again before anyone else runs.
 */
#ifndef PTARMIGAN_SANDBOX_STEP_H
#define PTARMIGAN_SANDBOX_STEP_H

#include "machine.h"

/* The vCPU is about to go on after a response: does what view and single stepping now ask for. */
void step_resume(struct vcpu *vcpu, ucontext_t *context);

/*
 * The vCPU's instruction met a restricted frame while its view is the unrestricted one. Lets it through, in a step of
 * its own where none is in flight. False where it can't.
 */
bool step_let_through(struct vcpu *vcpu, ucontext_t *context, uint64_t gfn);

/* The trap after an instruction. True where the monitor wants to hear of it. */
bool step_trapped(struct vcpu *vcpu, ucontext_t *context);

/* The last thing that a handler does: vcpu_leave_host, and without a step that was called off meanwhile. */
void step_leave_host(struct vcpu *vcpu, ucontext_t *context);

#endif
