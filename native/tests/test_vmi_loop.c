/* SPDX-License-Identifier: Apache-2.0 */
/* The loop against a hypervisor of a few lines: whatever comes, each paused vCPU gets one answer. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "monitor.h"
#include "rig.h"
#include "translate.h"
#include "vmi_loop.h"

#define PAUSED VM_EVENT_FLAG_VCPU_PAUSED
#define ANSWER_NS 2000000000u

struct hv_domain {
  struct fake_guest guest;
  struct pt_options host; /* the fake guest's calls */
  _Alignas(4096) uint8_t ring_page[4096];
  vm_event_front_ring_t front;
  int event_fd;
  atomic_bool ended;
  atomic_bool resumed;
};

static struct hv_domain *mock;

static void info(const struct hv_domain *domain, struct hv_info *out) {
  (void)domain;
  *out = (struct hv_info){.vcpus = 2, .maxphyaddr = 40, .frames = FAKE_FRAMES, .restricted_view = 1};
}

static void *ring(struct hv_domain *domain) {
  return domain->ring_page;
}

static int event_fd(const struct hv_domain *domain) {
  return domain->event_fd;
}

static void acknowledge(struct hv_domain *domain) {
  uint64_t count;
  while (read(domain->event_fd, &count, sizeof count) > 0)
    ;
}

static int notify(struct hv_domain *domain) {
  (void)domain;
  return 0;
}

static enum hv_domain_state state(struct hv_domain *domain) {
  return atomic_load(&domain->ended) ? HV_DOMAIN_ENDED : HV_DOMAIN_RUNNING;
}

static int resume(struct hv_domain *domain) {
  atomic_store(&domain->resumed, true);
  return 0;
}

static const struct hv_backend backend = {.name = "mock",
                                          .info = info,
                                          .ring = ring,
                                          .event_fd = event_fd,
                                          .acknowledge = acknowledge,
                                          .notify = notify,
                                          .state = state,
                                          .resume = resume};

static void put(const vm_event_request_t *request) {
  const uint64_t one = 1;
  *RING_GET_REQUEST(&mock->front, mock->front.req_prod_pvt) = *request;
  mock->front.req_prod_pvt++;
  RING_PUSH_REQUESTS(&mock->front);
  if (write(mock->event_fd, &one, sizeof one) < 0)
    abort();
}

static bool get(vm_event_response_t *response, uint64_t wait_ns) {
  uint64_t begin = pt_now_ns();
  while (__atomic_load_n(&mock->front.sring->rsp_prod, __ATOMIC_ACQUIRE) == mock->front.rsp_cons) {
    if (pt_now_ns() - begin > wait_ns)
      return false;
    usleep(50);
  }
  *response = *RING_GET_RESPONSE(&mock->front, mock->front.rsp_cons);
  mock->front.rsp_cons++;
  return true;
}

static vm_event_response_t answer_to(const vm_event_request_t *request) {
  vm_event_response_t response;
  put(request);
  assert_true(get(&response, ANSWER_NS));
  assert_int_equal(response.version, VM_EVENT_INTERFACE_VERSION);
  assert_int_equal(response.vcpu_id, request->vcpu_id);
  assert_int_equal(response.flags & PAUSED, request->flags & PAUSED);
  return response;
}

static vm_event_request_t access_request(uint32_t vcpu) {
  vm_event_request_t request = {.version = VM_EVENT_INTERFACE_VERSION,
                                .flags = PAUSED | VM_EVENT_FLAG_ALTERNATE_P2M,
                                .reason = VM_EVENT_REASON_MEM_ACCESS,
                                .vcpu_id = vcpu,
                                .altp2m_idx = 1};
  request.u.mem_access.gfn = FAKE_TABLE;
  request.u.mem_access.offset = 8;
  request.u.mem_access.gla = FAKE_TABLE_GVA + 8;
  request.u.mem_access.flags = MEM_ACCESS_R | MEM_ACCESS_W | MEM_ACCESS_GLA_VALID | MEM_ACCESS_FAULT_WITH_GLA;
  request.data.regs.x86.rip = FAKE_CODE_GVA;
  request.data.regs.x86.cr0 = 0x80010001;
  request.data.regs.x86.cr3 = FAKE_PML4 * FAKE_PAGE;
  request.data.regs.x86.msr_efer = 0xD00;
  request.data.regs.x86.cs.ar = 0xA9B;
  return request;
}

