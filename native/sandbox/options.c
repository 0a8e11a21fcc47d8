/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/boot.h"

static bool parse_number(const char *value, uint64_t *out) {
  char *end;
  if (!isdigit((unsigned char)*value)) {
    return false;
  }
  errno = 0;
  *out = strtoull(value, &end, 0);
  return errno == 0 && *end == '\0';
}

static bool parse_seconds(const char *value, double *out) {
  char *end;
  if (!isdigit((unsigned char)*value)) {
    return false;
  }
  errno = 0;
  *out = strtod(value, &end);
  return errno == 0 && *end == '\0' && *out <= 1e7;
}

static bool parse_path(const char *value, char out[PATH_MAX]) {
  size_t length = strlen(value);
  if (length == 0 || length >= PATH_MAX) {
    return false;
  }
  memcpy(out, value, length + 1);
  return true;
}

static bool parse_work(const char *value, unsigned *out) {
  static const char *const names[GUEST_WORKS] = {"all", "open", "xadd", "btc", "xchg", "stos", "pair"};
  for (*out = 0; *out < GUEST_WORKS; ++*out) {
    if (strcmp(value, names[*out]) == 0) {
      return true;
    }
  }
  return false;
}

static bool parse_pair(const char *key, const char *value, struct sandbox_options *out) {
  uint64_t number = 0;
  bool numeric = parse_number(value, &number);
  if (strcmp(key, "vcpus") == 0) {
    out->vcpus = (unsigned)number;
    return numeric && number >= 1 && number <= GUEST_MAX_VCPUS;
  }
  if (strcmp(key, "seed") == 0) {
    out->seed = number;
    return numeric;
  }
  if (strcmp(key, "seconds") == 0) {
    return parse_seconds(value, &out->seconds);
  }
  if (strcmp(key, "rounds") == 0) {
    out->rounds = number;
    return numeric;
  }
  if (strcmp(key, "break") == 0) {
    out->break_at = number;
    return numeric;
  }
  if (strcmp(key, "walker") == 0) {
    out->walker = number != 0;
    return numeric && number <= 1;
  }
  if (strcmp(key, "work") == 0) {
    return parse_work(value, &out->work);
  }
  if (strcmp(key, "orphan") == 0) {
    return parse_seconds(value, &out->orphan_seconds);
  }
  if (strcmp(key, "dir") == 0) {
    return parse_path(value, out->dir);
  }
  return strcmp(key, "guest") == 0 && parse_path(value, out->guest);
}

int sandbox_options_parse(const char *text, struct sandbox_options *out, const char **message) {
  memset(out, 0, sizeof(*out));
  out->vcpus = 2;
  out->seed = 1;
  out->seconds = 10;
  out->walker = true;
  if (text == NULL || *text == '\0') {
    return 0;
  }
  char *copy = strdup(text);
  if (copy == NULL) {
    return -ENOMEM;
  }
  int status = 0;
  char *rest = NULL;
  for (char *pair = strtok_r(copy, ",", &rest); pair != NULL && status == 0; pair = strtok_r(NULL, ",", &rest)) {
    char *value = strchr(pair, '=');
    if (value != NULL) {
      *value++ = '\0';
    }
    if (value == NULL || !parse_pair(pair, value, out)) {
      *message =
          "sandbox options are vcpus, seed, seconds, rounds, break, walker, work, orphan, dir and guest, as "
          "key=value,...";
      status = -EINVAL;
    }
  }
  free(copy);
  if (status == 0 && out->orphan_seconds > 0 && out->dir[0] == '\0') {
    *message = "the sandbox option orphan needs dir";
    status = -EINVAL;
  }
  return status;
}
