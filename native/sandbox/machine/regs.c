/* SPDX-License-Identifier: Apache-2.0 */
#include "regs.h"

/* SDM vol. 3A sections 2.5 and 2.2.1. */
enum {
  CR0_PE = 1 << 0,
  CR0_WP = 1 << 16,
  CR4_PAE = 1 << 5,
  CR4_OSFXSR = 1 << 9,
  EFER_LME = 1 << 8,
  EFER_LMA = 1 << 10,
  EFER_NXE = 1 << 11,
  RFLAGS_TF = 1 << 8
};
static const uint64_t cr0_pg = 1ull << 31;

/* CF PF AF ZF SF DF OF RF AC ID. */
static const uint64_t settable_flags = 0x250cd5;

/* Attributes as vm_event packs them: type, S, DPL, P, AVL, L, D/B, G from bit 0 up. */
enum { CODE64_ATTRIBUTES = 0xa9b, DATA_ATTRIBUTES = 0xc93 };

/* The kernel leaves DS and ES of 64-bit code alone when it calls a handler; the others it saves in one word. */
static void save_selectors(const greg_t *from, struct vm_event_regs_x86 *out) {
  uint64_t saved = (uint64_t)from[REG_CSGSFS];
  __asm__ volatile("mov %%ds, %0" : "=rm"(out->ds_sel));
  __asm__ volatile("mov %%es, %0" : "=rm"(out->es_sel));
  out->cs_sel = (uint16_t)saved;
  out->gs_sel = (uint16_t)(saved >> 16);
  out->fs_sel = (uint16_t)(saved >> 32);
  out->ss_sel = (uint16_t)(saved >> 48);
}

void regs_save(const struct vcpu *vcpu, const ucontext_t *context, struct vm_event_regs_x86 *out) {
  const greg_t *from = context->uc_mcontext.gregs;
  const struct vm_event_x86_selector_reg data = {.limit = 0xfffff, .ar = DATA_ATTRIBUTES};
  *out = (struct vm_event_regs_x86){
      .rax = (uint64_t)from[REG_RAX],
      .rcx = (uint64_t)from[REG_RCX],
      .rdx = (uint64_t)from[REG_RDX],
      .rbx = (uint64_t)from[REG_RBX],
      .rsp = (uint64_t)from[REG_RSP],
      .rbp = (uint64_t)from[REG_RBP],
      .rsi = (uint64_t)from[REG_RSI],
      .rdi = (uint64_t)from[REG_RDI],
      .r8 = (uint64_t)from[REG_R8],
      .r9 = (uint64_t)from[REG_R9],
      .r10 = (uint64_t)from[REG_R10],
      .r11 = (uint64_t)from[REG_R11],
      .r12 = (uint64_t)from[REG_R12],
      .r13 = (uint64_t)from[REG_R13],
      .r14 = (uint64_t)from[REG_R14],
      .r15 = (uint64_t)from[REG_R15],
      .rip = (uint64_t)from[REG_RIP],
      .rflags = (uint64_t)from[REG_EFL] & ~(uint64_t)RFLAGS_TF,
      .cr0 = CR0_PE | CR0_WP | cr0_pg,
      .cr3 = atomic_load_explicit(&vcpu->cr3, memory_order_relaxed),
      .cr4 = CR4_PAE | CR4_OSFXSR,
      .msr_efer = EFER_LME | EFER_LMA | EFER_NXE,
      .vmtrace_pos = ~0ull,
      .gs_base = vcpu->gs_base,
      .cs = {.limit = 0xfffff, .ar = CODE64_ATTRIBUTES},
      .ss = data,
      .ds = data,
      .es = data,
      .fs = data,
      .gs = data,
  };
  save_selectors(from, out);
}

void regs_save_xmm(const struct vcpu *vcpu, const ucontext_t *context) {
  const struct _libc_xmmreg *from = context->uc_mcontext.fpregs->_xmm;
  _Static_assert(sizeof(from[0]) == CHANNEL_XMM_BYTES, "an XMM register as a signal frame holds it");
  memcpy(vcpu->machine->channel->xmm[vcpu->id], from, sizeof(vcpu->machine->channel->xmm[0]));
}

void regs_set(ucontext_t *context, const struct vm_event_regs_x86 *in) {
  greg_t *to = context->uc_mcontext.gregs;
  to[REG_RAX] = (greg_t)in->rax;
  to[REG_RCX] = (greg_t)in->rcx;
  to[REG_RDX] = (greg_t)in->rdx;
  to[REG_RBX] = (greg_t)in->rbx;
  to[REG_RSP] = (greg_t)in->rsp;
  to[REG_RBP] = (greg_t)in->rbp;
  to[REG_RSI] = (greg_t)in->rsi;
  to[REG_RDI] = (greg_t)in->rdi;
  to[REG_R8] = (greg_t)in->r8;
  to[REG_R9] = (greg_t)in->r9;
  to[REG_R10] = (greg_t)in->r10;
  to[REG_R11] = (greg_t)in->r11;
  to[REG_R12] = (greg_t)in->r12;
  to[REG_R13] = (greg_t)in->r13;
  to[REG_R14] = (greg_t)in->r14;
  to[REG_R15] = (greg_t)in->r15;
  to[REG_RIP] = (greg_t)in->rip;
  to[REG_EFL] = (greg_t)(((uint64_t)to[REG_EFL] & ~settable_flags) | (in->rflags & settable_flags));
}
