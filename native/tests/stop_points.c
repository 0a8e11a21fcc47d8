/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the process is to stand still: PTARMIGAN_STOP=NAME:N, the Nth time it passes NAME. It then writes 1 to the
 * first byte of the file PTARMIGAN_STOP_FILE names and sleeps. Mapped at start: later the process may open nothing.
 */
#include "stop_points.h"

#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct {
  const char *name;
  size_t length;
  unsigned long left;
  volatile uint8_t *said;
} stop;

static void __attribute__((constructor)) read_environment(void) {
  const char *where = getenv("PTARMIGAN_STOP"), *path = getenv("PTARMIGAN_STOP_FILE");
  const char *colon = where ? strchr(where, ':') : NULL;
  int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (!colon || fd < 0)
    return;
  void *page = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (page == MAP_FAILED)
    return;
  stop.said = page;
  stop.name = where;
  stop.length = (size_t)(colon - where);
  stop.left = strtoul(colon + 1, NULL, 10);
}

void pt_stop_point(const char *name) {
  if (!stop.said || strlen(name) != stop.length || memcmp(name, stop.name, stop.length) != 0 || --stop.left != 0)
    return;
  *stop.said = 1;
  for (;;)
    poll(NULL, 0, 1000);
}
