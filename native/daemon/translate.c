/* SPDX-License-Identifier: Apache-2.0 */
#include "translate.h"

/* Access-rights bits as vm_event packs them: type in 3:0, S 4, DPL 6:5, P 7, AVL 8, L 9, D/B 10, G 11. */
#define SEGMENT_LONG (1u << 9)
#define SEGMENT_BIG (1u << 10)
#define CR0_PE 1u
#define EFER_LMA (1u << 10)
#define RFLAGS_VM (1u << 17)
#define UNRESTRICTED_VIEW 0

static uint32_t code_bits(const struct vm_event_regs_x86 *regs) {
  if (regs->msr_efer & EFER_LMA && regs->cs.ar & SEGMENT_LONG)
    return 64;
  return regs->cr0 & CR0_PE && !(regs->rflags & RFLAGS_VM) && regs->cs.ar & SEGMENT_BIG ? 32 : 16;
}

static uint32_t privilege(const struct vm_event_regs_x86 *regs) {
  if (!(regs->cr0 & CR0_PE))
    return 0;
  return regs->rflags & RFLAGS_VM ? 3 : regs->ss.ar >> 5 & 3;
}

/* vm_event lists the general registers in encoding order but for rsp..rdi, which it lists so too: one run of 16. */
_Static_assert(offsetof(struct vm_event_regs_x86, r15) == 15 * sizeof(uint64_t), "16 general registers lie in a row");
_Static_assert(offsetof(struct vm_event_regs_x86, rsp) == 4 * sizeof(uint64_t), "rsp is register 4");

static void translate_registers(const struct vm_event_regs_x86 *regs, struct pt_cpu *cpu) {
  memcpy(cpu->gpr, regs, sizeof cpu->gpr);
  cpu->rip = regs->rip;
  cpu->rflags = regs->rflags;
  cpu->cr0 = regs->cr0;
  cpu->cr3 = regs->cr3;
  cpu->cr4 = regs->cr4;
  cpu->efer = regs->msr_efer;
  cpu->dr7 = regs->dr7;
  cpu->segment_base[0] = regs->es_base;
  cpu->segment_base[1] = regs->cs_base;
  cpu->segment_base[2] = regs->ss_base;
  cpu->segment_base[3] = regs->ds_base;
  cpu->segment_base[4] = regs->fs_base;
  cpu->segment_base[5] = regs->gs_base;
  cpu->segment_selector[0] = regs->es_sel;
  cpu->segment_selector[1] = regs->cs_sel;
  cpu->segment_selector[2] = regs->ss_sel;
  cpu->segment_selector[3] = regs->ds_sel;
  cpu->segment_selector[4] = regs->fs_sel;
  cpu->segment_selector[5] = regs->gs_sel;
  cpu->code_bits = code_bits(regs);
  cpu->cpl = privilege(regs);
}

static uint32_t translate_access(uint32_t flags) {
  uint32_t access = flags & MEM_ACCESS_RWX;
  if (flags & MEM_ACCESS_GLA_VALID && flags & MEM_ACCESS_FAULT_WITH_GLA && !(flags & MEM_ACCESS_FAULT_IN_GPT))
    access |= PT_ACCESS_GLA_VALID;
  return access;
}

void translate_request(const vm_event_request_t *request, uint64_t taken_ns, struct pt_exit *exit) {
  const struct vm_event_mem_access *access = &request->u.mem_access;
  exit->vcpu = request->vcpu_id;
  exit->view = request->flags & VM_EVENT_FLAG_ALTERNATE_P2M ? request->altp2m_idx : UNRESTRICTED_VIEW;
  exit->access = translate_access(access->flags);
  exit->gpa = access->gfn << 12 | (access->offset & 0xFFF);
  exit->gla = access->gla;
  exit->taken_ns = taken_ns;
  translate_registers(&request->data.regs.x86, &exit->cpu);
}

void translate_bare(const vm_event_request_t *request, vm_event_response_t *response) {
  memset(response, 0, sizeof *response);
  response->version = VM_EVENT_INTERFACE_VERSION;
  response->vcpu_id = request->vcpu_id;
  response->reason = request->reason;
  response->flags = request->flags & VM_EVENT_FLAG_VCPU_PAUSED;
  response->u = request->u;
}

static void set_registers(const vm_event_request_t *request, const struct pt_cpu *cpu, vm_event_response_t *response) {
  struct vm_event_regs_x86 *regs = &response->data.regs.x86;
  *regs = request->data.regs.x86;
  memcpy(regs, cpu->gpr, sizeof cpu->gpr);
  regs->rip = cpu->rip;
  regs->rflags = cpu->rflags;
}

void translate_reply(const vm_event_request_t *request, const struct pt_reply *reply, vm_event_response_t *response) {
  translate_bare(request, response);
  switch (reply->kind) {
    case PT_REPLY_REGISTERS:
      response->flags |= VM_EVENT_FLAG_SET_REGISTERS;
      set_registers(request, &reply->cpu, response);
      break;
    case PT_REPLY_STEP:
      response->flags |= VM_EVENT_FLAG_ALTERNATE_P2M | VM_EVENT_FLAG_TOGGLE_SINGLESTEP;
      response->altp2m_idx = UNRESTRICTED_VIEW;
      break;
    case PT_REPLY_HV_EMULATE:
      response->flags |= VM_EVENT_FLAG_EMULATE;
      break;
    default:
      break;
  }
}

void translate_step_end(const vm_event_request_t *request, unsigned restricted_view, vm_event_response_t *response) {
  translate_bare(request, response);
  response->flags |= VM_EVENT_FLAG_ALTERNATE_P2M | VM_EVENT_FLAG_TOGGLE_SINGLESTEP;
  response->altp2m_idx = (uint16_t)restricted_view;
}
