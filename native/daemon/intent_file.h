/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file in a domain's run-time directory in which libptarmigan keeps its intents (lib/intent.h). It is there while a
 * monitor watches the domain, and after one that died.
 */
#ifndef PTARMIGAN_INTENT_FILE_H
#define PTARMIGAN_INTENT_FILE_H

#include <stddef.h>

#include "ptarmigan/plugin.h"

struct intent_file {
  struct pt_intents *intents;
  size_t bytes; /* mapped */
};

/* Makes the file anew, for so many vCPUs. 0 or a negative errno. */
int intent_file_create(int dir_fd, unsigned vcpus, struct intent_file *out);

/* Maps what a dead monitor left. -ENOENT: none was left. Its content is to be checked. */
int intent_file_open(int dir_fd, struct intent_file *out);

void intent_file_close(struct intent_file *file);

/* Nobody waits any more for what it says. */
void intent_file_remove(int dir_fd);

#endif