struct running {
  struct vmi_loop *loop;
  struct launcher launcher;
  pthread_t thread;
  int status;
};

static void *run_loop(void *argument) {
  struct running *running = argument;
  running->status = vmi_loop_run(running->loop);
  return NULL;
}

static void *run_nothing(void *argument) {
  return argument;
}

/* What the loop starts as its JVM: this program again. The first generation dies as soon as the domain runs. */
static int run_as_jvm(bool never_ready) {
  const struct pt_channel channel = fake_java_inherited();
  struct fake_java java;
  if (never_ready || fake_java_attach(&java, &channel) < 0)
    return 3;
  fake_java_ready(&java);
  while (java.generation == 1) {
    if (__atomic_load_n(&java.stream->state, __ATOMIC_ACQUIRE) == PT_STATE_RUNNING)
      return 4;
    usleep(1000);
  }
  while (__atomic_load_n(&java.stream->state, __ATOMIC_ACQUIRE) != PT_STATE_ENDED)
    fake_java_sleep(&java, 1000000);
  return 0;
}

static int start_loop(void **out, char *const *command) {
  struct running *running = calloc(1, sizeof *running);
  struct vmi_loop *loop = calloc(1, sizeof *loop);
  mock = aligned_alloc(4096, (sizeof *mock + 4095) & ~(size_t)4095);
  memset(mock, 0, sizeof *mock);
  fake_guest_init(&mock->guest);
  fake_guest_options(&mock->guest, 2, &mock->host);
  mock->event_fd = eventfd(0, EFD_NONBLOCK);
  XEN_FRONT_RING_INIT(&mock->front, (vm_event_sring_t *)(void *)mock->ring_page, sizeof mock->ring_page);
  loop->hv = &backend;
  loop->domain = mock;
  info(mock, &loop->info);
  if (command) {
    struct identity self;
    identity_self(&self);
    assert_int_equal(launcher_open(&(struct jvm_program){command, &self}, &running->launcher), 0);
  }
  loop->signal_fd = eventfd(0, EFD_NONBLOCK);
  assert_int_equal(pt_open(&mock->host, &loop->monitor), 0);
  supervisor_init(&loop->supervisor, loop->monitor, command ? &running->launcher : NULL);
  running->loop = loop;
  pthread_create(&running->thread, NULL, run_loop, running);
  while (!atomic_load(&mock->resumed))
    usleep(100);
  *out = running;
  return 0;
}

#define counter(running, name) __atomic_load_n(&pt_counters((running)->loop->monitor)->name, __ATOMIC_RELAXED)

static int up(void **out) {
  return start_loop(out, NULL);
}

static int up_with_jvm(void **out) {
  static char *const command[] = {"/proc/self/exe", "--jvm", NULL};
  return start_loop(out, command);
}

static int up_with_broken_jvm(void **out) {
  static char *const command[] = {"/proc/self/exe", "--broken-jvm", NULL};
  return start_loop(out, command);
}

static int down(void **out) {
  struct running *running = *out;
  vm_event_response_t extra;
  assert_false(get(&extra, 2000000)); /* nothing is answered twice */
  atomic_store(&mock->ended, true);
  pthread_join(running->thread, NULL);
  if (running->loop->supervisor.launcher)
    launcher_close(&running->launcher);
  pt_close(running->loop->monitor);
  close(running->loop->signal_fd);
  close(mock->event_fd);
  free(running->loop);
  free(running);
  free(mock);
  return 0;
}

static void one_exit_one_reply_also_for_an_unknown_reason(void **out) {
  (void)out;
  for (uint32_t reason = 0; reason < 40; reason++) {
    vm_event_request_t request = {
        .version = VM_EVENT_INTERFACE_VERSION, .flags = PAUSED, .reason = reason, .vcpu_id = reason % 2};
    if (reason == VM_EVENT_REASON_MEM_ACCESS)
      continue;
    vm_event_response_t response = answer_to(&request);
    assert_int_equal(response.flags, PAUSED);
  }
}

