/* SPDX-License-Identifier: Apache-2.0 */
#include "vcpu.h"

#include <asm/prctl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "tlb.h"

enum { HANDLER_STACK_BYTES = 128 * 1024 };

static _Thread_local struct vcpu *self;

/* vcpu_enter(entry, number, stack, &host_rsp): leaves the host's stack and registers where vcpu_left finds them. */
void vcpu_enter(uint64_t entry, uint64_t number, uint64_t stack, uint64_t *host_rsp);
extern const char vcpu_left[];

__asm__(
    ".text\n"
    ".globl vcpu_enter\n"
    ".type vcpu_enter, @function\n"
    "vcpu_enter:\n"
    "  push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "  mov %rsp, (%rcx)\n"
    "  mov %rdx, %rsp\n"
    "  mov %rdi, %rax\n"
    "  mov %rsi, %rdi\n"
    "  xor %ebp, %ebp\n"
    "  jmp *%rax\n"
    ".globl vcpu_left\n"
    "vcpu_left:\n"
    "  cld\n"
    "  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
    "  ret\n"
    ".size vcpu_enter, . - vcpu_enter\n");

struct vcpu *vcpu_self(void) {
  return self;
}

void vcpu_turn_off(struct vcpu *vcpu, ucontext_t *context) {
  vcpu->off = true;
  context->uc_mcontext.gregs[REG_RIP] = (greg_t)vcpu_left;
  context->uc_mcontext.gregs[REG_RSP] = (greg_t)vcpu->host_rsp;
}

/* What keeps the vCPU from running guest code; NULL: nothing does. */
static _Atomic uint32_t *shut_gate(struct vcpu *vcpu) {
  struct machine *machine = vcpu->machine;
  if (atomic_load(&machine->paused) != 0) {
    return &machine->paused;
  }
  return !vcpu->exclusive && atomic_load(&machine->parked) != 0 ? &machine->parked : NULL;
}

void vcpu_enter_host(struct vcpu *vcpu) {
  atomic_store(&vcpu->mode, VCPU_HOST);
  if (shut_gate(vcpu) != NULL) {
    futex_wake(&vcpu->mode);
  }
}

void vcpu_leave_host(struct vcpu *vcpu) {
  while (!vcpu->off) { /* from off it goes on in host code */
    atomic_store(&vcpu->mode, VCPU_GUEST);
    _Atomic uint32_t *gate = shut_gate(vcpu);
    if (gate == NULL) {
      return;
    }
    atomic_store(&vcpu->mode, VCPU_HOST);
    futex_wake(&vcpu->mode);
    while (atomic_load(gate) != 0) {
      futex_wait(gate, 1);
    }
  }
}

/* A vCPU that is in guest code takes the signal at once; one on its way there takes it with its first instruction. */
static void call_to_host(struct machine *machine, const struct vcpu *but) {
  for (unsigned i = 0; i < machine->options.vcpus; i++) {
    struct vcpu *other = &machine->vcpus[i];
    if (other != but && atomic_load(&other->mode) == VCPU_GUEST) {
      syscall(SYS_tgkill, getpid(), other->tid, SIGUSR1);
    }
  }
  for (unsigned i = 0; i < machine->options.vcpus; i++) {
    struct vcpu *other = &machine->vcpus[i];
    while (other != but && atomic_load(&other->mode) == VCPU_GUEST) {
      futex_wait(&other->mode, VCPU_GUEST);
    }
  }
}

void vcpu_begin_alone(struct vcpu *vcpu) {
  struct machine *machine = vcpu->machine;
  futex_lock(&machine->step_lock);
  atomic_store(&machine->parked, 1);
  vcpu->exclusive = true;
  call_to_host(machine, vcpu);
}

void vcpu_end_alone(struct vcpu *vcpu) {
  struct machine *machine = vcpu->machine;
  vcpu->exclusive = false;
  atomic_store(&machine->parked, 0);
  futex_wake(&machine->parked);
  futex_unlock(&machine->step_lock);
}

void vcpus_pause(struct machine *machine) {
  atomic_store(&machine->paused, 1);
  call_to_host(machine, NULL);
}

void vcpus_unpause(struct machine *machine) {
  atomic_store(&machine->paused, 0);
  futex_wake(&machine->paused);
}

static int use_handler_stack(void) {
  void *memory = mmap(NULL, HANDLER_STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return -errno;
  }
  stack_t stack = {.ss_sp = memory, .ss_size = HANDLER_STACK_BYTES};
  return sigaltstack(&stack, NULL) < 0 ? -errno : 0;
}

static void drop_handler_stack(void) {
  stack_t old;
  stack_t none = {.ss_flags = SS_DISABLE};
  if (sigaltstack(&none, &old) == 0 && (old.ss_flags & SS_DISABLE) == 0) {
    munmap(old.ss_sp, old.ss_size);
  }
}

int vcpu_run(struct vcpu *vcpu) {
  struct machine *machine = vcpu->machine;
  const struct guest_header *header = machine->header;
  uint64_t stack = GUEST_DIRECT_VA + guest_stacks_gpa(machine->options.vcpus) + (vcpu->id + 1) * GUEST_STACK_BYTES;
  int status = use_handler_stack();
  if (status < 0) {
    return status;
  }
  self = vcpu;
  vcpu->tid = (pid_t)syscall(SYS_gettid);
  vcpu->gs_base = header->cpus + vcpu->id * header->cpu_bytes;
  vcpu->random = (uint32_t)machine->options.seed * 2654435761u + vcpu->id + 1;
  syscall(SYS_arch_prctl, ARCH_SET_GS, vcpu->gs_base);
  vcpu_leave_host(vcpu);
  vcpu_enter(header->entry, vcpu->id, stack - 8, &vcpu->host_rsp); /* as if called: SysV ABI stack alignment */
  tlb_flush(vcpu);
  drop_handler_stack();
  return 0;
}

static void *run_thread(void *argument) {
  struct vcpu *vcpu = argument;
  struct machine *machine = vcpu->machine;
  if (vcpu_run(vcpu) < 0) {
    atomic_fetch_add(&machine->crashes, 1);
  }
  if (atomic_fetch_sub(&machine->running, 1) == 1) {
    uint64_t one = 1;
    if (write(machine->idle_fd, &one, sizeof(one)) < 0) {
      abort();
    }
  }
  return NULL;
}

int vcpus_start(struct machine *machine) {
  atomic_store(&machine->running, machine->options.vcpus);
  for (unsigned i = 0; i < machine->options.vcpus; i++) {
    struct vcpu *vcpu = &machine->vcpus[i];
    int status = pthread_create(&vcpu->thread, NULL, run_thread, vcpu);
    if (status != 0) {
      return -status;
    }
  }
  return 0;
}

void vcpus_join(struct machine *machine) {
  for (unsigned i = 0; i < machine->options.vcpus; i++) {
    pthread_join(machine->vcpus[i].thread, NULL);
  }
}
