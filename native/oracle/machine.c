/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"

#include <asm/prctl.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define GPR_COUNT 16
#define HWCAP2_FSGSBASE_BIT 2 /* AT_HWCAP2 bit 1, Documentation/arch/x86/x86_64/fsgs.rst */
#define TRAP_FLAG 0x100
#define FLAGS_AT_REST 0x202
#define CANARY 0xa5
#define MARGIN 64 /* bytes on either side of the window that must stay as they were */
#define LONGEST_INSN 15

/* enter.S knows this layout. */
struct machine_registers {
  uint64_t gpr[GPR_COUNT];
  uint64_t rip;
  uint64_t rflags;
};

extern struct machine_registers machine_in, machine_out;
extern uint64_t machine_host_rsp, machine_host_fs_base, machine_fs_base, machine_gs_base;
extern uint32_t machine_step;
struct machine_registers machine_in, machine_out;
uint64_t machine_host_rsp, machine_host_fs_base, machine_fs_base, machine_gs_base;
uint32_t machine_step;

void machine_enter(const uint8_t *xmm);
void machine_leave(void);
void machine_resume(void);

/* What the handler found; 0 no signal. */
static volatile int caught_signal;
static volatile uint64_t caught_address;
static volatile int stepping; /* the int3 of machine_enter is behind us */

static const int context_register[GPR_COUNT] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                                REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static const uint64_t data_pages[] = {ORACLE_DATA_LOW, ORACLE_DATA_HIGH};
static const uint64_t source_pages[] = {ORACLE_SOURCE_LOW, ORACLE_SOURCE_HIGH};
static const uint64_t code_pages[] = {ORACLE_CODE_LOW, ORACLE_CODE_HIGH};

/* Runs with the case's segment bases: nothing in here may use thread-local storage. */
static void on_signal(int number, siginfo_t *info, void *argument) {
  ucontext_t *context = argument;
  greg_t *registers = context->uc_mcontext.gregs;

  if (machine_step && !stepping) {
    stepping = 1;
    for (int i = 0; i < GPR_COUNT; i++)
      registers[context_register[i]] = (greg_t)machine_in.gpr[i];
    registers[REG_RIP] = (greg_t)machine_in.rip;
    registers[REG_EFL] = (greg_t)(machine_in.rflags | TRAP_FLAG);
    return;
  }
  for (int i = 0; i < GPR_COUNT; i++)
    machine_out.gpr[i] = (uint64_t)registers[context_register[i]];
  machine_out.rip = (uint64_t)registers[REG_RIP];
  machine_out.rflags = (uint64_t)registers[REG_EFL] & ~(uint64_t)TRAP_FLAG;
  if (!(machine_step && number == SIGTRAP)) {
    caught_signal = number;
    caught_address = (uint64_t)info->si_addr;
  }
  registers[REG_RIP] = (greg_t)machine_resume;
  registers[REG_RSP] = (greg_t)machine_host_rsp;
  registers[REG_EFL] = FLAGS_AT_REST;
}

static int map_page(uint64_t address, int protection) {
  void *page =
      mmap((void *)address, ORACLE_PAGE_BYTES, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (page == MAP_FAILED)
    return -errno;
  if (page != (void *)address)
    return -EEXIST;
  return 0;
}

static int map_pages(void) {
  int error = 0;
  for (int i = 0; i < 2 && !error; i++) {
    error = map_page(data_pages[i], PROT_READ | PROT_WRITE);
    if (!error)
      error = map_page(source_pages[i], PROT_READ | PROT_WRITE);
    if (!error)
      error = map_page(code_pages[i], PROT_READ | PROT_WRITE | PROT_EXEC);
    if (!error)
      memset((void *)data_pages[i], CANARY, ORACLE_PAGE_BYTES);
  }
  return error;
}

int machine_open(void) {
  static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE};
  if (!(getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE_BIT))
    return -ENOTSUP;
  if (syscall(SYS_arch_prctl, ARCH_GET_FS, &machine_host_fs_base))
    return -errno;
  size_t stack_bytes = 4 * (size_t)sysconf(_SC_SIGSTKSZ);
  stack_t stack = {.ss_sp = malloc(stack_bytes), .ss_size = stack_bytes};
  if (!stack.ss_sp)
    return -ENOMEM;
  if (sigaltstack(&stack, NULL))
    return -errno;
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
    if (sigaction(signals[i], &action, NULL))
      return -errno;
  }
  return map_pages();
}

