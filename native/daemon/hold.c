/* SPDX-License-Identifier: Apache-2.0 */
#include "hold.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run_dir.h"

static void alert(const struct hold *hold) {
  fprintf(stderr,
          "ptarmigand: ALERT: an exit of %s got no decision in time: the domain is paused. It goes on when the JVM or "
          "its successor answers, or unjudged after: ptarmigan resume %s%s%s\n",
          hold->name, hold->name, hold->run_dir ? " --run-dir " : "", hold->run_dir ? hold->run_dir : "");
}

void hold_follow(struct hold *hold, const struct hv_backend *hv, struct hv_domain *domain,
                 const struct pt_monitor *monitor) {
  bool held = pt_held(monitor) > 0;
  if (held == hold->paused)
    return;
  hold->paused = held;
  int error = held ? hv->pause(domain) : hv->unpause(domain);
  if (held)
    alert(hold);
  else
    fprintf(stderr, "ptarmigand: %s goes on\n", hold->name);
  if (error < 0)
    fprintf(stderr, "ptarmigand: cannot %s %s: %s\n", held ? "pause" : "unpause", hold->name, strerror(-error));
}

int hold_lift_remotely(const char *run_dir, const char *name) {
  pid_t pid = run_dir_holder(run_dir, name);
  int process = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
  int status = EXIT_FAILURE;
  /* Asked again once the number cannot become another process's. */
  if (process < 0 || run_dir_holder(run_dir, name) != pid)
    fprintf(stderr, "ptarmigand: nobody watches %s\n", name);
  else if (syscall(SYS_pidfd_send_signal, process, SIGUSR1, NULL, 0) < 0)
    fprintf(stderr, "ptarmigand: cannot reach process %d, which watches %s: %s\n", (int)pid, name, strerror(errno));
  else
    status = EXIT_SUCCESS;
  if (process >= 0)
    close(process);
  return status;
}
