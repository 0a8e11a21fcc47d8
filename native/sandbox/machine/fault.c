/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>

#include "events.h"
#include "ram.h"
#include "regs.h"
#include "step.h"
#include "tlb.h"
#include "vcpu.h"
#include "walker.h"

/* Exception vectors: SDM vol. 3A table 6-1. */
enum { VECTOR_GP = 13, VECTOR_PF = 14 };

static void crash(struct vcpu *vcpu, ucontext_t *context, uint64_t address) {
  char line[160];
  int length = snprintf(line, sizeof(line), "sandbox: vCPU %u crashed at rip %#llx, vector %llu, address %#llx\n",
                        vcpu->id, (unsigned long long)context->uc_mcontext.gregs[REG_RIP],
                        (unsigned long long)context->uc_mcontext.gregs[REG_TRAPNO], (unsigned long long)address);
  ssize_t ignored = write(STDERR_FILENO, line, (size_t)length);
  (void)ignored;
  atomic_fetch_add(&vcpu->machine->crashes, 1);
  vcpu->machine->boot->stop = GUEST_GIVES_UP;
  if (vcpu->exclusive) {
    ram_lower(vcpu);
    vcpu_end_alone(vcpu);
  }
  vcpu_turn_off(vcpu, context);
}

static void request_for(const struct vcpu *vcpu, const ucontext_t *context, uint32_t reason, vm_event_request_t *out) {
  memset(out, 0, sizeof(*out));
  out->version = VM_EVENT_INTERFACE_VERSION;
  out->flags = VM_EVENT_FLAG_VCPU_PAUSED | VM_EVENT_FLAG_ALTERNATE_P2M;
  out->reason = reason;
  out->vcpu_id = vcpu->id;
  out->altp2m_idx = vcpu->view;
  regs_save(vcpu, context, &out->data.regs.x86);
}

/* Spoils the entry that a store has just written: the negative test of everything that looks for differences. */
static void spoil(struct vcpu *vcpu) {
  atomic_fetch_xor(ram_entry(vcpu->machine, vcpu->spoil_gpa), 1ull << 12);
  vcpu->spoil_gpa = 0;
}

/* From a request on the ring to the vCPU's going on. */
static void exchange(struct vcpu *vcpu, ucontext_t *context, const vm_event_request_t *request) {
  walker_nudge(vcpu, request, events_post(vcpu, request));
  events_wait(vcpu);
  /* A bare answer lets the store be tried again: it is not done yet. */
  bool stored = vcpu->set_registers || request->reason == VM_EVENT_REASON_SINGLESTEP;
  if (vcpu->set_registers) {
    vcpu->set_registers = false;
    regs_set(context, &vcpu->registers);
  }
  if (vcpu->spoil_gpa != 0 && stored) {
    spoil(vcpu);
  }
  step_resume(vcpu, context);
}

static void restricted_store(struct vcpu *vcpu, ucontext_t *context, uint64_t gla, uint64_t gpa) {
  struct machine *machine = vcpu->machine;
  uint64_t gfn = gpa / GUEST_PAGE;
  vm_event_request_t request;
  if (!ram_is_restricted(machine, gfn)) {
    return; /* released since: the store is tried again */
  }
  if (vcpu->view == VIEW_UNRESTRICTED) {
    if (!step_let_through(vcpu, context, gfn)) {
      crash(vcpu, context, gla);
    }
    return;
  }
  atomic_fetch_add_explicit(&vcpu->exits, 1, memory_order_relaxed);
  if (atomic_fetch_add(&machine->protected_stores, 1) + 1 == machine->options.break_at) {
    vcpu->spoil_gpa = gpa & ~7ull;
  }
  request_for(vcpu, context, VM_EVENT_REASON_MEM_ACCESS, &request);
  regs_save_xmm(vcpu, context);
  request.u.mem_access = (struct vm_event_mem_access){
      .gfn = gfn,
      .offset = gpa % GUEST_PAGE,
      .gla = gla,
      .flags = MEM_ACCESS_R | MEM_ACCESS_W | MEM_ACCESS_GLA_VALID | MEM_ACCESS_FAULT_WITH_GLA};
  exchange(vcpu, context, &request);
  if (vcpu->exclusive) {
    ram_lift(vcpu, gfn);
  }
}

static void user_access(struct vcpu *vcpu, ucontext_t *context, uint64_t va, bool write) {
  uint64_t gpa;
  uint64_t error;
  switch (tlb_access(vcpu, va, write, &gpa, &error)) {
    case TLB_FILLED:
      break;
    case TLB_RESTRICTED:
      restricted_store(vcpu, context, va, gpa);
      break;
    case TLB_PAGE_FAULT:
      context->uc_mcontext.gregs[REG_RDX] = (greg_t)error;
      context->uc_mcontext.gregs[REG_RIP] = (greg_t)vcpu->machine->header->page_fault;
      break;
  }
}

