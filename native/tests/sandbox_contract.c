/* SPDX-License-Identifier: Apache-2.0 */
/* What hypervisor.h promises of any backend, on the sandbox. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "channel.h"
#include "guest/boot.h"
#include "sandbox_monitor.h"

static void sleep_ms(long ms) {
  nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static bool request_waits(const struct monitor *monitor) {
  return __atomic_load_n(&monitor->ring.sring->req_prod, __ATOMIC_ACQUIRE) != monitor->ring.req_cons;
}

static void start(struct monitor *monitor, const char *options) {
  monitor_attach(monitor, options, MONITOR_STEPS);
  assert_int_equal(hv_sandbox.resume(monitor->domain), 0);
}

/* The machine's process: this one's only child. */
static pid_t child_of(pid_t parent) {
  DIR *proc = opendir("/proc");
  pid_t found = 0;
  assert_non_null(proc);
  for (struct dirent *entry = readdir(proc); entry != NULL; entry = readdir(proc)) {
    char path[300];
    int ppid = 0;
    snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
    FILE *file = atoi(entry->d_name) > 0 ? fopen(path, "r") : NULL;
    if (file != NULL) {
      if (fscanf(file, "%*d (%*[^)]) %*c %d", &ppid) == 1 && ppid == parent) {
        found = atoi(entry->d_name);
      }
      fclose(file);
    }
  }
  closedir(proc);
  return found;
}

static void a_domain_is_held_until_resumed(void **state) {
  (void)state;
  struct monitor monitor;
  vm_event_request_t request;
  monitor_attach(&monitor, "vcpus=1,rounds=10", MONITOR_STEPS);
  sleep_ms(50);
  assert_false(request_waits(&monitor));
  assert_int_equal(hv_sandbox.state(monitor.domain), HV_DOMAIN_RUNNING);
  assert_int_equal(hv_sandbox.resume(monitor.domain), 0);
  monitor_take(&monitor, &request);
  assert_int_equal(request.reason, VM_EVENT_REASON_MEM_ACCESS);
  hv_sandbox.detach(monitor.domain);
}

static void wrong_options_are_named(void **state) {
  (void)state;
  static const char *const wrong[] = {"vcpus=0",  "vcpus=1000",         "speed=1", "seconds=x", "seed",
                                      "walker=2", "guest=/no/such/file"};
  for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    struct hv_domain *domain = NULL;
    const char *message = NULL;
    assert_true(hv_sandbox.attach("sandbox", wrong[i], &domain, &message) < 0);
    assert_non_null(message);
    assert_null(domain);
  }
}

static void frames_end_where_memory_does(void **state) {
  (void)state;
  struct monitor monitor;
  void *frame;
  monitor_attach(&monitor, "vcpus=1,rounds=1", MONITOR_STEPS);
  assert_int_equal(hv_sandbox.map_frame(monitor.domain, monitor.info.frames - 1, &frame), 0);
  hv_sandbox.unmap_frame(monitor.domain, monitor.info.frames - 1, frame);
  assert_int_equal(hv_sandbox.map_frame(monitor.domain, monitor.info.frames, &frame), -ENOENT);
  assert_int_equal(hv_sandbox.set_access(monitor.domain, &monitor.info.frames, 1, true), -ENOENT);
  hv_sandbox.detach(monitor.domain);
}

static void a_response_of_another_version_is_dropped(void **state) {
  (void)state;
  struct monitor monitor;
  vm_event_request_t request;
  start(&monitor, "vcpus=1,rounds=10,walker=0");
  monitor_take(&monitor, &request);
  vm_event_response_t response = request;
  response.flags = VM_EVENT_FLAG_VCPU_PAUSED | VM_EVENT_FLAG_SET_REGISTERS;
  response.version = VM_EVENT_INTERFACE_VERSION - 1;
  monitor_respond(&monitor, &response);
  sleep_ms(50);
  assert_false(request_waits(&monitor));
  response.version = VM_EVENT_INTERFACE_VERSION;
  response.flags = VM_EVENT_FLAG_VCPU_PAUSED;
  monitor_respond(&monitor, &response);
  vm_event_request_t again;
  monitor_take(&monitor, &again);
  assert_memory_equal(&again, &request, sizeof(again)); /* resumed at the instruction, nothing done */
  hv_sandbox.detach(monitor.domain);
}

