/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ptarmigan-guest OPTIONS: the machine's process, started by the backend with the descriptors of channel.h. Builds the
 * domain, holds it, serves the control socket; once the vCPUs are off, has the reference run done, writes the result
 * and says that the domain has ended. Ends when the control socket does; with the option orphan only if no other
 * monitor comes in time.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "build.h"
#include "events.h"
#include "fault.h"
#include "lib/clock.h"
#include "monitors.h"
#include "ram.h"
#include "reference.h"
#include "report.h"
#include "vcpu.h"
#include "walker.h"

enum { FEW_CPUS = 4, SPIN_FEW_NS = 2000, SPIN_NS = 20000 };

enum phase { PHASE_HELD, PHASE_RUNNING, PHASE_REFERENCE, PHASE_ENDED };

struct control {
  struct machine *machine;
  enum phase phase;
  uint64_t stop_ns;    /* when the vCPUs are told to stop, pauses not counted; UINT64_MAX never */
  uint64_t paused_ns;  /* when they were paused; 0: they are not */
  pid_t reference;     /* process of the reference run */
  int reference_fd;    /* its struct comparison, then end of file */
  bool watched;        /* there is a monitor */
  int listener;        /* of other monitors; -1 none */
  uint64_t give_up_ns; /* not watched: when to end; UINT64_MAX never */
};

static uint64_t spin_ns(void) {
  cpu_set_t cpus;
  bool few = sched_getaffinity(0, sizeof(cpus), &cpus) < 0 || CPU_COUNT(&cpus) <= FEW_CPUS;
  return few ? SPIN_FEW_NS : SPIN_NS;
}

static int set_up(struct machine *machine) {
  uint8_t *pages = mmap(NULL, CHANNEL_PAGES_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, CHANNEL_PAGES_FD, 0);
  machine->idle_fd = eventfd(0, EFD_CLOEXEC);
  if (pages == MAP_FAILED || machine->idle_fd < 0) {
    return -errno;
  }
  machine->channel = (struct channel *)(void *)(pages + CHANNEL_PAGE_BYTES);
  machine->spin_ns = spin_ns();
  events_open(machine, pages);
  int status = ram_open(machine, CHANNEL_RAM_FD);
  if (status == 0) {
    status = build_domain(machine);
  }
  if (status == 0) {
    status = ram_map_guest(machine);
  }
  if (status == 0) {
    status = fault_install();
  }
  return status < 0 ? status : report_layout(machine);
}

static int pause_vcpus(struct control *control) {
  if (control->paused_ns == 0) {
    control->paused_ns = pt_now_ns();
    vcpus_pause(control->machine);
  }
  return 0;
}

static int unpause_vcpus(struct control *control) {
  if (control->paused_ns != 0 && control->stop_ns != UINT64_MAX) {
    control->stop_ns += pt_now_ns() - control->paused_ns;
  }
  control->paused_ns = 0;
  vcpus_unpause(control->machine);
  return 0;
}

static int resume(struct control *control) {
  struct machine *machine = control->machine;
  bool paused = control->paused_ns != 0; /* as a monitor that comes later finds it */
  unpause_vcpus(control);
  if (control->phase != PHASE_HELD) {
    return paused ? 0 : -EALREADY;
  }
  control->phase = PHASE_RUNNING;
  if (machine->options.rounds == 0) {
    control->stop_ns = pt_now_ns() + (uint64_t)(machine->options.seconds * 1e9);
  }
  int status = walker_start(machine);
  return status < 0 ? status : vcpus_start(machine);
}

static bool answer(int32_t status) {
  return send(CHANNEL_CONTROL_FD, &status, sizeof(status), MSG_NOSIGNAL) == sizeof(status);
}

static struct channel_orphans *orphans_of(const struct machine *machine) {
  uint8_t *channel = (uint8_t *)machine->channel;
  return (struct channel_orphans *)(void *)(channel - CHANNEL_PAGE_BYTES + CHANNEL_ORPHANS_OFFSET);
}

static int carry_out(struct control *control, const struct control_request *request, size_t bytes) {
  if (bytes < offsetof(struct control_request, gfns) || request->count > CONTROL_GFNS ||
      bytes != offsetof(struct control_request, gfns) + request->count * sizeof(request->gfns[0])) {
    return -EBADMSG;
  }
  switch (request->kind) {
    case CONTROL_RESTRICT:
    case CONTROL_RELEASE:
      return ram_restrict(control->machine, request->gfns, request->count, request->kind == CONTROL_RESTRICT);
    case CONTROL_RESUME:
      return resume(control);
    case CONTROL_PAUSE:
      return pause_vcpus(control);
    case CONTROL_UNPAUSE:
      return unpause_vcpus(control);
    case CONTROL_ORPHANS:
      return events_list_orphans(control->machine, orphans_of(control->machine));
    case CONTROL_UNRESTRICT:
      ram_unrestrict(control->machine);
      events_set_views(control->machine, VIEW_UNRESTRICTED);
      return 0;
    case CONTROL_ENTER:
      events_set_views(control->machine, VIEW_RESTRICTED);
      return 0;
    default:
      return -EBADMSG;
  }
}

/* False once the backend is gone. */
static bool serve(struct control *control) {
  struct control_request request;
  ssize_t bytes = recv(CHANNEL_CONTROL_FD, &request, sizeof(request), 0);
  return bytes > 0 && answer(carry_out(control, &request, (size_t)bytes));
}

