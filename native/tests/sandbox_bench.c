/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an exit of the sandbox costs: from answering a plain MOV of a table entry to the next such request, of one vCPU
 * under a monitor that never sleeps. The guest's own checks of the write lie in between.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/clock.h"
#include "sandbox_monitor.h"

enum { SAMPLES = 100 };

static int ascending(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a;
  uint64_t y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static void exits_are_measured(void **state) {
  (void)state;
  static uint64_t samples[SAMPLES];
  size_t count = 0;
  uint64_t last = 0;
  struct monitor monitor;
  monitor_attach(&monitor, "vcpus=1,seconds=30,walker=0", MONITOR_EMULATES);
  assert_int_equal(hv_sandbox.resume(monitor.domain), 0);
  while (count < SAMPLES && hv_sandbox.state(monitor.domain) != HV_DOMAIN_ENDED) {
    uint64_t emulated = monitor.emulated;
    uint64_t requests = monitor.requests;
    if (!monitor_turn(&monitor)) {
      continue;
    }
    uint64_t now = pt_now_ns();
    bool plain = monitor.emulated == emulated + 1 && monitor.requests == requests + 1;
    if (plain && last != 0) {
      samples[count++] = now - last;
    }
    last = plain ? now : 0;
  }
  hv_sandbox.detach(monitor.domain);
  assert_int_equal(count, SAMPLES);
  qsort(samples, count, sizeof(samples[0]), ascending);
  printf("sandbox exit, %zu samples: p1 %llu, p10 %llu, p50 %llu, p99 %llu ns\n", count,
         (unsigned long long)samples[count / 100], (unsigned long long)samples[count / 10],
         (unsigned long long)samples[count / 2], (unsigned long long)samples[count - 1 - count / 100]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(exits_are_measured)};
  return cmocka_run_group_tests_name("sandbox_bench", tests, NULL, NULL);
}
