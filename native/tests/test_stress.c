/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vCPU threads, the page walker, Java and the loop at once. Each exit adds 0x1000 to an entry: what is lost or done
 * twice shows in the sum. Java and the library use the same mappings here, so that ThreadSanitizer sees both ends.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "foreign_loop.h"
#include "memory_order.h"
#include "monitor.h"
#include "rig.h"

#define VCPUS 2
#define ENTRIES 8u
#define LONG_DEADLINE_NS 60000000000ull
#define UNIT 0x1000u
#define WALKER_BITS 0x60u
#define INSN_LENGTH 4

static uint64_t exits_per_vcpu(void) {
  const char *text = getenv("PT_STRESS_EXITS");
  return text ? strtoull(text, NULL, 10) : 20000;
}

struct stress {
  struct rig *rig;
  struct foreign_loop loop;
  int exit_fd;
  int resume_fd[VCPUS];
  atomic_bool stop;
  uint64_t exits;
  atomic_uint_fast64_t wrong_rip;
  unsigned seed;
};

static unsigned next_random(unsigned *state) {
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state;
}

struct vcpu_argument {
  struct stress *stress;
  uint32_t vcpu;
};

static void *run_vcpu(void *argument) {
  struct vcpu_argument *self = argument;
  struct stress *stress = self->stress;
  unsigned random = self->vcpu + 1;
  for (uint64_t i = 0; i < stress->exits; i++) {
    struct pt_exit exit;
    struct pt_cpu cpu;
    fake_guest_exit(&stress->rig->guest, self->vcpu, next_random(&random) % ENTRIES * 8, &exit);
    if (write(stress->exit_fd, &exit, sizeof exit) != (ssize_t)sizeof exit ||
        read(stress->resume_fd[self->vcpu], &cpu, sizeof cpu) != (ssize_t)sizeof cpu)
      abort();
    if (cpu.rip != exit.cpu.rip + INSN_LENGTH)
      atomic_fetch_add(&stress->wrong_rip, 1);
  }
  return NULL;
}

static void *run_walker(void *argument) {
  struct stress *stress = argument;
  unsigned random = 77;
  while (!atomic_load(&stress->stop)) {
    for (unsigned i = 0; i < 50; i++) {
      uint64_t *entry = fake_guest_entry(&stress->rig->guest, FAKE_TABLE, next_random(&random) % ENTRIES);
      __atomic_fetch_xor(entry, WALKER_BITS, __ATOMIC_SEQ_CST);
    }
    usleep(20);
  }
  return NULL;
}

static uint64_t step_entry(struct stress *stress, uint32_t vcpu) {
  return stress->rig->monitor->vcpus[vcpu].exit.gpa & 0xFFF;
}

static void step(void *context, uint32_t vcpu, struct pt_cpu *cpu) {
  struct stress *stress = context;
  uint64_t *entry = fake_guest_entry(&stress->rig->guest, FAKE_TABLE, (unsigned)step_entry(stress, vcpu) / 8);
  __atomic_fetch_add(entry, UNIT, __ATOMIC_SEQ_CST);
  cpu->rip += INSN_LENGTH;
}

static void decide(struct fake_java *java, const struct pt_exit_record *exit, unsigned *random) {
  struct pt_decision *decision = fake_java_decision(java, exit->head.vcpu);
  unsigned what = next_random(random) % 100;
  if (what == 0)
    usleep(what % 7 * 10);
  fake_java_decide(java, exit, what < 3 ? PT_ACTION_STEP : what < 5 ? 42 : PT_ACTION_WRITE, INSN_LENGTH, decision);
  uint64_t value;
  memcpy(&value, exit->window, sizeof value);
  value += UNIT;
  memcpy(decision->bytes, &value, sizeof value);
  decision->mask = 0xFF;
  fake_java_publish(java, decision, exit->head.sequence);
}

static void *run_java(void *argument) {
  struct stress *stress = argument;
  struct fake_java *java = &stress->rig->java;
  unsigned random = 5;
  while (!atomic_load(&stress->stop)) {
    const struct pt_record_head *head = fake_java_take(java);
    if (!head) {
      fake_java_sleep(java, 1000000);
      continue;
    }
    if (head->kind == PT_RECORD_EXIT)
      decide(java, (const struct pt_exit_record *)(const void *)head, &random);
    fake_java_consumed(java);
  }
  return NULL;
}

