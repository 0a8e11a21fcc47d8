/* SPDX-License-Identifier: Apache-2.0 */
/* The registers that the sandbox shows of a paused vCPU: those that its instruction is about to store. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "guest/boot.h"
#include "sandbox_monitor.h"

enum { MOST_EXITS = 20000 };

/* Steps the domain's vCPU up to an exit whose instruction is these bytes. */
static vm_event_request_t run_to(struct monitor *monitor, const uint8_t *code, size_t bytes) {
  for (unsigned i = 0; i < MOST_EXITS; i++) {
    vm_event_request_t request;
    uint64_t gpa;
    monitor_take(monitor, &request);
    assert_int_equal(request.reason, VM_EVENT_REASON_MEM_ACCESS);
    assert_true(monitor_walk(monitor, request.data.regs.x86.cr3, request.data.regs.x86.rip, &gpa));
    const uint8_t *at = (const uint8_t *)(uintptr_t)monitor_entry(monitor, gpa & ~7ull) + (gpa & 7);
    if (gpa % GUEST_PAGE + bytes <= GUEST_PAGE && memcmp(at, code, bytes) == 0) {
      return request;
    }
    monitor_step(monitor, &request, VIEW_UNRESTRICTED);
    monitor_take(monitor, &request);
    monitor_step(monitor, &request, VIEW_RESTRICTED);
  }
  fail_msg("no such instruction came");
  abort();
}

static void start(struct monitor *monitor) {
  monitor_attach(monitor, "vcpus=1,rounds=100000,walker=0,seed=11", MONITOR_STEPS);
  assert_int_equal(hv_sandbox.resume(monitor->domain), 0);
}

static void an_xmm_register_is_what_the_instruction_stores(void **state) {
  (void)state;
  static const uint8_t movups[] = {0x0f, 0x11, 0x2f};          /* movups %xmm5,(%rdi), after rdx:rax was put there */
  static const uint8_t movq_xmm3[] = {0x66, 0x0f, 0xd6, 0x1f}; /* movq %xmm3,(%rdi), after rax was */
  struct monitor monitor;
  uint64_t value[2];
  start(&monitor);
  vm_event_request_t request = run_to(&monitor, movups, sizeof(movups));
  assert_int_equal(hv_sandbox.read_xmm(monitor.domain, 0, 5, (uint8_t *)value), 0);
  assert_int_equal(value[0], request.data.regs.x86.rax);
  assert_int_equal(value[1], request.data.regs.x86.rdx);
  monitor_step(&monitor, &request, VIEW_UNRESTRICTED);
  monitor_take(&monitor, &request);
  monitor_step(&monitor, &request, VIEW_RESTRICTED);
  request = run_to(&monitor, movq_xmm3, sizeof(movq_xmm3));
  assert_int_equal(hv_sandbox.read_xmm(monitor.domain, 0, 3, (uint8_t *)value), 0);
  assert_int_equal(value[0], request.data.regs.x86.rax);
  assert_int_equal(value[1], 0);
  hv_sandbox.detach(monitor.domain);
}

static void registers_that_do_not_exist_are_refused(void **state) {
  (void)state;
  struct monitor monitor;
  uint8_t value[16];
  monitor_attach(&monitor, "vcpus=2,rounds=1", MONITOR_STEPS);
  assert_int_equal(hv_sandbox.read_xmm(monitor.domain, 1, 15, value), 0);
  assert_int_equal(hv_sandbox.read_xmm(monitor.domain, 1, 16, value), -EINVAL);
  assert_int_equal(hv_sandbox.read_xmm(monitor.domain, 2, 0, value), -EINVAL);
  hv_sandbox.detach(monitor.domain);
}

static uint16_t selector(const vm_event_request_t *request, unsigned number) {
  const struct vm_event_regs_x86 *regs = &request->data.regs.x86;
  const uint16_t selectors[] = {regs->es_sel, regs->cs_sel, regs->ss_sel, regs->ds_sel, regs->fs_sel, regs->gs_sel};
  return selectors[number];
}

static void a_selector_is_what_the_instruction_stores(void **state) {
  (void)state;
  static const uint8_t modrm[] = {0x07, 0x0f, 0x17, 0x1f, 0x27, 0x2f}; /* mov %es,(%rdi) to mov %gs,(%rdi) */
  struct monitor monitor;
  start(&monitor);
  for (unsigned i = 0; i < sizeof(modrm); i++) {
    const uint8_t code[] = {0x8c, modrm[i]};
    vm_event_request_t request = run_to(&monitor, code, sizeof(code));
    uint64_t gpa = request.u.mem_access.gfn * GUEST_PAGE + request.u.mem_access.offset;
    uint16_t expected = selector(&request, i);
    monitor_step(&monitor, &request, VIEW_UNRESTRICTED);
    monitor_take(&monitor, &request);
    uint64_t entry = *monitor_entry(&monitor, gpa & ~7ull);
    assert_int_equal(entry >> (gpa & 7) * 8 & 0xffff, expected);
    monitor_step(&monitor, &request, VIEW_RESTRICTED);
  }
  hv_sandbox.detach(monitor.domain);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_xmm_register_is_what_the_instruction_stores),
      cmocka_unit_test(registers_that_do_not_exist_are_refused),
      cmocka_unit_test(a_selector_is_what_the_instruction_stores),
  };
  return cmocka_run_group_tests_name("sandbox_registers", tests, NULL, NULL);
}