static void page_fault(struct vcpu *vcpu, ucontext_t *context, uint64_t va) {
  bool write = (context->uc_mcontext.gregs[REG_ERR] & (greg_t)FAULT_WRITE) != 0;
  uint64_t gpa;
  if (tlb_covers(vcpu->machine, va)) {
    user_access(vcpu, context, va, write);
  } else if (write && ram_kernel_address(vcpu->machine, va, &gpa) && gpa >= vcpu->machine->ram.text_bytes) {
    restricted_store(vcpu, context, va, gpa);
  } else {
    crash(vcpu, context, va);
  }
}

/*
 * The privileged instructions that this guest has: invlpg (%rdi), mov %rdi,%cr3, cli and hlt. As on a processor, hlt
 * with interrupts off is the vCPU's end; otherwise it lets others run for a while.
 */
static void privileged(struct vcpu *vcpu, ucontext_t *context) {
  static const uint8_t invlpg[] = {0x0f, 0x01, 0x3f};
  static const uint8_t load_cr3[] = {0x0f, 0x22, 0xdf};
  enum { CLI = 0xfa, HLT = 0xf4 };
  greg_t *regs = context->uc_mcontext.gregs;
  uint64_t offset = (uint64_t)regs[REG_RIP] - GUEST_IMAGE_VA;
  if (offset + sizeof(invlpg) > vcpu->machine->ram.text_bytes) {
    crash(vcpu, context, 0);
    return;
  }
  const uint8_t *code = vcpu->machine->ram.bytes + offset;
  if (memcmp(code, invlpg, sizeof(invlpg)) == 0) {
    tlb_invalidate(vcpu, (uint64_t)regs[REG_RDI]);
    regs[REG_RIP] += sizeof(invlpg);
  } else if (memcmp(code, load_cr3, sizeof(load_cr3)) == 0) {
    atomic_store(&vcpu->cr3, (uint64_t)regs[REG_RDI]);
    tlb_flush(vcpu);
    regs[REG_RIP] += sizeof(load_cr3);
  } else if (*code == CLI) {
    vcpu->interrupts_off = true;
    regs[REG_RIP]++;
  } else if (*code == HLT && vcpu->interrupts_off) {
    vcpu_turn_off(vcpu, context);
  } else if (*code == HLT) {
    sched_yield();
    regs[REG_RIP]++;
  } else {
    crash(vcpu, context, 0);
  }
}

static void on_fault(int number, siginfo_t *info, void *opaque) {
  ucontext_t *context = opaque;
  struct vcpu *vcpu = vcpu_self();
  if (vcpu == NULL) {
    signal(number, SIG_DFL); /* not guest code: the fault is the machine's own and comes again */
    return;
  }
  vcpu_enter_host(vcpu);
  greg_t vector = context->uc_mcontext.gregs[REG_TRAPNO];
  if (number == SIGSEGV && vector == VECTOR_PF) {
    page_fault(vcpu, context, (uint64_t)info->si_addr);
  } else if (number == SIGSEGV && vector == VECTOR_GP) {
    privileged(vcpu, context);
  } else {
    crash(vcpu, context, (uint64_t)info->si_addr);
  }
  step_leave_host(vcpu, context);
}

static void on_trap(int number, siginfo_t *info, void *opaque) {
  (void)number;
  (void)info;
  ucontext_t *context = opaque;
  struct vcpu *vcpu = vcpu_self();
  vm_event_request_t request;
  vcpu_enter_host(vcpu);
  if (step_trapped(vcpu, context)) {
    atomic_fetch_add_explicit(&vcpu->steps, 1, memory_order_relaxed);
    request_for(vcpu, context, VM_EVENT_REASON_SINGLESTEP, &request);
    request.u.singlestep.gfn = ((uint64_t)context->uc_mcontext.gregs[REG_RIP] - GUEST_IMAGE_VA) / GUEST_PAGE;
    exchange(vcpu, context, &request);
  }
  step_leave_host(vcpu, context);
}

static void on_park(int number, siginfo_t *info, void *opaque) {
  (void)number;
  (void)info;
  struct vcpu *vcpu = vcpu_self();
  if (vcpu != NULL) {
    vcpu_enter_host(vcpu);
    step_leave_host(vcpu, opaque);
  }
}

static int install(int number, void (*handler)(int, siginfo_t *, void *)) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGUSR1); /* nobody is called away from host mode, where it may hold a lock */
  sigaddset(&action.sa_mask, SIGTRAP);
  return sigaction(number, &action, NULL) < 0 ? -errno : 0;
}

int fault_install(void) {
  static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
  for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
    int status = install(faults[i], on_fault);
    if (status < 0) {
      return status;
    }
  }
  int status = install(SIGTRAP, on_trap);
  return status < 0 ? status : install(SIGUSR1, on_park);
}
