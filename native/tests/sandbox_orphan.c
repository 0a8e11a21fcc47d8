/* SPDX-License-Identifier: Apache-2.0 */
/* A sandbox domain whose monitor is killed, and the next monitor's view of it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "channel.h"
#include "guest/boot.h"
#include "sandbox_monitor.h"

enum { VCPUS = 2, MOVES = 200 };

struct killed {
  char dir[64];
  char options[256];
};

static void sleep_ms(long ms) {
  nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void domain_of(struct killed *killed, const char *options) {
  strcpy(killed->dir, "/tmp/ptarmigan-orphan-XXXXXX");
  assert_non_null(mkdtemp(killed->dir));
  snprintf(killed->options, sizeof(killed->options), "vcpus=%d,orphan=30,dir=%s,%s", VCPUS, killed->dir, options);
}

/* A monitor that answers requests, and when it has made so many moves takes one more and kills itself. */
static void run_and_die(struct killed *killed, const char *options,
                        void (*last)(struct monitor *, vm_event_request_t *)) {
  int status;
  domain_of(killed, options);
  pid_t pid = fork();
  if (pid == 0) {
    struct monitor monitor;
    vm_event_request_t request;
    monitor_attach(&monitor, killed->options, MONITOR_EMULATES);
    hv_sandbox.resume(monitor.domain);
    while (monitor.emulated < MOVES) {
      monitor_turn(&monitor);
    }
    monitor_take(&monitor, &request);
    last(&monitor, &request);
    kill(getpid(), SIGKILL);
  }
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void leave_it(struct monitor *monitor, vm_event_request_t *request) {
  (void)monitor;
  (void)request;
}

static vm_event_response_t bare(const vm_event_request_t *request) {
  return (vm_event_response_t){.version = VM_EVENT_INTERFACE_VERSION,
                               .flags = VM_EVENT_FLAG_VCPU_PAUSED,
                               .vcpu_id = request->vcpu_id,
                               .reason = request->reason};
}

static void answer_without_notice(struct monitor *monitor, vm_event_request_t *request) {
  *RING_GET_RESPONSE(&monitor->ring, monitor->ring.rsp_prod_pvt) = bare(request);
  monitor->ring.rsp_prod_pvt++;
  RING_PUSH_RESPONSES(&monitor->ring);
}

static void begin_a_step(struct monitor *monitor, vm_event_request_t *request) {
  monitor_step(monitor, request, VIEW_UNRESTRICTED);
  sleep_ms(50);
}

static size_t reattach(struct killed *killed, struct monitor *monitor, struct hv_orphan orphans[VCPUS]) {
  memset(monitor, 0, sizeof(*monitor));
  assert_int_equal(hv_sandbox.reattach("sandbox", killed->options, &monitor->domain, NULL), 0);
  hv_sandbox.info(monitor->domain, &monitor->info);
  assert_int_equal(monitor->info.vcpus, VCPUS);
  vm_event_sring_t *sring = hv_sandbox.ring(monitor->domain);
  BACK_RING_INIT(&monitor->ring, sring, CHANNEL_PAGE_BYTES);
  int count = hv_sandbox.orphans(monitor->domain, orphans, VCPUS);
  assert_in_range(count, 0, VCPUS);
  return (size_t)count;
}

/* Lets the orphans execute what they were at, and the guest run to its end without a monitor; returns mismatches. */
static unsigned long let_go(struct killed *killed, struct monitor *monitor, const struct hv_orphan *orphans,
                            size_t count) {
  char path[128];
  char text[4096] = "";
  FILE *file = NULL;
  assert_int_equal(hv_sandbox.unrestrict(monitor->domain), 0);
  for (size_t i = 0; i < count; i++) {
    vm_event_response_t response = bare(&orphans[i].request);
    monitor_respond(monitor, &response);
  }
  assert_int_equal(hv_sandbox.resume(monitor->domain), 0);
  hv_sandbox.detach(monitor->domain);
  snprintf(path, sizeof(path), "%s/result.json", killed->dir);
  for (unsigned i = 0; i < 2000 && strstr(text, "\n}\n") == NULL; i++) {
    file = fopen(path, "r");
    if (file != NULL) {
      text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
      fclose(file);
    }
    sleep_ms(10);
  }
  const char *at = strstr(text, "\"failed_checks\": ");
  assert_non_null(at);
  const char *differing = strstr(text, "\"differing_entries\": ");
  assert_non_null(differing);
  unlink(path);
  snprintf(path, sizeof(path), "%s/layout.json", killed->dir);
  unlink(path);
  for (unsigned i = 0; i < 200 && rmdir(killed->dir) < 0; i++) {
    sleep_ms(10); /* the machine takes its socket away as the last thing */
  }
  /* The guest tries now and then to make one page writable; nobody stops it any more. */
  return strtoul(differing + strlen("\"differing_entries\": "), NULL, 10);
}

static void a_killed_monitors_vcpus_wait_for_the_next(void **state) {
  (void)state;
  struct killed killed;
  struct monitor monitor;
  struct hv_orphan orphans[VCPUS];
  struct hv_domain *domain;
  const char *message = NULL;
  run_and_die(&killed, "rounds=400,walker=0", leave_it);
  assert_int_equal(hv_sandbox.attach("sandbox", killed.options, &domain, &message), -EBUSY);
  assert_non_null(strstr(message, "recover"));
  size_t count = reattach(&killed, &monitor, orphans);
  assert_true(count >= 1);
  for (size_t i = 0; i < count; i++) {
    const vm_event_request_t *request = &orphans[i].request;
    assert_true(request->reason == VM_EVENT_REASON_MEM_ACCESS || request->reason == VM_EVENT_REASON_SINGLESTEP);
    assert_true(request->data.regs.x86.rip - GUEST_IMAGE_VA < GUEST_IMAGE_BYTES);
    assert_int_equal(orphans[i].exit_id, hv_sandbox.exit_id(monitor.domain, request->vcpu_id));
    assert_true(orphans[i].exit_id > 0);
  }
  assert_int_equal(let_go(&killed, &monitor, orphans, count), 0);
}

static void an_answer_that_was_not_notified_never_was(void **state) {
  (void)state;
  struct killed killed;
  struct monitor monitor;
  struct hv_orphan orphans[VCPUS];
  run_and_die(&killed, "rounds=400,walker=0", answer_without_notice);
  size_t count = reattach(&killed, &monitor, orphans);
  assert_true(count >= 1);
  assert_int_equal(let_go(&killed, &monitor, orphans, count), 0);
}

static void a_step_in_flight_is_let_go(void **state) {
  (void)state;
  struct killed killed;
  struct monitor monitor;
  struct hv_orphan orphans[VCPUS];
  unsigned steps = 0;
  run_and_die(&killed, "rounds=400,walker=0", begin_a_step);
  size_t count = reattach(&killed, &monitor, orphans);
  for (size_t i = 0; i < count; i++) {
    steps += orphans[i].request.reason == VM_EVENT_REASON_SINGLESTEP;
  }
  assert_int_equal(steps, 1);
  assert_int_equal(let_go(&killed, &monitor, orphans, count), 0);
}

static void a_domain_without_orphans_can_be_watched_again(void **state) {
  (void)state;
  struct killed killed;
  struct monitor first;
  struct monitor second;
  domain_of(&killed, "rounds=700,walker=0");
  monitor_attach(&first, killed.options, MONITOR_EMULATES);
  hv_sandbox.resume(first.domain);
  while (first.emulated < MOVES) {
    monitor_turn(&first);
  }
  hv_sandbox.unrestrict(first.domain);
  while (monitor_turn(&first)) {
  }
  sleep_ms(20);
  monitor_turn(&first);
  hv_sandbox.detach(first.domain);
  monitor_attach(&second, killed.options, MONITOR_EMULATES); /* fails where a vCPU still waits */
  hv_sandbox.resume(second.domain);
  assert_true(monitor_run(&second, 60));
  assert_true(second.exits > 100);
  hv_sandbox.detach(second.domain);
}

static void a_domain_that_nobody_comes_for_ends(void **state) {
  (void)state;
  char options[128];
  struct hv_domain *domain;
  struct killed killed;
  domain_of(&killed, "");
  snprintf(options, sizeof(options), "vcpus=1,seconds=60,orphan=0.2,dir=%s", killed.dir);
  assert_int_equal(hv_sandbox.attach("sandbox", options, &domain, NULL), 0);
  hv_sandbox.detach(domain);
  assert_int_equal(hv_sandbox.reattach("sandbox", options, &domain, NULL), 0);
  hv_sandbox.detach(domain);
  sleep_ms(900);
  assert_int_equal(hv_sandbox.reattach("sandbox", options, &domain, NULL), -ESRCH);
}

static void without_the_option_there_is_nothing_to_come_back_to(void **state) {
  (void)state;
  struct hv_domain *domain;
  const char *message = NULL;
  assert_int_equal(hv_sandbox.reattach("sandbox", "vcpus=1", &domain, NULL), -ESRCH);
  assert_int_equal(hv_sandbox.attach("sandbox", "orphan=3", &domain, &message), -EINVAL);
  assert_non_null(strstr(message, "dir"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_killed_monitors_vcpus_wait_for_the_next),
      cmocka_unit_test(an_answer_that_was_not_notified_never_was),
      cmocka_unit_test(a_step_in_flight_is_let_go),
      cmocka_unit_test(a_domain_without_orphans_can_be_watched_again),
      cmocka_unit_test(a_domain_that_nobody_comes_for_ends),
      cmocka_unit_test(without_the_option_there_is_nothing_to_come_back_to),
  };
  return cmocka_run_group_tests_name("sandbox_orphan", tests, NULL, NULL);
}