static void one_exit_one_reply_also_for_a_wrong_version(void **out) {
  (void)out;
  vm_event_request_t request = access_request(0);
  request.version = 3;
  assert_int_equal(answer_to(&request).flags, PAUSED);
}

static void one_exit_one_reply_also_for_a_vcpu_that_does_not_exist(void **out) {
  (void)out;
  vm_event_request_t request = access_request(UINT32_MAX);
  assert_int_equal(answer_to(&request).flags, PAUSED);
}

static void an_event_that_pauses_nobody_gives_its_slot_back(void **out) {
  (void)out;
  for (unsigned i = 0; i < 2 * RING_SIZE(&mock->front); i++) {
    vm_event_request_t request = access_request(0);
    request.flags = 0;
    assert_false(RING_FULL(&mock->front));
    assert_int_equal(answer_to(&request).flags, 0);
  }
}

static void without_java_an_access_is_stepped_and_the_vcpu_goes_back_to_its_view(void **out) {
  struct running *running = *out;
  vm_event_request_t request = access_request(1);
  vm_event_response_t step = answer_to(&request);
  assert_int_equal(step.flags, PAUSED | VM_EVENT_FLAG_ALTERNATE_P2M | VM_EVENT_FLAG_TOGGLE_SINGLESTEP);
  assert_int_equal(step.altp2m_idx, 0);
  request.reason = VM_EVENT_REASON_SINGLESTEP;
  request.altp2m_idx = 0;
  vm_event_response_t back = answer_to(&request);
  assert_int_equal(back.flags, PAUSED | VM_EVENT_FLAG_ALTERNATE_P2M | VM_EVENT_FLAG_TOGGLE_SINGLESTEP);
  assert_int_equal(back.altp2m_idx, 1);
  const struct pt_counters *counters = pt_counters(running->loop->monitor);
  assert_int_equal(__atomic_load_n(&counters->exits, __ATOMIC_RELAXED), 1);
  assert_int_equal(__atomic_load_n(&counters->replies, __ATOMIC_RELAXED), 1);
  assert_int_equal(__atomic_load_n(&counters->fail_policy, __ATOMIC_RELAXED), 1);
}

static void a_second_access_of_a_stepping_vcpu_is_answered_too(void **out) {
  (void)out;
  vm_event_request_t request = access_request(0);
  answer_to(&request);
  assert_int_equal(answer_to(&request).flags, PAUSED);
  request.reason = VM_EVENT_REASON_SINGLESTEP;
  answer_to(&request);
}

static void a_jvm_that_dies_is_started_again(void **out) {
  struct running *running = *out;
  const struct pt_stream_header *header = running->loop->monitor->stream.region.header;
  for (unsigned i = 0; __atomic_load_n(&header->generation, __ATOMIC_ACQUIRE) != 2; i++) {
    assert_true(i < 10000);
    usleep(1000);
  }
  vm_event_request_t request = access_request(0);
  answer_to(&request); /* by the deadline: this JVM decides nothing */
  request.reason = VM_EVENT_REASON_SINGLESTEP;
  answer_to(&request);
  atomic_store(&mock->ended, true);
  pthread_join(running->thread, NULL);
  assert_int_equal(counter(running, jvm_restarts), 1);
  assert_int_equal(running->status, 0);
  pthread_create(&running->thread, NULL, run_nothing, NULL);
}

static void a_jvm_that_never_worked_ends_the_run(void **out) {
  struct running *running = *out;
  pthread_join(running->thread, NULL);
  assert_int_equal(running->status, 3);
  assert_int_equal(counter(running, jvm_restarts), 0);
  pthread_create(&running->thread, NULL, run_nothing, NULL);
}

static void a_walkers_access_is_never_taken_for_the_instructions_write(void **out) {
  (void)out;
  struct pt_exit exit;
  vm_event_request_t request = access_request(0);
  request.u.mem_access.flags = MEM_ACCESS_R | MEM_ACCESS_W | MEM_ACCESS_GLA_VALID | MEM_ACCESS_FAULT_IN_GPT;
  translate_request(&request, 0, &exit);
  assert_int_equal(exit.access & PT_ACCESS_GLA_VALID, 0);
}

