/* SPDX-License-Identifier: Apache-2.0 */
/* Whether this process may read what a command's arguments name: Java reports a jar that it may not read as a missing
 * class. */
#ifndef PTARMIGAN_READABLE_H
#define PTARMIGAN_READABLE_H

#include <limits.h>
#include <stdbool.h>

/*
 * Looks at each argument, and each part of one between colons, that has a slash; a part that ends in "/" and an
 * asterisk stands for the directory's files. False: out is the first path that permissions deny. What does not exist is
 * not denied.
 */
bool command_readable(char *const *command, char out[PATH_MAX]);

#endif
