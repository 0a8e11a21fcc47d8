/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <dirent.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COMM_LENGTH 15
#define DEEPEST 4 /* ptarmigand, its launcher, the JVM */

static bool runs(pid_t pid, const char *program) {
  char path[64], target[PATH_MAX];
  snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
  ssize_t length = readlink(path, target, sizeof target - 1);
  if (length <= 0)
    return false;
  target[length] = '\0';
  const char *name = strrchr(target, '/');
  return name && strcmp(name + 1, program) == 0;
}

static pid_t find(pid_t parent, const char *program, unsigned depth) {
  char path[64];
  int child;
  pid_t found = -1;
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
  FILE *children = depth > 0 ? fopen(path, "re") : NULL;
  while (children && found < 0 && fscanf(children, "%d", &child) == 1)
    found = runs(child, program) ? child : find(child, program, depth - 1);
  if (children)
    fclose(children);
  return found;
}

bool victim_find(pid_t root, const char *program, struct victim *out) {
  out->pid = find(root, program, DEEPEST);
  out->fd = out->pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, out->pid, 0);
  if (out->fd < 0)
    return false;
  if (runs(out->pid, program))
    return true;
  close(out->fd); /* its number went to another meanwhile */
  return false;
}

static bool is_named(pid_t pid, const char *thread, const char *name) {
  char path[300], line[32] = "";
  snprintf(path, sizeof path, "/proc/%d/task/%s/comm", (int)pid, thread);
  FILE *file = fopen(path, "re");
  bool read = file && fgets(line, sizeof line, file);
  if (file)
    fclose(file);
  line[strcspn(line, "\n")] = '\0';
  return read && strncmp(line, name, COMM_LENGTH) == 0;
}

bool victim_has_thread(const struct victim *victim, const char *name) {
  char path[64];
  bool found = false;
  snprintf(path, sizeof path, "/proc/%d/task", (int)victim->pid);
  DIR *threads = opendir(path);
  for (struct dirent *entry; threads && !found && (entry = readdir(threads));)
    found = entry->d_name[0] != '.' && is_named(victim->pid, entry->d_name, name);
  if (threads)
    closedir(threads);
  return found;
}

bool victim_ended(const struct victim *victim) {
  struct pollfd end = {.fd = victim->fd, .events = POLLIN};
  return poll(&end, 1, 0) > 0;
}

bool victim_signal(const struct victim *victim, int signal) {
  return syscall(SYS_pidfd_send_signal, victim->fd, signal, NULL, 0) == 0;
}
