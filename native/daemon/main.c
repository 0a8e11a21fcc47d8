/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "attached_file.h"
#include "confine.h"
#include "intent_file.h"
#include "recover.h"
#include "run_dir.h"
#include "vmi_loop.h"

#define DEFAULT_DEADLINE_MS 20
#define LONGEST_DEADLINE_MS 10000
#define USAGE_STATUS 2

struct arguments {
  const char *backend;
  const char *domain;
  const char *options;
  const char *run_dir;  /* where each domain has its directory; NULL: the usual place */
  const char *jvm_user; /* NULL: the usual one */
  const char *resume;   /* the domain whose hold to lift; NULL: watch one */
  bool fail_closed;
  uint64_t deadline_ms;
  char *const *command; /* of the JVM; NULL: none */
  bool recover;         /* instead of watching */
  bool execute_again;   /* when recovering */
};

static const struct hv_backend *const backends[] = {&hv_sandbox};

static int usage(const char *problem) {
  fprintf(stderr,
          "ptarmigand: %s\n"
          "usage: ptarmigand [--backend sandbox] [--domain NAME] [--options KEY=VALUE,...] [--deadline-ms 1..%d]\n"
          "                  [--fail open|closed] [--run-dir DIR] [--jvm-user NAME] [-- COMMAND [ARGUMENT...]]\n"
          "       ptarmigand --resume NAME [--run-dir DIR]\n"
          "       ptarmigand --recover [--execute-again] [--domain NAME] [--run-dir DIR] [--options KEY=VALUE,...]\n"
          "Watches a domain's page tables. COMMAND starts the JVM; without it every exit is answered by policy.\n"
          "An exit without a decision is stepped (open), or pauses the domain until --resume or a JVM ends that.\n"
          "With --recover: lets a domain go on whose monitor died.\n",
          problem, LONGEST_DEADLINE_MS);
  return USAGE_STATUS;
}

static bool parse_deadline(const char *text, uint64_t *out) {
  char *end;
  unsigned long value = strtoul(text, &end, 10);
  if (*text == '\0' || *end != '\0' || value < 1 || value > LONGEST_DEADLINE_MS)
    return false;
  *out = value;
  return true;
}

static bool parse_policy(const char *text, bool *closed) {
  *closed = strcmp(text, "closed") == 0;
  return *closed || strcmp(text, "open") == 0;
}

static int parse(int argc, char **argv, struct arguments *arguments) {
  static const struct option options[] = {{"backend", required_argument, NULL, 'b'},
                                          {"domain", required_argument, NULL, 'd'},
                                          {"options", required_argument, NULL, 'o'},
                                          {"deadline-ms", required_argument, NULL, 't'},
                                          {"run-dir", required_argument, NULL, 'r'},
                                          {"fail", required_argument, NULL, 'f'},
                                          {"resume", required_argument, NULL, 'g'},
                                          {"jvm-user", required_argument, NULL, 'u'},
                                          {"recover", no_argument, NULL, 'R'},
                                          {"execute-again", no_argument, NULL, 'E'},
                                          {NULL, 0, NULL, 0}};
  int option;
  *arguments = (struct arguments){.backend = "sandbox", .domain = "sandbox", .deadline_ms = DEFAULT_DEADLINE_MS};
  opterr = 0;
  while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
    switch (option) {
      case 'b':
        arguments->backend = optarg;
        break;
      case 'd':
        arguments->domain = optarg;
        break;
      case 'o':
        arguments->options = optarg;
        break;
      case 't':
        if (!parse_deadline(optarg, &arguments->deadline_ms))
          return usage("--deadline-ms takes a whole number of milliseconds");
        break;
      case 'r':
        arguments->run_dir = optarg;
        break;
      case 'f':
        if (!parse_policy(optarg, &arguments->fail_closed))
          return usage("--fail is open or closed");
        break;
      case 'g':
        arguments->resume = optarg;
        break;
      case 'u':
        arguments->jvm_user = optarg;
        break;
      case 'R':
        arguments->recover = true;
        break;
      case 'E':
        arguments->execute_again = true;
        break;
      default:
        return usage("unknown option, or an option without its value");
    }
  }
  if (optind < argc)
    arguments->command = argv + optind;
  if (arguments->fail_closed && !arguments->command)
    return usage("--fail closed needs a COMMAND: nobody would ever decide");
  return 0;
}

static const struct hv_backend *find_backend(const char *name) {
  for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
    if (strcmp(backends[i]->name, name) == 0)
      return backends[i];
  return NULL;
}

static int map_frame(void *context, uint64_t gfn, void **frame) {
  struct vmi_loop *loop = context;
  return loop->hv->map_frame(loop->domain, gfn, frame);
}

static void unmap_frame(void *context, uint64_t gfn, void *frame) {
  struct vmi_loop *loop = context;
  loop->hv->unmap_frame(loop->domain, gfn, frame);
}

static int set_access(void *context, const uint64_t *gfns, size_t count, bool restricted) {
  struct vmi_loop *loop = context;
  return loop->hv->set_access(loop->domain, gfns, count, restricted);
}

static int read_xmm(void *context, uint32_t vcpu, uint32_t index, uint8_t out[PT_XMM_BYTES]) {
  struct vmi_loop *loop = context;
  return loop->hv->read_xmm(loop->domain, vcpu, index, out);
}

static int open_monitor(struct vmi_loop *loop, const struct arguments *arguments, struct pt_intents *intents) {
  struct pt_options options = {
      .vcpus = loop->info.vcpus,
      .maxphyaddr = loop->info.maxphyaddr,
      .frames = loop->info.frames,
      .deadline_ns = arguments->deadline_ms * 1000000,
      .hv_emulate = loop->info.hv_emulate,
      .fail_closed = arguments->fail_closed,
      .host = {.context = loop,
               .map_frame = map_frame,
               .unmap_frame = unmap_frame,
               .set_access = set_access,
               .read_xmm = read_xmm},
      .intents = intents,
  };
  return pt_open(&options, &loop->monitor);
}

