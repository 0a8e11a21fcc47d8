/* SPDX-License-Identifier: Apache-2.0 */
/* Monitors that come after the first: the socket at which a machine with the option orphan lets them in. */
#ifndef PTARMIGAN_SANDBOX_MONITORS_H
#define PTARMIGAN_SANDBOX_MONITORS_H

#include "machine.h"

/* Listens in the domain's directory. The descriptor, or a negative errno. */
int monitors_listen(const struct machine *machine);

/* Lets the next one in: hands it the descriptors; its connection becomes CHANNEL_CONTROL_FD. 0 or a negative errno. */
int monitors_accept(const struct machine *machine, int listener);

/* Nobody can come any more. */
void monitors_close(const struct machine *machine);

#endif
