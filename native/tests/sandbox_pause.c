/* SPDX-License-Identifier: Apache-2.0 */
/* A domain that is paused as a whole: no guest instruction runs, everything else works. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "channel.h"
#include "guest/boot.h"
#include "lib/clock.h"
#include "sandbox_monitor.h"

static void sleep_ms(unsigned ms) {
  nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l}, NULL);
}

/* Turns for that long; requests taken. */
static uint64_t turn_for(struct monitor *monitor, unsigned ms) {
  uint64_t before = monitor->requests;
  uint64_t end = pt_now_ns() + ms * 1000000ull;
  while (pt_now_ns() < end) {
    if (!monitor_turn(monitor)) {
      sleep_ms(1);
    }
  }
  return monitor->requests - before;
}

static void start(struct monitor *monitor, const char *options) {
  monitor_attach(monitor, options, MONITOR_STEPS);
  assert_int_equal(hv_sandbox.resume(monitor->domain), 0);
  while (!monitor_turn(monitor)) {
  }
}

static void a_paused_domain_stands_still(void **state) {
  (void)state;
  struct monitor monitor;
  uint64_t gfn = GUEST_POOL_GPA / GUEST_PAGE;
  start(&monitor, "vcpus=2,seconds=60");
  for (unsigned i = 0; i < 20; i++) {
    turn_for(&monitor, 5);
    assert_int_equal(hv_sandbox.pause(monitor.domain), 0);
    assert_int_equal(hv_sandbox.pause(monitor.domain), 0);
    turn_for(&monitor, 5); /* what was on its way, at most one request of each vCPU */
    assert_int_equal(turn_for(&monitor, 20), 0);
    assert_int_equal(hv_sandbox.set_access(monitor.domain, &gfn, 1, false), 0);
    assert_int_equal(hv_sandbox.set_access(monitor.domain, &gfn, 1, true), 0);
    assert_int_equal(hv_sandbox.state(monitor.domain), HV_DOMAIN_RUNNING);
    assert_int_equal(hv_sandbox.unpause(monitor.domain), 0);
    assert_true(turn_for(&monitor, 50) > 0);
  }
  hv_sandbox.detach(monitor.domain);
}

static void a_response_waits_for_the_end_of_the_pause(void **state) {
  (void)state;
  struct monitor monitor;
  vm_event_request_t request;
  vm_event_request_t next;
  start(&monitor, "vcpus=1,seconds=60,walker=0");
  monitor_take(&monitor, &request);
  while (request.reason != VM_EVENT_REASON_MEM_ACCESS) {
    monitor_step(&monitor, &request, VIEW_RESTRICTED);
    monitor_take(&monitor, &request);
  }
  uint64_t gpa = request.u.mem_access.gfn * GUEST_PAGE + (request.u.mem_access.offset & ~7ull);
  uint64_t before = atomic_load(monitor_entry(&monitor, gpa));
  assert_int_equal(hv_sandbox.pause(monitor.domain), 0);
  monitor_step(&monitor, &request, VIEW_UNRESTRICTED);
  sleep_ms(50);
  assert_false(RING_HAS_UNCONSUMED_REQUESTS(&monitor.ring));
  assert_int_equal(atomic_load(monitor_entry(&monitor, gpa)), before);
  assert_int_equal(hv_sandbox.unpause(monitor.domain), 0);
  monitor_take(&monitor, &next);
  assert_int_equal(next.reason, VM_EVENT_REASON_SINGLESTEP);
  hv_sandbox.detach(monitor.domain);
}

static void the_guests_time_stands_still_too(void **state) {
  (void)state;
  struct monitor monitor;
  start(&monitor, "vcpus=1,seconds=1");
  assert_int_equal(hv_sandbox.pause(monitor.domain), 0);
  turn_for(&monitor, 1200);
  assert_int_equal(hv_sandbox.state(monitor.domain), HV_DOMAIN_RUNNING);
  uint64_t begin = pt_now_ns();
  assert_int_equal(hv_sandbox.unpause(monitor.domain), 0);
  assert_true(monitor_run(&monitor, 60));
  assert_true(pt_now_ns() - begin > 500000000u);
  hv_sandbox.detach(monitor.domain);
}

static void a_paused_domain_can_be_let_go(void **state) {
  (void)state;
  struct monitor monitor;
  start(&monitor, "vcpus=2,seconds=60");
  assert_int_equal(hv_sandbox.pause(monitor.domain), 0);
  hv_sandbox.detach(monitor.domain);
}

/* At any point of any exit, any number of times. */
static void pauses_are_not_noticed(void **state) {
  (void)state;
  struct monitor monitor;
  char dir[] = "/tmp/ptarmigan-sandbox-XXXXXX", options[64], path[64], text[4096] = "";
  assert_non_null(mkdtemp(dir));
  snprintf(options, sizeof(options), "vcpus=2,seed=5,rounds=150,dir=%s", dir);
  monitor_attach(&monitor, options, MONITOR_EMULATES);
  assert_int_equal(hv_sandbox.resume(monitor.domain), 0);
  for (unsigned turn = 0; hv_sandbox.state(monitor.domain) != HV_DOMAIN_ENDED; turn++) {
    monitor_turn(&monitor);
    if (turn % 7 == 0) {
      hv_sandbox.pause(monitor.domain);
      monitor_turn(&monitor);
      hv_sandbox.unpause(monitor.domain);
    }
    assert_true(turn < 100000000);
  }
  snprintf(path, sizeof(path), "%s/layout.json", dir);
  unlink(path);
  snprintf(path, sizeof(path), "%s/result.json", dir);
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
  fclose(file);
  unlink(path);
  rmdir(dir);
  assert_non_null(strstr(text, "\"guest_mismatches\": 0,"));
  assert_true(monitor.exits > 1000);
  hv_sandbox.detach(monitor.domain);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_paused_domain_stands_still),     cmocka_unit_test(a_response_waits_for_the_end_of_the_pause),
      cmocka_unit_test(the_guests_time_stands_still_too), cmocka_unit_test(a_paused_domain_can_be_let_go),
      cmocka_unit_test(pauses_are_not_noticed),
  };
  return cmocka_run_group_tests_name("sandbox_pause", tests, NULL, NULL);
}
