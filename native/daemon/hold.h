/* SPDX-License-Identifier: Apache-2.0 */
/* Fail-closed, as the loop sees it: the domain is paused while the library holds exits, and the user is told. */
#ifndef PTARMIGAN_HOLD_H
#define PTARMIGAN_HOLD_H

#include "hypervisor.h"
#include "ptarmigan/plugin.h"

struct hold {
  const char *name;    /* of the domain */
  const char *run_dir; /* as given by the user; NULL: the usual place */
  bool closed;         /* the policy */
  bool paused;
};

/* Pauses the domain or lets it go on, as the library holds exits or not. To be called each turn. */
void hold_follow(struct hold *hold, const struct hv_backend *hv, struct hv_domain *domain,
                 const struct pt_monitor *monitor);

/*
 * Tells the ptarmigand that watches a domain to lift its hold: by SIGUSR1, which does nothing where there is none. Says
 * on stderr what went wrong. Exit status for main().
 */
int hold_lift_remotely(const char *run_dir, const char *name);

#endif