/* Java shares the monitor's mapping here, which must stay: a JVM found stalled would be detached, and it unmapped. */
static void wait_for_java(struct rig *rig) {
  rig->monitor->options.deadline_ns = LONG_DEADLINE_NS;
}

static void share_mappings(struct rig *rig) {
  munmap((void *)(uintptr_t)rig->java.stream, PT_STREAM_BYTES);
  rig->java.stream = rig->monitor->stream.region.header;
  munmap((void *)(uintptr_t)rig->monitor->decisions.header, PT_DECISIONS_BYTES);
  rig->monitor->decisions.header = rig->java.decisions;
  rig->monitor->decisions.decisions = (uint8_t *)rig->java.decisions + PT_HEADER_BYTES;
  rig->monitor->decisions.commands = (uint8_t *)rig->java.decisions + PT_COMMANDS_OFFSET;
  rig->monitor->stream.consumer = rig->java.decisions;
}

static int down(void **state) {
  struct rig *rig = *state;
  pt_close(rig->monitor); /* unmaps what Java used too */
  free(rig->intents);
  free(rig);
  return 0;
}

static void every_exit_is_answered_once_and_done_once(void **state) {
  struct rig *rig = *state;
  struct stress stress = {.rig = rig, .exits = exits_per_vcpu()};
  pthread_t vcpus[VCPUS], walker, java;
  struct vcpu_argument arguments[VCPUS];
  int exits[2], resume[VCPUS][2];
  wait_for_java(rig);
  share_mappings(rig);
  assert_int_equal(pipe2(exits, 0), 0);
  assert_int_equal(fcntl(exits[0], F_SETFL, O_NONBLOCK), 0);
  stress.exit_fd = exits[1];
  stress.loop =
      (struct foreign_loop){.monitor = rig->monitor, .exit_fd = exits[0], .step = step, .step_context = &stress};
  for (uint32_t i = 0; i < VCPUS; i++) {
    assert_int_equal(pipe2(resume[i], 0), 0);
    stress.resume_fd[i] = resume[i][0];
    stress.loop.resume_fd[i] = resume[i][1];
    arguments[i] = (struct vcpu_argument){&stress, i};
    pthread_create(&vcpus[i], NULL, run_vcpu, &arguments[i]);
  }
  pthread_create(&walker, NULL, run_walker, &stress);
  pthread_create(&java, NULL, run_java, &stress);
  foreign_loop_run(&stress.loop, VCPUS * stress.exits);
  for (unsigned i = 0; i < VCPUS; i++)
    pthread_join(vcpus[i], NULL);
  atomic_store(&stress.stop, true);
  pthread_join(walker, NULL);
  pthread_join(java, NULL);

  uint64_t sum = 0;
  for (unsigned i = 0; i < ENTRIES; i++)
    sum += (*fake_guest_entry(&rig->guest, FAKE_TABLE, i) & ~(uint64_t)WALKER_BITS) / UNIT;
  const struct pt_counters *counters = pt_counters(rig->monitor);
  print_message("exits %lu, conflicts %lu, refused %lu, stepped %lu, timed out %lu\n", counters->exits,
                counters->swap_conflicts, counters->refused, counters->stepped, counters->timed_out);
  assert_int_equal(stress.loop.failures, 0);
  assert_int_equal(sum, VCPUS * stress.exits);
  assert_int_equal(counters->exits, VCPUS * stress.exits);
  assert_int_equal(counters->replies, counters->exits);
  assert_int_equal(counters->stores, counters->exits);
  assert_int_equal(counters->emulated + counters->denied + counters->stepped + counters->fail_policy, counters->exits);
  assert_int_equal(stress.wrong_rip, 0);
  assert_true(counters->refused > 0 && counters->stepped > 0 && counters->emulated > 0);
  for (unsigned i = 0; i < VCPUS; i++) {
    close(resume[i][0]);
    close(resume[i][1]);
  }
  close(exits[0]);
  close(exits[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(every_exit_is_answered_once_and_done_once, rig_up, down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