static void registers_travel_both_ways(void **out) {
  (void)out;
  struct pt_exit exit;
  vm_event_response_t response;
  vm_event_request_t request = access_request(0);
  struct vm_event_regs_x86 *regs = &request.data.regs.x86;
  regs->rax = 1;
  regs->rcx = 2;
  regs->rdx = 3;
  regs->rbx = 4;
  regs->rsp = 5;
  regs->rbp = 6;
  regs->rsi = 7;
  regs->rdi = 8;
  regs->r8 = 9;
  regs->r15 = 16;
  regs->gs_base = 77;
  regs->es_sel = 101;
  regs->cs_sel = 102;
  regs->ss_sel = 103;
  regs->ds_sel = 104;
  regs->fs_sel = 105;
  regs->gs_sel = 106;
  regs->dr7 = 0x400;
  translate_request(&request, 42, &exit);
  for (unsigned i = 0; i < 9; i++)
    assert_int_equal(exit.cpu.gpr[i], i + 1);
  assert_int_equal(exit.cpu.gpr[15], 16);
  assert_int_equal(exit.cpu.segment_base[5], 77);
  for (unsigned i = 0; i < PT_SEGMENT_COUNT; i++)
    assert_int_equal(exit.cpu.segment_selector[i], 101 + i);
  assert_int_equal(exit.cpu.code_bits, 64);
  assert_int_equal(exit.cpu.dr7, 0x400);
  assert_int_equal(exit.taken_ns, 42);
  struct pt_reply reply = {.vcpu = 0, .kind = PT_REPLY_REGISTERS, .cpu = exit.cpu};
  reply.cpu.gpr[3] = 0xB0B;
  reply.cpu.rip = 0x1234;
  reply.cpu.rflags = 0x46;
  translate_reply(&request, &reply, &response);
  assert_int_equal(response.flags, PAUSED | VM_EVENT_FLAG_SET_REGISTERS);
  assert_int_equal(response.data.regs.x86.rbx, 0xB0B);
  assert_int_equal(response.data.regs.x86.rip, 0x1234);
  assert_int_equal(response.data.regs.x86.rflags, 0x46);
  assert_int_equal(response.data.regs.x86.cr3, regs->cr3);
}

static void code_size_follows_the_segment_and_the_mode(void **out) {
  (void)out;
  struct pt_exit exit;
  vm_event_request_t request = access_request(0);
  request.data.regs.x86.cs.ar = 0xC9B; /* compatibility mode */
  translate_request(&request, 0, &exit);
  assert_int_equal(exit.cpu.code_bits, 32);
  request.data.regs.x86.cs.ar = 0x9B;
  translate_request(&request, 0, &exit);
  assert_int_equal(exit.cpu.code_bits, 16);
  request.data.regs.x86.cs.ar = 0xC9B;
  request.data.regs.x86.cr0 = 0;
  request.data.regs.x86.msr_efer = 0;
  translate_request(&request, 0, &exit);
  assert_int_equal(exit.cpu.code_bits, 16);
}

#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, up, down)

int main(int argc, char **argv) {
  if (argc == 2)
    return run_as_jvm(strcmp(argv[1], "--broken-jvm") == 0);
  const struct CMUnitTest tests[] = {
      WITH_LOOP(one_exit_one_reply_also_for_an_unknown_reason),
      WITH_LOOP(one_exit_one_reply_also_for_a_wrong_version),
      WITH_LOOP(one_exit_one_reply_also_for_a_vcpu_that_does_not_exist),
      WITH_LOOP(an_event_that_pauses_nobody_gives_its_slot_back),
      WITH_LOOP(without_java_an_access_is_stepped_and_the_vcpu_goes_back_to_its_view),
      WITH_LOOP(a_second_access_of_a_stepping_vcpu_is_answered_too),
      cmocka_unit_test_setup_teardown(a_jvm_that_dies_is_started_again, up_with_jvm, down),
      cmocka_unit_test_setup_teardown(a_jvm_that_never_worked_ends_the_run, up_with_broken_jvm, down),
      cmocka_unit_test(a_walkers_access_is_never_taken_for_the_instructions_write),
      cmocka_unit_test(registers_travel_both_ways),
      cmocka_unit_test(code_size_follows_the_segment_and_the_mode),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
