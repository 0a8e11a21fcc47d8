/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a domain was attached to, in its run-time directory from before that until it was let go in good order: what
 * recovery needs to find a domain whose monitor died.
 */
#ifndef PTARMIGAN_ATTACHED_FILE_H
#define PTARMIGAN_ATTACHED_FILE_H

#define ATTACHED_BYTES 8192

struct attached {
  char text[ATTACHED_BYTES];
  const char *backend; /* in text, like the next */
  const char *options; /* NULL: none were given */
};

/* The file's descriptor, or a negative errno. */
int attached_file_write(int dir_fd, const char *backend, const char *options);
/* Let go in good order: empties and closes it. A process that may open and remove nothing any more can do that. */
void attached_file_done(int fd);
/* -ENOENT: nobody was attached, or let go in good order; -EBADMSG: it is not what this version writes. */
int attached_file_read(int dir_fd, struct attached *out);
void attached_file_remove(int dir_fd);

#endif
