/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static void set(struct identity *out, bool other, const struct passwd *user) {
  out->other = other;
  out->uid = user->pw_uid;
  out->gid = user->pw_gid;
  snprintf(out->name, sizeof out->name, "%s", user->pw_name);
  snprintf(out->home, sizeof out->home, "%s", user->pw_dir);
}

void identity_self(struct identity *out) {
  const char *home = getenv("HOME");
  *out = (struct identity){.other = false, .uid = geteuid(), .gid = getegid()};
  snprintf(out->name, sizeof out->name, "%u", (unsigned)out->uid);
  snprintf(out->home, sizeof out->home, "%s", home ? home : "/nonexistent");
}

static const struct passwd *look_up(const char *name) {
  const struct passwd *user;
  if (name)
    return getpwnam(name);
  user = getpwnam("ptarmigan");
  return user ? user : getpwnam("nobody");
}

int identity_find(const char *name, struct identity *out, const char **message) {
  bool root = geteuid() == 0;
  if (!root && !name) {
    identity_self(out);
    return 0;
  }
  const struct passwd *user = look_up(name);
  if (!user) {
    *message =
        name ? "there is no such user" : "there is neither a user ptarmigan nor nobody; --jvm-user names another";
    return -ENOENT;
  }
  if (!root && user->pw_uid != geteuid()) {
    *message = "only root can run it as another user";
    return -EPERM;
  }
  if (user->pw_uid == 0 || user->pw_gid == 0) {
    *message = "it must not be root, nor of root's group";
    return -EINVAL;
  }
  set(out, root, user);
  return 0;
}

static int become(const struct identity *identity) {
  if (setgroups(0, NULL) < 0 || setresgid(identity->gid, identity->gid, identity->gid) < 0 ||
      setresuid(identity->uid, identity->uid, identity->uid) < 0)
    return -errno;
  /* A securebit can let capabilities outlive setresuid(). */
  return setuid(0) == 0 || setgid(0) == 0 ? -EPERM : 0;
}

int identity_assume(const struct identity *identity) {
  int error = identity->other ? become(identity) : 0;
  if (error < 0)
    return error;
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return -errno;
  return 0;
}
