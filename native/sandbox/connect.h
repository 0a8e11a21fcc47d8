/* SPDX-License-Identifier: Apache-2.0 */
/* Attaching to a machine that lives already, through the socket in its directory (channel.h). */
#ifndef PTARMIGAN_SANDBOX_CONNECT_H
#define PTARMIGAN_SANDBOX_CONNECT_H

#include "spawn.h"

/*
 * Fills descriptors, process and the number of vCPUs; the domain is held from here. -ESRCH: no machine listens in dir;
 * -ETIMEDOUT: it is busy with another monitor.
 */
int connect_machine(const char *dir, struct spawn_files *files, struct spawn_child *child, unsigned *vcpus);

#endif