static void only_the_paused_flag_resumes(void **state) {
  (void)state;
  struct monitor monitor;
  vm_event_request_t request;
  vm_event_request_t next;
  start(&monitor, "vcpus=1,rounds=10,walker=0");
  monitor_take(&monitor, &request);
  vm_event_response_t response = request;
  response.flags = VM_EVENT_FLAG_SET_REGISTERS;
  response.data.regs.x86.r15 ^= 1; /* nothing that the store depends on */
  monitor_respond(&monitor, &response);
  sleep_ms(50);
  assert_false(request_waits(&monitor));
  response.flags = VM_EVENT_FLAG_VCPU_PAUSED;
  response.data.regs.x86.r15 ^= 1;
  monitor_respond(&monitor, &response);
  monitor_take(&monitor, &next);
  request.data.regs.x86.r15 ^= 1; /* what the first response said counts since the second */
  assert_memory_equal(&next, &request, sizeof(next));
  hv_sandbox.detach(monitor.domain);
}

static void a_response_counts_once_notified(void **state) {
  (void)state;
  struct monitor monitor;
  vm_event_request_t request;
  start(&monitor, "vcpus=1,rounds=10,walker=0");
  monitor_take(&monitor, &request);
  vm_event_response_t response = request;
  response.flags = VM_EVENT_FLAG_VCPU_PAUSED;
  *RING_GET_RESPONSE(&monitor.ring, monitor.ring.rsp_prod_pvt) = response;
  monitor.ring.rsp_prod_pvt++;
  RING_PUSH_RESPONSES(&monitor.ring);
  sleep_ms(50);
  assert_false(request_waits(&monitor));
  assert_int_equal(hv_sandbox.notify(monitor.domain), 0);
  monitor_take(&monitor, &request);
  hv_sandbox.detach(monitor.domain);
}

static RING_IDX raised(const struct monitor *monitor) {
  return __atomic_load_n(&monitor->ring.sring->req_prod, __ATOMIC_ACQUIRE);
}

static void a_full_ring_stalls_but_loses_nothing(void **state) {
  (void)state;
  struct monitor monitor;
  start(&monitor, "vcpus=12,rounds=20,seed=5");
  for (unsigned ms = 0; raised(&monitor) < RING_SIZE(&monitor.ring) && ms < 10000; ms++) {
    sleep_ms(1);
  }
  sleep_ms(50);
  assert_int_equal(raised(&monitor), RING_SIZE(&monitor.ring));
  assert_true(monitor_run(&monitor, 60));
  assert_int_equal(monitor.requests, monitor.responses);
  assert_int_equal(monitor.wrong_requests, 0);
  hv_sandbox.detach(monitor.domain);
}

static void steps_asked_for_at_once_come_one_after_the_other(void **state) {
  (void)state;
  enum { VCPUS = 4 };
  struct monitor monitor;
  vm_event_request_t requests[VCPUS];
  start(&monitor, "vcpus=4,rounds=20");
  for (unsigned i = 0; i < VCPUS; i++) {
    monitor_take(&monitor, &requests[i]);
  }
  for (unsigned i = 0; i < VCPUS; i++) {
    monitor_step(&monitor, &requests[i], VIEW_UNRESTRICTED);
  }
  for (unsigned i = 0; i < VCPUS; i++) {
    vm_event_request_t done;
    do {
      monitor_take(&monitor, &done);
      if (done.reason == VM_EVENT_REASON_MEM_ACCESS) {
        monitor_step(&monitor, &done, VIEW_UNRESTRICTED); /* one that ran on between two steps */
      }
    } while (done.reason != VM_EVENT_REASON_SINGLESTEP);
    sleep_ms(20);
    assert_false(request_waits(&monitor)); /* all others are parked or wait */
    monitor_step(&monitor, &done, VIEW_RESTRICTED);
  }
  assert_true(monitor_run(&monitor, 60));
  hv_sandbox.detach(monitor.domain);
}

