/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for the JVM under a real ptarmigand: writes down what it finds itself to be, says that it is ready, and
 * stays until the end of the run. "jvm_stub mortal": the first generation dies once the domain runs. "jvm_stub
 * stubborn": it rids itself of its death signal first.
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

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  const struct pt_channel channel = fake_java_inherited();
  struct fake_java java;
  if (strcmp(mode, "stubborn") == 0)
    prctl(PR_SET_PDEATHSIG, 0);
  tell(&channel);
  if (fake_java_attach(&java, &channel) < 0)
    return EXIT_FAILURE;
  fake_java_ready(&java);
  while (pt_load_acquire(&java.stream->state) != PT_STATE_ENDED) {
    if (strcmp(mode, "mortal") == 0 && channel.generation == 1 &&
        pt_load_acquire(&java.stream->state) == PT_STATE_RUNNING)
      return DIED;
    fake_java_sleep(&java, 10000000);
  }
  return EXIT_SUCCESS;
}
