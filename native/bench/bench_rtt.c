/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The round trip native -> consumer -> native over the shared memory, with a C consumer and with the Java consumer in
 * one run: the same library, the same layout, two child processes, taken in turn. A round trip is the time from the
 * publication of an exit to the sight of its decision; the consumer answers each exit with a write of nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fake_guest.h"
#include "fake_java.h"
#include "jvm.h"
#include "memory_order.h"
#include "monitor.h"

#define WARM_UP 300000u
#define SAMPLES 500000u
#define RUNS 5
#define ATTACH_NS 30000000000u
#define STUCK_NS 5000000000u
#define CONSUMER_SPINS 20000 /* some 0.2 ms awake, then a futex */

struct peer {
  const char *name;
  struct fake_guest *guest;
  struct pt_monitor *monitor;
  struct launcher launcher;
  struct jvm process;
  double p50[RUNS], p99[RUNS];
};

static int run_consumer(void) {
  const struct pt_channel channel = fake_java_inherited();
  struct fake_java java;
  unsigned idle = 0;
  if (fake_java_attach(&java, &channel) < 0)
    return EXIT_FAILURE;
  fake_java_ready(&java);
  for (;;) {
    const struct pt_record_head *head = fake_java_take(&java);
    if (head) {
      idle = 0;
      if (head->kind == PT_RECORD_EXIT) {
        const struct pt_exit_record *exit = (const void *)head;
        struct pt_decision *decision = fake_java_decision(&java, head->vcpu);
        uint64_t seen = pt_now_ns();
        fake_java_decide(&java, exit, PT_ACTION_WRITE, 0, decision);
        decision->seen_ns = seen;
        decision->decided_ns = pt_now_ns();
        fake_java_publish(&java, decision, head->sequence);
      }
      fake_java_consumed(&java);
    } else if (pt_load_acquire(&java.stream->state) == PT_STATE_ENDED) {
      return EXIT_SUCCESS;
    } else if (++idle > CONSUMER_SPINS) {
      fake_java_sleep(&java, 100000000);
    } else {
      pt_spin_hint();
    }
  }
}

static void fail(const struct peer *peer, const char *what) {
  fprintf(stderr, "bench rtt: %s consumer %s\n", peer->name, what);
  exit(EXIT_FAILURE);
}

static void start(struct peer *peer, char *const *command) {
  struct pt_options options;
  struct pt_channel channel;
  struct identity self; /* nothing hostile is read here */
  peer->guest = aligned_alloc(4096, sizeof *peer->guest);
  fake_guest_init(peer->guest);
  fake_guest_options(peer->guest, 1, &options);
  options.deadline_ns = STUCK_NS;
  identity_self(&self);
  if (launcher_open(&(struct jvm_program){command, &self}, &peer->launcher) < 0 ||
      pt_open(&options, &peer->monitor) < 0 || pt_attach_jvm(peer->monitor, &channel) < 0 ||
      jvm_start(&peer->process, &peer->launcher, &channel) < 0)
    fail(peer, "could not be started");
  uint64_t begin = pt_now_ns();
  while (!pt_ready(peer->monitor)) {
    struct pt_reply reply;
    pt_poll(peer->monitor, &reply, 1);
    if (jvm_ended(&peer->process) || pt_now_ns() - begin > ATTACH_NS)
      fail(peer, "did not attach");
    usleep(1000);
  }
  pt_run(peer->monitor);
}

static void stop(struct peer *peer) {
  pt_end(peer->monitor);
  if (jvm_finish(&peer->process, 5000) != 0)
    fail(peer, "did not end by itself");
  launcher_close(&peer->launcher);
  pt_close(peer->monitor);
  free(peer->guest);
}

/* One exit, round and back; the library's own stamps. */
static uint32_t round_trip(struct peer *peer) {
  struct pt_exit exit;
  struct pt_reply reply;
  fake_guest_exit(peer->guest, 0, 0, &exit);
  if (pt_submit(peer->monitor, &exit) < 0)
    fail(peer, "has an exit outstanding");
  while (pt_poll(peer->monitor, &reply, 1) == 0)
    pt_spin_hint();
  const struct pt_vcpu *vcpu = &peer->monitor->vcpus[0];
  uint64_t taken = vcpu->collected_ns - vcpu->published_ns;
  bool decided = vcpu->result == PT_RESULT_APPLIED;
  pt_outcome(peer->monitor, 0);
  if (!decided)
    fail(peer, "did not answer");
  return taken < UINT32_MAX ? (uint32_t)taken : UINT32_MAX;
}

