/* SPDX-License-Identifier: Apache-2.0 */
#include "readable.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory need only be passed through: those who list it say so by an asterisk. */
static bool path_readable(const char *path) {
  struct stat status;
  if (stat(path, &status) < 0)
    return errno != EACCES;
  return access(path, S_ISDIR(status.st_mode) ? X_OK : R_OK) == 0;
}

static bool files_readable(const char *directory, char out[PATH_MAX]) {
  DIR *dir = opendir(directory);
  bool readable = true;
  if (!dir)
    return errno != EACCES;
  for (struct dirent *entry; readable && (entry = readdir(dir));) {
    int length = snprintf(out, PATH_MAX, "%s/%s", directory, entry->d_name);
    readable = length >= PATH_MAX || path_readable(out);
  }
  closedir(dir);
  return readable;
}

static bool part_readable(const char *part, size_t length, char out[PATH_MAX]) {
  char path[PATH_MAX];
  if (length >= PATH_MAX || !memchr(part, '/', length))
    return true;
  memcpy(path, part, length);
  path[length] = '\0';
  memcpy(out, path, length + 1);
  if (length < 2 || strcmp(path + length - 2, "/*") != 0)
    return path_readable(path);
  path[length - 2] = '\0';
  return path_readable(path) && files_readable(path, out);
}

bool command_readable(char *const *command, char out[PATH_MAX]) {
  for (; *command; command++) {
    const char *part = *command;
    for (;;) {
      size_t length = strcspn(part, ":");
      if (!part_readable(part, length, out))
        return false;
      if (part[length] == '\0')
        break;
      part += length + 1;
    }
  }
  return true;
}
