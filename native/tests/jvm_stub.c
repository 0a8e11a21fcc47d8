/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for the JVM under a real ptarmigand: writes down what it finds itself to be, says that it is ready, and
 * stays until the end of the run. "jvm_stub mortal": the first generation dies once the domain runs. "jvm_stub
 * stubborn": it rids itself of its death signal first. "jvm_stub silent" protects the guest's tables and decides
 * nothing; "jvm_stub stopped" does so and stops as a whole once the domain runs, but only in the first generation: the
 * next lets each exit be stepped.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_java.h"
#include "guest/boot.h"
#include "memory_order.h"

#define DIED 9

static void tell_descriptors(void) {
  DIR *dir = opendir("/proc/self/fd");
  for (struct dirent *entry; dir && (entry = readdir(dir));) {
    char target[256];
    if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(dir))
      continue;
    ssize_t length = readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1);
    target[length < 0 ? 0 : length] = '\0';
    printf("fd %s %s\n", entry->d_name, target);
  }
  closedir(dir);
}

static void tell_status(void) {
  char line[256];
  FILE *status = fopen("/proc/self/status", "re");
  while (status && fgets(line, sizeof line, status))
    fputs(line, stdout);
  fclose(status);
}

static void tell(const struct pt_channel *channel) {
  struct rlimit core;
  getrlimit(RLIMIT_CORE, &core);
  tell_status();
  tell_descriptors();
  for (char **entry = environ; *entry; entry++)
    printf("env %s\n", *entry);
  printf("umask %03o\n", (unsigned)umask(0));
  printf("core %llu\n", (unsigned long long)core.rlim_max);
  printf("session %s\n", getsid(0) == getpid() ? "own" : "shared");
  printf("root %s\n", setuid(0) == 0 && getuid() == 0 ? "again" : "never");
  void *writable = mmap(NULL, PT_STREAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, channel->stream_fd, 0);
  printf("stream %s\n", writable == MAP_FAILED ? "read-only" : "writable");
  printf("generation %u\n", channel->generation);
  fflush(stdout);
}

/* And keeps the page read-only that the guest expects to stay so. */
static void protect_tables(struct fake_java *java) {
  uint64_t entry = GUEST_POOL_GPA + TABLE_DENIED_PT * GUEST_PAGE + (GUEST_DENIED_VA / GUEST_PAGE % GUEST_ENTRIES) * 8;
  fake_java_command(java, 1, PT_COMMAND_PROTECT_RANGE, GUEST_POOL_GPA, (uint32_t)guest_pool_bytes(java->stream->vcpus));
  fake_java_rule(java, 2, PT_COMMAND_DENY, entry, PTE_RW);
}

static void step_all(struct fake_java *java) {
  const struct pt_record_head *head;
  while ((head = fake_java_take(java))) {
    if (head->kind == PT_RECORD_EXIT) {
      struct pt_decision *decision = fake_java_decision(java, head->vcpu);
      fake_java_decide(java, (const void *)head, PT_ACTION_STEP, 0, decision);
      fake_java_publish(java, decision, head->sequence);
    }
    fake_java_consumed(java);
  }
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  const struct pt_channel channel = fake_java_inherited();
  struct fake_java java;
  if (strcmp(mode, "stubborn") == 0)
    prctl(PR_SET_PDEATHSIG, 0);
  tell(&channel);
  if (fake_java_attach(&java, &channel) < 0)
    return EXIT_FAILURE;
  bool stopped = strcmp(mode, "stopped") == 0;
  if (stopped || strcmp(mode, "silent") == 0)
    protect_tables(&java);
  fake_java_ready(&java);
  while (pt_load_acquire(&java.stream->state) != PT_STATE_ENDED) {
    if (strcmp(mode, "mortal") == 0 && channel.generation == 1 &&
        pt_load_acquire(&java.stream->state) == PT_STATE_RUNNING)
      return DIED;
    if (stopped && channel.generation == 1 && pt_load_acquire(&java.stream->state) == PT_STATE_RUNNING)
      raise(SIGSTOP);
    if (stopped)
      step_all(&java);
    fake_java_sleep(&java, 10000000);
  }
  printf("exits %llu of %llu\n", (unsigned long long)java.stream->counters.replies,
         (unsigned long long)java.stream->counters.exits);
  return EXIT_SUCCESS;
}
