/* SPDX-License-Identifier: Apache-2.0 */
#include "kill_case.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "intent.h"

#define DAEMON PROGRAMS_DIR "/ptarmigand"
#define STOPPING_DAEMON PROGRAMS_DIR "/ptarmigand-stops"
#define CONSUMER TESTS_DIR "/ptarmigan-test-consumer"
#define LONGEST_MS 120000
#define MOST_ARGUMENTS 40

static void fail(const char *what) {
  perror(what);
  abort();
}

static void sleep_ms(long ms) {
  nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static void path_of(const struct kill_case *it, const char *name, char out[128]) {
  snprintf(out, 128, "%s/%s", it->dir, name);
}

void kill_case_open(struct kill_case *it, const char *options) {
  char path[128];
  memset(it, 0, sizeof *it);
  strcpy(it->dir, "/tmp/ptarmigan-kill-XXXXXX");
  /* To be entered by the JVM's user, who knows the names of its files. */
  if (!mkdtemp(it->dir) || chmod(it->dir, 0711) < 0)
    fail(it->dir);
  snprintf(it->options, sizeof it->options, "orphan=60,dir=%s,%s", it->dir, options);
  path_of(it, "stopped", path);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, 1) < 0)
    fail(path);
  it->stopped = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (it->stopped == MAP_FAILED)
    fail("mmap");
  close(fd);
}

static pid_t start(struct kill_case *it, const char *point, int output, const char *const *arguments) {
  char stop_file[128];
  *it->stopped = 0;
  pid_t pid = fork();
  if (pid < 0)
    fail("fork"); /* kill() would take -1 for everybody */
  if (pid > 0)
    return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (output >= 0)
    dup2(output, STDOUT_FILENO);
  path_of(it, "stopped", stop_file);
  if (point) {
    setenv("PTARMIGAN_STOP", point, 1);
    setenv("PTARMIGAN_STOP_FILE", stop_file, 1);
  }
  execv(arguments[0], (char *const *)(uintptr_t)arguments);
  _exit(127);
}

static void watch(struct kill_case *it, const char *daemon, const char *point, bool step) {
  char run_dir[128];
  path_of(it, "run", run_dir);
  const char *const consumer[] = {CONSUMER, step ? "step" : NULL, NULL};
  const char *const *command = it->command ? it->command : consumer;
  const char *arguments[MOST_ARGUMENTS + 1] = {
      daemon, "--run-dir", run_dir, "--options", it->options, "--deadline-ms", it->command ? "20" : "2000", "--"};
  for (size_t i = 8; i < MOST_ARGUMENTS && *command; i++, command++)
    arguments[i] = strcmp(*command, "{}") == 0 ? it->dir : *command;
  clock_gettime(CLOCK_REALTIME_COARSE, &it->since); /* what files are stamped with */
  it->pid = start(it, point, -1, arguments);
}

void kill_case_watch(struct kill_case *it, const char *point, bool step) {
  watch(it, STOPPING_DAEMON, point, step);
}

void kill_case_watch_freely(struct kill_case *it) {
  watch(it, DAEMON, NULL, false);
}

/* A run of ours makes the intent file, anew where an earlier one left it. */
bool kill_case_attached(const struct kill_case *it) {
  char path[128];
  path_of(it, "run/sandbox/intent", path);
  for (int ms = 0; ms < LONGEST_MS; ms++) {
    struct stat status;
    const struct timespec *made = &status.st_ctim;
    if (stat(path, &status) == 0 &&
        (made->tv_sec > it->since.tv_sec || (made->tv_sec == it->since.tv_sec && made->tv_nsec >= it->since.tv_nsec)))
      return true;
    sleep_ms(1);
  }
  return false;
}

/* The intent file is all zero behind its header until then. */
static bool noted(const struct kill_case *it) {
  char path[128], bytes[8192];
  path_of(it, "run/sandbox/intent", path);
  FILE *file = fopen(path, "re");
  size_t length = file ? fread(bytes, 1, sizeof bytes, file) : 0;
  if (file)
    fclose(file);
  for (size_t i = sizeof(struct pt_intents); i < length; i++)
    if (bytes[i])
      return true;
  return false;
}