void machine_selectors(uint16_t selectors[6]) {
  __asm__("mov %%es, %0" : "=r"(selectors[0]));
  __asm__("mov %%cs, %0" : "=r"(selectors[1]));
  __asm__("mov %%ss, %0" : "=r"(selectors[2]));
  __asm__("mov %%ds, %0" : "=r"(selectors[3]));
  __asm__("mov %%fs, %0" : "=r"(selectors[4]));
  __asm__("mov %%gs, %0" : "=r"(selectors[5]));
}

static int inside(const uint64_t *pages, uint64_t address, uint64_t length) {
  for (int i = 0; i < 2; i++) {
    if (address >= pages[i] && address - pages[i] <= ORACLE_PAGE_BYTES - length)
      return 1;
  }
  return 0;
}

static int is_runnable(const struct oracle_record *record) {
  return record->insn_count >= 1 && record->insn_count <= LONGEST_INSN &&
         inside(code_pages, record->rip, LONGEST_INSN) && inside(code_pages, record->landing, 16) &&
         record->window_count <= ORACLE_WINDOW_BYTES && inside(data_pages, record->window_at, record->window_count) &&
         record->source_count <= ORACLE_SOURCE_BYTES &&
         (record->source_count == 0 || inside(source_pages, record->source_at, record->source_count) ||
          inside(data_pages, record->source_at, record->source_count));
}

/* A jump to machine_leave that needs no register: jmp *0(%rip), then the address. */
static void place_jump(uint64_t at) {
  uint64_t target = (uint64_t)machine_leave;
  uint8_t jump[14] = {0xff, 0x25, 0, 0, 0, 0};
  memcpy(jump + 6, &target, sizeof target);
  memcpy((void *)at, jump, sizeof jump);
}

/* Bytes around the window that the page has. */
static void margins(const struct oracle_record *record, uint64_t *from, uint64_t *to) {
  uint64_t page = record->window_at & ~(uint64_t)(ORACLE_PAGE_BYTES - 1);
  *from = record->window_at - page < MARGIN ? page : record->window_at - MARGIN;
  *to = record->window_at + record->window_count + MARGIN;
  if (*to > page + ORACLE_PAGE_BYTES)
    *to = page + ORACLE_PAGE_BYTES;
}

static int is_canary(uint64_t from, uint64_t to) {
  for (; from < to; from++) {
    if (*(const uint8_t *)from != CANARY)
      return 0;
  }
  return 1;
}

static void collect(struct oracle_record *record, uint64_t from, uint64_t to) {
  uint64_t end = record->window_at + record->window_count;
  memcpy(record->out_gpr, machine_out.gpr, sizeof record->out_gpr);
  record->out_rip = caught_signal || machine_step ? machine_out.rip : record->landing;
  record->out_rflags = machine_out.rflags;
  record->out_signal = (uint32_t)caught_signal;
  record->out_fault_address = caught_address;
  memcpy(record->out_window, record->window, sizeof record->out_window);
  memcpy(record->out_window, (const void *)record->window_at, record->window_count);
  memset((void *)record->window_at, CANARY, record->window_count);
  if (inside(data_pages, record->source_at, record->source_count))
    memset((void *)record->source_at, CANARY, record->source_count);
  record->out_status = caught_signal ? ORACLE_FAULT : ORACLE_DONE;
  if (!is_canary(from, record->window_at) || !is_canary(end, to)) {
    memset((void *)from, CANARY, to - from);
    record->out_status = ORACLE_STRAY;
  }
}

void machine_run(struct oracle_record *record) {
  uint64_t from, to;
  if (!is_runnable(record)) {
    record->out_status = ORACLE_BAD;
    return;
  }
  margins(record, &from, &to);
  memcpy((void *)record->window_at, record->window, record->window_count);
  if (record->source_count)
    memcpy((void *)record->source_at, record->source, record->source_count);
  place_jump(record->landing);
  memcpy((void *)record->rip, record->insn, record->insn_count);
  memcpy(machine_in.gpr, record->gpr, sizeof machine_in.gpr);
  machine_in.rip = record->rip;
  machine_in.rflags = record->rflags;
  machine_fs_base = record->fs_base;
  machine_gs_base = record->gs_base;
  machine_step = record->mode & ORACLE_STEP;
  stepping = 0;
  caught_signal = 0;
  caught_address = 0;
  machine_enter(record->xmm);
  collect(record, from, to);
}
