/* SPDX-License-Identifier: Apache-2.0 */
/* vCPUs as threads: starting and ending them, and holding all but one of them still. */
#ifndef PTARMIGAN_SANDBOX_VCPU_H
#define PTARMIGAN_SANDBOX_VCPU_H

#include "machine.h"

/* Starts a thread per vCPU. machine.idle_fd becomes readable when all are off. Not for handlers. */
int vcpus_start(struct machine *machine);
/* After that. Not for handlers. */
void vcpus_join(struct machine *machine);

/* Runs the vCPU on the calling thread until it is off. Not for handlers. 0 or a negative errno. */
int vcpu_run(struct vcpu *vcpu);

/* The vCPU of the calling thread. */
struct vcpu *vcpu_self(void);

/* Keeps all vCPUs from running guest code, and lets them. Not for handlers; for one thread. */
void vcpus_pause(struct machine *machine);
void vcpus_unpause(struct machine *machine);

/*
 * First and last thing that a handler does: from and to guest code. Leaving waits while another vCPU is alone, or all
 * are paused.
 */
void vcpu_enter_host(struct vcpu *vcpu);
void vcpu_leave_host(struct vcpu *vcpu);

/* From begin to end no other vCPU is in guest code. Called in host mode; waits for its turn. */
void vcpu_begin_alone(struct vcpu *vcpu);
void vcpu_end_alone(struct vcpu *vcpu);

/* Makes the handler return to vcpu_run's caller instead of the guest. */
void vcpu_turn_off(struct vcpu *vcpu, ucontext_t *context);

#endif
