/* SPDX-License-Identifier: Apache-2.0 */
/* The same seed and rounds once more, unmonitored, in other memory; and what differs. */
#ifndef PTARMIGAN_SANDBOX_REFERENCE_H
#define PTARMIGAN_SANDBOX_REFERENCE_H

#include "report.h"

/*
 * For a process of its own, forked once the vCPUs' threads have ended: runs the reference in new memory at the guest's
 * addresses and holds the tables of machine against it, A/D bits of present entries aside. 0 or a negative errno.
 */
int reference_run(struct machine *machine, struct comparison *out);

#endif
