/* SPDX-License-Identifier: Apache-2.0 */
/* The backend's end of a domain, in attach.c while it comes to be and in backend.c from there. */
#ifndef PTARMIGAN_SANDBOX_DOMAIN_H
#define PTARMIGAN_SANDBOX_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel.h"
#include "hypervisor.h"
#include "spawn.h"

struct hv_domain {
  unsigned vcpus;
  size_t ram_bytes;
  uint8_t *ram;
  void *pages; /* ring page, then struct channel */
  struct channel *channel;
  struct spawn_files own; /* this end's descriptors */
  int epoll;
  struct spawn_child child;
  bool started;
  bool outlives; /* the domain goes on without this end */
  bool ended;
  uint64_t looked_ns;
};

/* Asks the machine for something. 0 or more is its answer; -ESRCH: it ended; -ETIMEDOUT: it was silent and killed. */
int domain_ask(struct hv_domain *domain, const struct control_request *request);
/* The answer to what was asked, or to being started. */
int domain_answer(struct hv_domain *domain);

/* Frees whatever domain has by now. */
void domain_release(struct hv_domain *domain);

int sandbox_attach(const char *name, const char *text, struct hv_domain **out, const char **message);
int sandbox_reattach(const char *name, const char *text, struct hv_domain **out, const char **message);

#endif