static void the_unrestricted_view_restricts_nothing(void **state) {
  (void)state;
  struct monitor monitor;
  vm_event_request_t request;
  start(&monitor, "vcpus=1,rounds=40");
  monitor_take(&monitor, &request);
  vm_event_response_t response = request;
  response.flags = VM_EVENT_FLAG_VCPU_PAUSED | VM_EVENT_FLAG_ALTERNATE_P2M;
  response.altp2m_idx = VIEW_UNRESTRICTED;
  monitor_respond(&monitor, &response);
  assert_true(monitor_run(&monitor, 60));
  assert_int_equal(monitor.requests, 1);
  hv_sandbox.detach(monitor.domain);
}

/* But the denied page's, which stays restricted throughout: a step may be in flight on it. */
static void copy_tables(struct monitor *monitor, uint8_t *out, size_t bytes) {
  const uint8_t *tables = (const uint8_t *)(uintptr_t)monitor_entry(monitor, GUEST_POOL_GPA);
  for (size_t i = 0; i < bytes / 8; i++) {
    uint64_t entry = __atomic_load_n((const uint64_t *)(const void *)tables + i, __ATOMIC_RELAXED);
    ((uint64_t *)(void *)out)[i] = i / GUEST_ENTRIES == TABLE_DENIED_PT ? 0 : entry & ~PTE_AD;
  }
}

static size_t all_tables(const struct monitor *monitor, uint64_t *gfns) {
  size_t count = 0;
  for (uint64_t i = 0; i < guest_pool_bytes(monitor->info.vcpus) / GUEST_PAGE; i++) {
    if (i != TABLE_DENIED_PT) {
      gfns[count++] = GUEST_POOL_GPA / GUEST_PAGE + i;
    }
  }
  return count;
}

/* For a while, until all that was raised before has been answered and no step is in flight. */
static void let_run(struct monitor *monitor) {
  bool stepping = true;
  for (unsigned ms = 0; ms < 20 || stepping; ms++) {
    assert_true(ms < 5000);
    monitor_turn(monitor);
    sleep_ms(1);
    stepping = false;
    for (unsigned i = 0; i < monitor->info.vcpus; i++) {
      stepping |= monitor->stepping[i];
    }
  }
}

static void protections_are_in_force_on_return(void **state) {
  (void)state;
  enum { TABLES_BYTES = 1 << 20, TIMES = 20 };
  static uint8_t before[TABLES_BYTES] __attribute__((aligned(8)));
  static uint8_t after[TABLES_BYTES] __attribute__((aligned(8)));
  uint64_t gfns[TABLES_BYTES / GUEST_PAGE];
  struct monitor monitor;
  start(&monitor, "vcpus=2,seconds=60");
  size_t bytes = guest_pool_bytes(monitor.info.vcpus);
  size_t count = all_tables(&monitor, gfns);
  unsigned progress = 0;
  for (unsigned i = 0; i < TIMES; i++) {
    assert_int_equal(hv_sandbox.set_access(monitor.domain, gfns, count, false), 0);
    let_run(&monitor);
    assert_int_equal(hv_sandbox.set_access(monitor.domain, gfns, count, true), 0);
    copy_tables(&monitor, before, bytes);
    progress += memcmp(before, after, bytes) != 0;
    sleep_ms(5);
    copy_tables(&monitor, after, bytes);
    assert_memory_equal(before, after, bytes);
  }
  assert_true(progress > TIMES / 2); /* it does write while it may */
  hv_sandbox.detach(monitor.domain);
}

static void any_frame_can_be_restricted(void **state) {
  (void)state;
  uint64_t gfns[4096];
  size_t count = 0;
  struct monitor monitor;
  monitor_attach(&monitor, "vcpus=2,rounds=30,seed=7", MONITOR_STEPS);
  for (uint64_t gfn = guest_frames_gpa(2) / GUEST_PAGE; gfn < monitor.info.frames; gfn++) {
    gfns[count++] = gfn;
  }
  assert_int_equal(hv_sandbox.set_access(monitor.domain, gfns, count, true), 0);
  assert_int_equal(hv_sandbox.resume(monitor.domain), 0);
  assert_true(monitor_run(&monitor, 60));
  assert_int_equal(monitor.wrong_requests, 0);
  assert_true(monitor.user_stores > 0);
  hv_sandbox.detach(monitor.domain);
}

