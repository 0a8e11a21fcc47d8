/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain whose monitor died: every vCPU that waits for an answer gets one, with its write done exactly once
 * (docs/adr/0009-intent.md). The domain runs unmonitored after it. Whoever calls holds the lock of the run-time
 * directory.
 */
#ifndef PTARMIGAN_RECOVER_H
#define PTARMIGAN_RECOVER_H

#include <stdbool.h>
#include <stdio.h>

#include "hypervisor.h"

struct recovery {
  const struct hv_backend *hv;
  const char *domain;
  const char *options; /* the backend's own; NULL none */
  int dir_fd;          /* run-time directory of the domain */
  bool execute_again;  /* also what is not known to be safe to be executed again */
  FILE *report;        /* a line for each vCPU that waited, and one for what went wrong */
};

/*
 * 0: nobody waits any more, and the leftovers are gone; so also where there is no such domain any more. -EBUSY: a vCPU
 * is left waiting, because its record is missing or damaged. Other negative errno: the backend failed.
 */
int recover_domain(const struct recovery *recovery);

#endif
