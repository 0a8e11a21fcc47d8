/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of one watched domain: BASE/DOMAIN, 0700, with files of 0600. BASE is /run/ptarmigan for root, else
 * $XDG_RUNTIME_DIR/ptarmigan, else /tmp/ptarmigan-UID. Whoever watches the domain holds a lock in it as long as it
 * lives, however it dies.
 */
#ifndef PTARMIGAN_RUN_DIR_H
#define PTARMIGAN_RUN_DIR_H

#include <sys/types.h>

struct run_dir {
  int fd;      /* of the directory: openat() files in it */
  int lock_fd; /* flock()ed; no child may keep it */
};

/*
 * Makes the directory where it is missing and takes its lock. base: NULL for the one above. On error *message is a
 * sentence for the user: -EBUSY while another process watches the domain, -EINVAL for a name that is no file name,
 * -EPERM where a directory belongs to somebody else or is open to others.
 */
int run_dir_open(const char *base, const char *domain, struct run_dir *out, const char **message);
/* Lets go of the lock; the files stay. */
void run_dir_close(struct run_dir *dir);

/* Process that watches the domain now, or -ESRCH where nobody does. */
pid_t run_dir_holder(const char *base, const char *domain);

#endif