static void a_killed_domain_has_ended(void **state) {
  (void)state;
  struct monitor monitor;
  start(&monitor, "vcpus=2,seconds=60");
  vm_event_request_t request;
  monitor_take(&monitor, &request);
  kill(child_of(getpid()), SIGKILL);
  assert_true(monitor_run(&monitor, 5));
  struct pollfd event = {.fd = hv_sandbox.event_fd(monitor.domain), .events = POLLIN};
  hv_sandbox.acknowledge(monitor.domain);
  assert_int_equal(poll(&event, 1, 0), 0); /* said once */
  uint64_t gfn = GUEST_POOL_GPA / GUEST_PAGE;
  assert_true(hv_sandbox.set_access(monitor.domain, &gfn, 1, false) < 0);
  hv_sandbox.detach(monitor.domain);
  assert_int_equal(child_of(getpid()), 0);
}

static void a_crashed_guest_has_ended(void **state) {
  (void)state;
  static const uint64_t nowhere[] = {0x10, 1ull << 63, GUEST_IMAGE_VA + GUEST_IMAGE_BYTES - 1, GUEST_USER_VA};
  for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
    struct monitor monitor;
    vm_event_request_t request;
    start(&monitor, "vcpus=2,seconds=60");
    monitor_take(&monitor, &request);
    vm_event_response_t response = request;
    response.flags = VM_EVENT_FLAG_VCPU_PAUSED | VM_EVENT_FLAG_SET_REGISTERS;
    response.data.regs.x86.rip = nowhere[i];
    monitor_respond(&monitor, &response);
    assert_true(monitor_run(&monitor, 20));
    hv_sandbox.detach(monitor.domain);
  }
}

static void detach_ends_a_running_domain(void **state) {
  (void)state;
  for (unsigned i = 0; i < 5; i++) {
    struct monitor monitor;
    start(&monitor, "vcpus=2,seconds=60");
    for (unsigned k = 0; k < i * 100; k++) {
      monitor_turn(&monitor);
    }
    hv_sandbox.detach(monitor.domain);
    assert_int_equal(child_of(getpid()), 0);
  }
}

static void no_guest_outlives_its_monitor(void **state) {
  (void)state;
  int pids[2];
  pid_t machine = 0;
  assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  assert_int_equal(pipe(pids), 0);
  pid_t owner = fork();
  if (owner == 0) {
    struct hv_domain *domain;
    bool attached =
        hv_sandbox.attach("sandbox", "vcpus=2,seconds=60", &domain, NULL) == 0 && hv_sandbox.resume(domain) == 0;
    pid_t child = attached ? child_of(getpid()) : 0;
    if (write(pids[1], &child, sizeof(child)) == sizeof(child)) {
      pause();
    }
    _exit(1);
  }
  assert_int_equal(read(pids[0], &machine, sizeof(machine)), sizeof(machine));
  assert_true(machine > 0);
  kill(owner, SIGKILL);
  assert_int_equal(waitpid(owner, NULL, 0), owner);
  bool gone = false;
  for (unsigned i = 0; i < 200 && !gone; i++) {
    gone = waitpid(machine, NULL, WNOHANG) == machine;
    sleep_ms(10);
  }
  assert_true(gone);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_domain_is_held_until_resumed),
      cmocka_unit_test(wrong_options_are_named),
      cmocka_unit_test(frames_end_where_memory_does),
      cmocka_unit_test(a_response_of_another_version_is_dropped),
      cmocka_unit_test(only_the_paused_flag_resumes),
      cmocka_unit_test(a_response_counts_once_notified),
      cmocka_unit_test(a_full_ring_stalls_but_loses_nothing),
      cmocka_unit_test(steps_asked_for_at_once_come_one_after_the_other),
      cmocka_unit_test(the_unrestricted_view_restricts_nothing),
      cmocka_unit_test(protections_are_in_force_on_return),
      cmocka_unit_test(any_frame_can_be_restricted),
      cmocka_unit_test(a_killed_domain_has_ended),
      cmocka_unit_test(a_crashed_guest_has_ended),
      cmocka_unit_test(detach_ends_a_running_domain),
      cmocka_unit_test(no_guest_outlives_its_monitor),
  };
  return cmocka_run_group_tests_name("sandbox_contract", tests, NULL, NULL);
}