static int watch(struct vmi_loop *loop, const struct arguments *arguments, const struct launcher *launcher,
                 int dir_fd) {
  struct intent_file file = {.intents = NULL};
  loop->hv->info(loop->domain, &loop->info);
  int error = intent_file_create(dir_fd, loop->info.vcpus, &file);
  if (error == 0)
    error = open_monitor(loop, arguments, file.intents);
  if (error < 0) {
    fprintf(stderr, "ptarmigand: cannot set up shared memory: %s\n", strerror(-error));
    intent_file_close(&file);
    return EXIT_FAILURE;
  }
  loop->hold =
      (struct hold){.name = arguments->domain, .run_dir = arguments->run_dir, .closed = arguments->fail_closed};
  supervisor_init(&loop->supervisor, loop->monitor, launcher);
  int status = EXIT_FAILURE;
  error = confine(loop->hv->calls);
  if (error < 0)
    fprintf(stderr, "ptarmigand: cannot confine itself: %s\n", strerror(-error));
  else
    status = vmi_loop_run(loop);
  pt_close(loop->monitor);
  intent_file_close(&file);
  return status;
}

static int open_signals(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGUSR1);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int attach_and_watch(struct vmi_loop *loop, const struct arguments *arguments, const struct launcher *launcher,
                            int dir_fd) {
  const char *message = NULL;
  int error, left = attached_file_write(dir_fd, loop->hv->name, arguments->options);
  if (left < 0)
    error = left;
  else
    error = loop->hv->attach(arguments->domain, arguments->options, &loop->domain, &message);
  if (error < 0) {
    fprintf(stderr, "ptarmigand: cannot attach to %s: %s\n", arguments->domain, message ? message : strerror(-error));
    return EXIT_FAILURE;
  }
  int status = watch(loop, arguments, launcher, dir_fd);
  loop->hv->detach(loop->domain);
  attached_file_done(left);
  return status;
}

/* What a monitor that died has left of this domain. */
static int recover_leftovers(const struct arguments *arguments, int dir_fd) {
  struct attached left;
  int error = attached_file_read(dir_fd, &left);
  const char *backend = error == 0 ? left.backend : arguments->backend;
  struct recovery recovery = {.hv = find_backend(backend),
                              .domain = arguments->domain,
                              .options = error == 0 ? left.options : arguments->options,
                              .dir_fd = dir_fd,
                              .execute_again = arguments->execute_again,
                              .report = arguments->recover ? stdout : stderr};
  if (error == -ENOENT && !arguments->recover)
    return EXIT_SUCCESS;
  error = recovery.hv ? recover_domain(&recovery) : -EINVAL;
  if (error == 0)
    return EXIT_SUCCESS;
  fprintf(stderr, "ptarmigand: %s could not be recovered: %s\n", arguments->domain,
          error == -EBUSY ? "a vCPU is left waiting" : strerror(-error));
  return EXIT_FAILURE;
}

static int lock_and_watch(struct vmi_loop *loop, const struct arguments *arguments, const struct launcher *launcher) {
  const char *message = NULL;
  struct run_dir dir;
  int error = run_dir_open(arguments->run_dir, arguments->domain, &dir, &message);
  if (error < 0) {
    fprintf(stderr, "ptarmigand: cannot watch %s: %s\n", arguments->domain, message ? message : strerror(-error));
    return EXIT_FAILURE;
  }
  int status = recover_leftovers(arguments, dir.fd);
  if (status == EXIT_SUCCESS && !arguments->recover)
    status = attach_and_watch(loop, arguments, launcher, dir.fd);
  run_dir_close(&dir);
  return status;
}

/* The launcher comes first: what is opened after it, it cannot have. */
static int launch_and_watch(struct vmi_loop *loop, const struct arguments *arguments) {
  const char *message = NULL;
  struct identity identity;
  struct launcher launcher;
  if (!arguments->command || arguments->recover)
    return lock_and_watch(loop, arguments, NULL);
  int error = identity_find(arguments->jvm_user, &identity, &message);
  if (error == 0)
    error = launcher_open(&(struct jvm_program){arguments->command, &identity}, &launcher);
  if (error < 0) {
    fprintf(stderr, "ptarmigand: cannot set up a user for the JVM: %s\n", message ? message : strerror(-error));
    return EXIT_FAILURE;
  }
  int status = lock_and_watch(loop, arguments, &launcher);
  launcher_close(&launcher);
  return status;
}

/* Nothing started from here gains privileges, a JVM of the same user cannot read or trace this process. */
static bool harden(void) {
  int fd;
  while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
    ; /* a closed standard stream would become the number of something else */
  if (fd < 0)
    return false;
  close(fd);
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0;
}

int main(int argc, char **argv) {
  struct arguments arguments;
  int status = parse(argc, argv, &arguments);
  if (status != 0)
    return status;
  if (arguments.resume)
    return hold_lift_remotely(arguments.run_dir, arguments.resume);
  const struct hv_backend *backend = find_backend(arguments.backend);
  if (!backend)
    return usage("no such backend");
  struct vmi_loop *loop = calloc(1, sizeof *loop);
  if (!loop || !harden())
    return EXIT_FAILURE;
  loop->hv = backend;
  loop->signal_fd = open_signals();
  status = launch_and_watch(loop, &arguments);
  close(loop->signal_fd);
  free(loop);
  return status;
}
