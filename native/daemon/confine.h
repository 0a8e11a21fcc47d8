/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop's system-call filter. A call that the loop has no use for fails with EPERM and is logged by the kernel, so
 * that a surprise of the C library costs an error, not the guest's life; one that would start a program, change
 * identity, reach into another process or change the kernel ends this process, for only an intruder makes it.
 * docs/adr/0011-privileges.md
 */
#ifndef PTARMIGAN_CONFINE_H
#define PTARMIGAN_CONFINE_H

#include <stdbool.h>

/* False in a build with address or thread sanitizer, whose run-time makes calls of its own. */
bool confine_supported(void);

/*
 * For good, for this thread and what it starts; there should be no other thread. more: calls to let through beside the
 * loop's, as in struct hv_backend. 0, or a negative errno: nothing has changed.
 */
int confine(const int *more);

#endif