/* The monitor has gone. False: the domain ends with it. */
static bool wait_for_another(struct control *control) {
  if (control->listener < 0 || control->phase == PHASE_ENDED) {
    return false;
  }
  control->watched = false;
  control->give_up_ns = pt_now_ns() + (uint64_t)(control->machine->options.orphan_seconds * 1e9);
  return true;
}

static void let_in(struct control *control) {
  struct machine *machine = control->machine;
  bool paused = control->paused_ns != 0; /* by the monitor that died */
  pause_vcpus(control);
  events_begin_anew(machine);
  control->watched = monitors_accept(machine, control->listener) == 0;
  if (control->watched) {
    control->give_up_ns = UINT64_MAX;
  } else if (!paused) {
    unpause_vcpus(control);
  }
}

/* The reference run is quick but not that quick: in a process of its own it leaves the control socket served. */
static int start_reference(struct control *control) {
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
    return -errno;
  }
  pid_t parent = getpid();
  control->reference = fork();
  if (control->reference < 0) {
    return -errno;
  }
  if (control->reference == 0) {
    struct comparison comparison;
    bool done = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
                reference_run(control->machine, &comparison) == 0 &&
                write(pipe_fds[1], &comparison, sizeof(comparison)) == sizeof(comparison);
    _exit(done ? 0 : 1);
  }
  close(pipe_fds[1]);
  control->reference_fd = pipe_fds[0];
  control->phase = PHASE_REFERENCE;
  return 0;
}

static int finish_run(struct control *control) {
  walker_join(control->machine);
  vcpus_join(control->machine);
  control->stop_ns = UINT64_MAX;
  return start_reference(control);
}

static int finish_reference(struct control *control) {
  struct machine *machine = control->machine;
  struct comparison comparison;
  ssize_t bytes = read(control->reference_fd, &comparison, sizeof(comparison));
  if (bytes != sizeof(comparison)) {
    comparison = (struct comparison){.failed_checks = 1}; /* the reference run itself died */
  }
  close(control->reference_fd);
  waitpid(control->reference, NULL, 0);
  int status = report_result(machine, &comparison);
  control->phase = PHASE_ENDED;
  atomic_store(&machine->channel->ended, 1);
  events_raise(machine);
  return status;
}

static int timeout_ms(const struct control *control) {
  uint64_t now = pt_now_ns();
  uint64_t stop_ns = control->paused_ns != 0 ? UINT64_MAX : control->stop_ns;
  uint64_t next = stop_ns < control->give_up_ns ? stop_ns : control->give_up_ns;
  if (next == UINT64_MAX) {
    return -1;
  }
  return next <= now ? 0 : (int)((next - now) / 1000000 + 1);
}

static int run(struct control *control) {
  struct machine *machine = control->machine;
  for (;;) {
    int other = control->phase == PHASE_RUNNING     ? machine->idle_fd
                : control->phase == PHASE_REFERENCE ? control->reference_fd
                                                    : -1;
    struct pollfd fds[] = {{.fd = control->watched ? CHANNEL_CONTROL_FD : control->listener, .events = POLLIN},
                           {.fd = other, .events = POLLIN}};
    if (poll(fds, 2, timeout_ms(control)) < 0) {
      if (errno == EINTR) {
        continue;
      }
      return -errno;
    }
    if (control->paused_ns == 0 && pt_now_ns() >= control->stop_ns) {
      uint64_t goes_on = GUEST_GOES_ON;
      __atomic_compare_exchange_n(&machine->boot->stop, &goes_on, GUEST_STOPS, false, __ATOMIC_SEQ_CST,
                                  __ATOMIC_SEQ_CST);
      control->stop_ns = UINT64_MAX;
    }
    if (pt_now_ns() >= control->give_up_ns) {
      return 0;
    }
    if (fds[0].revents != 0 && !control->watched) {
      let_in(control);
    } else if (fds[0].revents != 0 && !serve(control) && !wait_for_another(control)) {
      return 0;
    }
    int status = 0;
    if (fds[1].revents != 0) {
      status = control->phase == PHASE_RUNNING ? finish_run(control) : finish_reference(control);
    }
    if (status < 0 || (control->phase == PHASE_ENDED && !control->watched)) {
      return status;
    }
  }
}

int main(int count, char **arguments) {
  const char *message = "usage: ptarmigan-guest OPTIONS, as the sandbox backend does it";
  struct machine *machine = calloc(1, sizeof(*machine));
  struct control control = {.machine = machine,
                            .phase = PHASE_HELD,
                            .stop_ns = UINT64_MAX,
                            .watched = true,
                            .listener = -1,
                            .give_up_ns = UINT64_MAX};
  if (machine == NULL || count != 2 || sandbox_options_parse(arguments[1], &machine->options, &message) < 0) {
    fprintf(stderr, "ptarmigan-guest: %s\n", message);
    return 2;
  }
  int status = set_up(machine);
  if (status == 0 && machine->options.orphan_seconds > 0) {
    status = control.listener = monitors_listen(machine);
    status = status < 0 ? status : 0;
  }
  if (answer(status) && status == 0) {
    status = run(&control);
  }
  if (status < 0) {
    fprintf(stderr, "ptarmigan-guest: %s\n", strerror(-status));
  }
  monitors_close(machine);
  _exit(status < 0); /* vCPUs that wait for a response are not waited for */
}
