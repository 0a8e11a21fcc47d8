/* SPDX-License-Identifier: Apache-2.0 */
/* How a domain comes to be: started anew, or found living in its directory. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "channel.h"
#include "connect.h"
#include "domain.h"
#include "guest/boot.h"
#include "options.h"

static int guest_path(const struct sandbox_options *options, char out[PATH_MAX]) {
  static const char name[] = "ptarmigan-guest";
  if (options->guest[0] != '\0') {
    memcpy(out, options->guest, PATH_MAX);
    return 0;
  }
  ssize_t length = readlink("/proc/self/exe", out, PATH_MAX);
  if (length < 0) {
    return -errno;
  }
  while (length > 0 && out[length - 1] != '/') {
    length--;
  }
  if ((size_t)length + sizeof(name) > PATH_MAX) {
    return -ENAMETOOLONG;
  }
  memcpy(out + length, name, sizeof(name));
  return 0;
}

static int shared_memory(const char *name, size_t bytes, int *fd, void **mapping) {
  *fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (*fd < 0 || ftruncate(*fd, (off_t)bytes) < 0 ||
      fcntl(*fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0) {
    return -errno;
  }
  *mapping = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
  if (*mapping == MAP_FAILED) {
    *mapping = NULL;
    return -errno;
  }
  return 0;
}

static int map_shared(int fd, size_t bytes, void **mapping) {
  struct stat status;
  if (fstat(fd, &status) < 0 || (size_t)status.st_size != bytes) {
    return -EBADMSG;
  }
  void *got = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (got == MAP_FAILED) {
    return -errno;
  }
  *mapping = got;
  return 0;
}

static void find_channel(struct hv_domain *domain) {
  domain->channel = (struct channel *)((uint8_t *)domain->pages + CHANNEL_PAGE_BYTES);
}

static int share_memory(struct hv_domain *domain) {
  void *ram;
  int status = shared_memory("ptarmigan-ram", domain->ram_bytes, &domain->own.ram, &ram);
  if (status < 0) {
    return status;
  }
  domain->ram = ram;
  status = shared_memory("ptarmigan-pages", CHANNEL_PAGES_BYTES, &domain->own.pages, &domain->pages);
  if (status < 0) {
    return status;
  }
  find_channel(domain);
  vm_event_sring_t *sring = domain->pages;
  SHARED_RING_INIT(sring);
  return 0;
}

static int watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* The machine runs and has built its domain when this returns 0. */
static int start(struct hv_domain *domain, const struct sandbox_options *options, const char *text) {
  char executable[PATH_MAX];
  int sockets[2];
  int status = guest_path(options, executable);
  if (status < 0) {
    return status;
  }
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0) {
    return -errno;
  }
  domain->own.control = sockets[0];
  struct spawn_files theirs = domain->own;
  theirs.control = sockets[1];
  status = spawn_machine(executable, text, &theirs, options->orphan_seconds > 0, &domain->child);
  close(sockets[1]);
  if (status < 0) {
    return status;
  }
  domain->started = true;
  status = watch(domain->epoll, domain->child.pidfd);
  return status < 0 ? status : domain_answer(domain);
}

static int create(const struct sandbox_options *options, struct hv_domain **out) {
  struct hv_domain *domain = calloc(1, sizeof(*domain));
  if (domain == NULL) {
    return -ENOMEM;
  }
  domain->vcpus = options->vcpus;
  domain->outlives = options->orphan_seconds > 0;
  domain->own = (struct spawn_files){-1, -1, -1, -1};
  domain->epoll = epoll_create1(EPOLL_CLOEXEC);
  *out = domain;
  return domain->epoll < 0 ? -errno : 0;
}

/* A machine of its own for this domain. */
static int start_new(struct hv_domain *domain, const struct sandbox_options *options, const char *text,
                     const char **message) {
  *message = "the sandbox could not set up its shared memory";
  domain->ram_bytes = guest_ram_bytes(options->vcpus);
  domain->own.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int status = domain->own.event < 0 ? -errno : watch(domain->epoll, domain->own.event);
  if (status == 0) {
    status = share_memory(domain);
  }
  if (status == 0) {
    *message = "the sandbox guest did not start; is ptarmigan-guest where it should be?";
    status = start(domain, options, text == NULL ? "" : text);
  }
  return status;
}

/* The machine that lives in the directory already. -ESRCH: none does. */
static int join(struct hv_domain *domain, const struct sandbox_options *options) {
  void *ram;
  if (!domain->outlives) {
    return -ESRCH;
  }
  int status = connect_machine(options->dir, &domain->own, &domain->child, &domain->vcpus);
  if (status < 0) {
    return status;
  }
  domain->started = true;
  domain->ram_bytes = guest_ram_bytes(domain->vcpus);
  status = map_shared(domain->own.ram, domain->ram_bytes, &ram);
  if (status == 0) {
    domain->ram = ram;
    status = map_shared(domain->own.pages, CHANNEL_PAGES_BYTES, &domain->pages);
  }
  if (status < 0) {
    return status;
  }
  find_channel(domain);
  status = watch(domain->epoll, domain->own.event);
  return status < 0 ? status : watch(domain->epoll, domain->child.pidfd);
}

/* A domain that a monitor has left in good order: no vCPU waits for an answer of it. */
static int enter(struct hv_domain *domain, const char **message) {
  int status = domain_ask(domain, &(struct control_request){.kind = CONTROL_ORPHANS});
  if (status > 0) {
    *message = "its vCPUs wait for a monitor that died: recover it first";
    return -EBUSY;
  }
  return status < 0 ? status : domain_ask(domain, &(struct control_request){.kind = CONTROL_ENTER});
}

static int attach_to(const char *text, bool again, struct hv_domain **out, const char **message) {
  struct sandbox_options options;
  struct hv_domain *domain = NULL;
  int status = sandbox_options_parse(text, &options, message);
  if (status < 0) {
    return status;
  }
  status = create(&options, &domain);
  if (status == 0) {
    *message = NULL;
    status = join(domain, &options);
    if (status == -ESRCH && !again) {
      status = start_new(domain, &options, text, message);
    } else if (status == 0 && !again) {
      status = enter(domain, message);
    }
  }
  if (status < 0) {
    if (domain != NULL) {
      domain_release(domain);
    }
    return status;
  }
  *out = domain;
  return 0;
}

int sandbox_attach(const char *name, const char *text, struct hv_domain **out, const char **message) {
  (void)name; /* there is one kind of domain, made on the spot or found by its directory */
  const char *unused;
  return attach_to(text, false, out, message == NULL ? &unused : message);
}

int sandbox_reattach(const char *name, const char *text, struct hv_domain **out, const char **message) {
  (void)name;
  const char *unused;
  return attach_to(text, true, out, message == NULL ? &unused : message);
}
