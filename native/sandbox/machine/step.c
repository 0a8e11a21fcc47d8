/* SPDX-License-Identifier: Apache-2.0 */
#include "step.h"

#include "ram.h"
#include "regs.h"
#include "vcpu.h"

static void end(struct vcpu *vcpu) {
  ram_lower(vcpu);
  vcpu_end_alone(vcpu);
}

void step_resume(struct vcpu *vcpu, ucontext_t *context) {
  bool alone = vcpu->singlestep && vcpu->view == VIEW_UNRESTRICTED;
  if (alone && !vcpu->exclusive) {
    vcpu_begin_alone(vcpu);
  } else if (!alone && vcpu->exclusive) {
    end(vcpu);
  }
  regs_trap(context, vcpu->singlestep);
}

bool step_let_through(struct vcpu *vcpu, ucontext_t *context, uint64_t gfn) {
  if (!vcpu->exclusive) {
    vcpu_begin_alone(vcpu);
    vcpu->silent = true;
    regs_trap(context, true);
  }
  return ram_lift(vcpu, gfn);
}

bool step_trapped(struct vcpu *vcpu, ucontext_t *context) {
  if (vcpu->silent) {
    vcpu->silent = false;
    end(vcpu);
  }
  if (!vcpu->singlestep) {
    regs_trap(context, false);
  }
  return vcpu->singlestep;
}

/* CONTROL_UNRESTRICT takes steps from vCPUs while they are paused: here, where no pause can come between, they notice.
 */
void step_leave_host(struct vcpu *vcpu, ucontext_t *context) {
  vcpu_leave_host(vcpu);
  if (vcpu->exclusive && !vcpu->silent && !vcpu->singlestep) {
    end(vcpu);
    regs_trap(context, false);
  }
}
