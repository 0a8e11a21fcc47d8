/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who the JVM runs as. It interprets what a hostile guest wrote, so it is never root: where this process is, the JVM is
 * another user without groups and capabilities; else it stays the same user. In both cases it cannot gain privileges.
 */
#ifndef PTARMIGAN_IDENTITY_H
#define PTARMIGAN_IDENTITY_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct identity {
  bool other; /* than this process */
  uid_t uid;
  gid_t gid;
  char name[LOGIN_NAME_MAX];
  char home[PATH_MAX];
};

/*
 * name: NULL for the usual one: ptarmigan, or nobody where there is no such user. On error *message is a sentence for
 * the user: -ENOENT no such user, -EINVAL that user is root or of root's group, -EPERM this process is not root.
 */
int identity_find(const char *name, struct identity *out, const char **message);

/* This process's own. */
void identity_self(struct identity *out);

/* In a child, for good. Clears PR_SET_PDEATHSIG. Negative errno: the process is in no state to go on. */
int identity_assume(const struct identity *identity);

#endif
