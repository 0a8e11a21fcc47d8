/* SPDX-License-Identifier: Apache-2.0 */
/* The domain builder: puts the image into memory and makes the page tables that the vCPUs start with. */
#ifndef PTARMIGAN_SANDBOX_BUILD_H
#define PTARMIGAN_SANDBOX_BUILD_H

#include "machine.h"

/* Fills the zeroed memory and machine.header, boot, pool and vCPU roots. 0 or -ENOEXEC. Not for handlers. */
int build_domain(struct machine *machine);

#endif
