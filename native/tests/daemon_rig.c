/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon_rig.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEP_US 5000
#define ARGUMENTS_MOST 32

int daemon_rig_up(void **state) {
  struct daemon_rig *rig = calloc(1, sizeof *rig);
  char command[512];
  strcpy(rig->dir, "/tmp/ptarmigan-daemon.XXXXXX");
  if (!mkdtemp(rig->dir))
    return -1;
  snprintf(command, sizeof command,
           "cp '%s/ptarmigand' '%s/ptarmigan-guest' '%s/jvm_stub' '%s' && chmod -R a+rX '%s' && chmod 1777 '%s'",
           PROGRAMS_DIR, PROGRAMS_DIR, TESTS_DIR, rig->dir, rig->dir, rig->dir);
  snprintf(rig->command, sizeof rig->command, "%s/jvm_stub", rig->dir);
  *state = rig;
  return system(command);
}

int daemon_rig_down(void **state) {
  struct daemon_rig *rig = *state;
  char command[96];
  snprintf(command, sizeof command, "rm -rf '%s'", rig->dir);
  free(rig);
  return system(command);
}

/* Before the start: what an earlier run has said must not be taken for this one's. */
static void clear(const struct daemon_rig *rig) {
  static const char *const names[] = {"out", "err", "trace"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", rig->dir, names[i]);
    unlink(path);
  }
}

static void redirect(const struct daemon_rig *rig, const char *name, int to) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s", rig->dir, name);
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0 || dup2(fd, to) < 0)
    _exit(126);
}

/* Root comes with a group that the JVM is not to have. */
static void become(uid_t user) {
  const gid_t adm = 4;
  if (geteuid() == 0 && user == 0 && setgroups(1, &adm) < 0)
    _exit(126);
  if (user != geteuid() && (setgroups(0, NULL) < 0 || setgid(user) < 0 || setuid(user) < 0))
    _exit(126);
}

pid_t daemon_start(struct daemon_rig *rig, uid_t user, const char *const *arguments) {
  char program[96], run[96], trace[96];
  const char *traced[ARGUMENTS_MOST] = {"strace", "-o", trace, program, "--run-dir", run};
  const char **argv = rig->traced ? traced : traced + 3;
  snprintf(program, sizeof program, "%s/ptarmigand", rig->dir);
  snprintf(run, sizeof run, "%s/run", rig->dir);
  snprintf(trace, sizeof trace, "%s/trace", rig->dir);
  for (size_t i = 0; arguments[i]; i++)
    traced[i + 6] = arguments[i];
  clear(rig);
  pid_t pid = fork();
  if (pid == 0) {
    redirect(rig, "out", STDOUT_FILENO);
    redirect(rig, "err", STDERR_FILENO);
    become(user);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(126);
  }
  assert_true(pid > 0);
  return pid;
}

int daemon_wait(pid_t pid) {
  int status;
  for (unsigned waited = 0; waitpid(pid, &status, WNOHANG) == 0; waited += STEP_US) {
    if (waited > 30000000) {
      process_signal(pid, SIGKILL);
      fail_msg("ptarmigand does not end");
    }
    usleep(STEP_US);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

const char *daemon_text(struct daemon_rig *rig, const char *name) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s", rig->dir, name);
  rig->text[0] = '\0';
  FILE *file = fopen(path, "re");
  if (file) {
    rig->text[fread(rig->text, 1, sizeof rig->text - 1, file)] = '\0';
    fclose(file);
  }
  return rig->text;
}

const char *daemon_line(struct daemon_rig *rig, const char *file, const char *name) {
  size_t length = strlen(name);
  char *rest = (char *)(uintptr_t)daemon_text(rig, file);
  for (char *line; (line = strsep(&rest, "\n"));)
    if (strncmp(line, name, length) == 0)
      return line + length;
  return NULL;
}

void daemon_await(struct daemon_rig *rig, const char *name, const char *line) {
  for (unsigned waited = 0; !daemon_line(rig, name, line); waited += STEP_US) {
    if (waited > 10000000)
      fail_msg("no line \"%s\" in %s:\n%s\n%s", line, name, daemon_text(rig, name), daemon_text(rig, "err"));
    usleep(STEP_US);
  }
}

static pid_t find_child(pid_t parent, const char *name) {
  char path[64], comm[64];
  int child;
  pid_t found = -1;
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
  FILE *children = fopen(path, "re");
  while (children && found < 0 && fscanf(children, "%d", &child) == 1) {
    snprintf(path, sizeof path, "/proc/%d/comm", child);
    FILE *file = fopen(path, "re");
    if (file && fscanf(file, "%63s", comm) == 1 && strcmp(comm, name) == 0)
      found = child;
    if (file)
      fclose(file);
  }
  if (children)
    fclose(children);
  return found;
}

pid_t child_named(pid_t parent, const char *name) {
  pid_t found;
  for (unsigned waited = 0; (found = find_child(parent, name)) < 0; waited += STEP_US) {
    if (waited > 10000000)
      fail_msg("no process %s", name);
    usleep(STEP_US);
  }
  return found;
}

void process_signal(pid_t pid, int signal) {
  if (pid <= 1)
    fail_msg("%d is no process to be signalled", (int)pid);
  assert_int_equal(kill(pid, signal), 0);
}

const char *process_status(pid_t pid, const char *field) {
  static char line[256];
  char path[64];
  size_t length = strlen(field);
  snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
  FILE *file = fopen(path, "re");
  const char *value = NULL;
  while (file && !value && fgets(line, sizeof line, file))
    if (strncmp(line, field, length) == 0 && line[length] == ':')
      value = line + length + 1 + strspn(line + length + 1, " \t");
  if (file)
    fclose(file);
  line[strcspn(line, "\n")] = '\0';
  return value;
}