bool kill_case_over(const struct kill_case *it) {
  char path[128];
  path_of(it, "result.json", path);
  return access(path, F_OK) == 0;
}

static bool ended(pid_t pid) {
  siginfo_t info = {.si_pid = 0};
  return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid != 0;
}

bool kill_case_busy(const struct kill_case *it) {
  if (!kill_case_attached(it))
    return false;
  for (int ms = 0; ms < LONGEST_MS; ms += 2) {
    if (noted(it))
      return true;
    if (ended(it->pid))
      return false;
    sleep_ms(2);
  }
  return false;
}

static bool wait_for_stop(const struct kill_case *it, pid_t pid) {
  for (int ms = 0; ms < LONGEST_MS && !*it->stopped; ms++) {
    if (ended(pid))
      return false;
    sleep_ms(1);
  }
  return *it->stopped;
}

bool kill_case_stopped(struct kill_case *it) {
  return wait_for_stop(it, it->pid);
}

void kill_case_kill(struct kill_case *it) {
  kill(it->pid, SIGKILL);
  waitpid(it->pid, NULL, 0);
  it->pid = 0;
}

static struct timespec guest_begun(const struct kill_case *it) {
  struct stat status = {.st_mtim = {0}};
  char path[128];
  path_of(it, "layout.json", path);
  stat(path, &status);
  return status.st_mtim;
}

void kill_case_note_guest(struct kill_case *it) {
  it->begun = guest_begun(it);
}

bool kill_case_same_guest(const struct kill_case *it) {
  struct timespec now = guest_begun(it);
  return memcmp(&now, &it->begun, sizeof now) == 0;
}

static pid_t start_recovery(struct kill_case *it, const char *daemon, const char *point) {
  char run_dir[128], said[128];
  path_of(it, "run", run_dir);
  path_of(it, "said", said);
  const char *const arguments[] = {daemon, "--recover", "--run-dir", run_dir, NULL};
  int output = open(said, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  pid_t pid = start(it, point, output, arguments);
  close(output);
  return pid;
}

static void read_file(const struct kill_case *it, const char *name, char *text, size_t bytes) {
  char path[128];
  path_of(it, name, path);
  FILE *file = fopen(path, "re");
  text[file ? fread(text, 1, bytes - 1, file) : 0] = '\0';
  if (file)
    fclose(file);
}

int kill_case_recover(struct kill_case *it) {
  int status;
  waitpid(start_recovery(it, DAEMON, NULL), &status, 0);
  read_file(it, "said", it->said, sizeof it->said);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool kill_case_recover_and_die(struct kill_case *it, const char *point) {
  pid_t pid = start_recovery(it, STOPPING_DAEMON, point);
  bool there = wait_for_stop(it, pid);
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  return there;
}

static void remove_tree(const char *path) {
  char below[512];
  DIR *dir = opendir(path);
  struct dirent *entry;
  while (dir && (entry = readdir(dir))) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
      continue;
    snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
    if (unlink(below) < 0)
      remove_tree(below);
  }
  if (dir)
    closedir(dir);
  rmdir(path);
}

static unsigned long number(const char *text, const char *key) {
  const char *at = strstr(text, key);
  return at ? strtoul(at + strlen(key), NULL, 10) : ~0ul;
}

struct kill_result kill_case_close(struct kill_case *it) {
  struct kill_result result = {.known = false};
  for (int ms = 0; ms < LONGEST_MS && !result.known; ms += 2) {
    read_file(it, "result.json", result.text, sizeof result.text);
    result.known = strstr(result.text, "\n}\n") != NULL;
    sleep_ms(2);
  }
  result.mismatches = number(result.text, "\"guest_mismatches\": ");
  result.rounds = number(result.text, "\"rounds\": [");
  munmap((void *)(uintptr_t)it->stopped, 1);
  if (it->pid)
    kill_case_kill(it);
  remove_tree(it->dir);
  return result;
}