static int by_value(const void *a, const void *b) {
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return left < right ? -1 : left > right;
}

static int by_double(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return left < right ? -1 : left > right;
}

static void measure(struct peer *peer, unsigned run, uint32_t *samples) {
  for (unsigned i = 0; i < (run == 0 ? WARM_UP : WARM_UP / 10); i++)
    round_trip(peer);
  for (unsigned i = 0; i < SAMPLES; i++)
    samples[i] = round_trip(peer);
  qsort(samples, SAMPLES, sizeof *samples, by_value);
  peer->p50[run] = samples[SAMPLES / 2];
  peer->p99[run] = samples[SAMPLES / 100 * 99];
}

struct spread {
  double min, median, max;
};

static struct spread spread_of(const double values[RUNS]) {
  double sorted[RUNS];
  memcpy(sorted, values, sizeof sorted);
  qsort(sorted, RUNS, sizeof *sorted, by_double);
  return (struct spread){sorted[0], sorted[RUNS / 2], sorted[RUNS - 1]};
}

static struct spread ratio(const double over[RUNS], const double under[RUNS]) {
  double ratios[RUNS];
  for (unsigned i = 0; i < RUNS; i++)
    ratios[i] = over[i] / under[i];
  return spread_of(ratios);
}

static void print_row(const char *name, struct spread spread, int decimals) {
  printf("%-22s %10.*f %10.*f %10.*f\n", name, decimals, spread.min, decimals, spread.median, decimals, spread.max);
}

static void report(const struct peer *c, const struct peer *java, bool json) {
  struct spread p50 = ratio(java->p50, c->p50), p99 = ratio(java->p99, c->p99);
  if (json) {
    printf(
        "{\"runs\":%d,\"samples\":%u,\"rtt_c_p50_ns\":%.0f,\"rtt_c_p99_ns\":%.0f,\"rtt_java_p50_ns\":%.0f,"
        "\"rtt_java_p99_ns\":%.0f,\"rtt_ratio_p50\":%.3f,\"rtt_ratio_p50_min\":%.3f,\"rtt_ratio_p50_max\":%.3f,"
        "\"rtt_ratio_p99\":%.3f,\"rtt_ratio_p99_min\":%.3f,\"rtt_ratio_p99_max\":%.3f}\n",
        RUNS, SAMPLES, spread_of(c->p50).median, spread_of(c->p99).median, spread_of(java->p50).median,
        spread_of(java->p99).median, p50.median, p50.min, p50.max, p99.median, p99.min, p99.max);
    return;
  }
  printf("%d runs of %u round trips each, in turn\n%-22s %10s %10s %10s\n", RUNS, SAMPLES, "", "min", "median", "max");
  print_row("C p50 [ns]", spread_of(c->p50), 0);
  print_row("Java p50 [ns]", spread_of(java->p50), 0);
  print_row("C p99 [ns]", spread_of(c->p99), 0);
  print_row("Java p99 [ns]", spread_of(java->p99), 0);
  print_row("rtt_ratio_p50", p50, 3);
  print_row("rtt_ratio_p99", p99, 3);
}

int main(int argc, char **argv) {
  bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
  int first = json ? 2 : 1;
  if (argc == 2 && strcmp(argv[1], "--consumer") == 0)
    return run_consumer();
  if (argc <= first + 1 || strcmp(argv[first], "--") != 0) {
    fprintf(stderr,
            "usage: ptarmigan-bench-rtt [--json] -- COMMAND [ARGUMENT...]\nCOMMAND starts the Java consumer.\n");
    return 2;
  }
  char *const own[] = {"/proc/self/exe", "--consumer", NULL};
  struct peer c = {.name = "C"}, java = {.name = "Java"};
  uint32_t *samples = calloc(SAMPLES, sizeof *samples);
  if (!samples)
    return EXIT_FAILURE;
  start(&c, own);
  start(&java, argv + first + 1);
  for (unsigned run = 0; run < RUNS; run++) {
    measure(&c, run, samples);
    measure(&java, run, samples);
  }
  report(&c, &java, json);
  stop(&c);
  stop(&java);
  free(samples);
  return EXIT_SUCCESS;
}
