/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over the files of a directory, as a test: each finding stays found. No libFuzzer needed. */
#include <dirent.h>

#include "check.h"
#include "input.h"

#define LONGEST_INPUT 65536

static void run_file(const char *directory, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  FILE *file = fopen(path, "rb");
  CHECK(file);
  uint8_t *data = malloc(LONGEST_INPUT);
  CHECK(data);
  size_t size = fread(data, 1, LONGEST_INPUT, file);
  CHECK(!ferror(file) && feof(file));
  fclose(file);
  uint8_t *exact = malloc(size); /* reading past the end is seen by AddressSanitizer */
  CHECK(exact || size == 0);
  for (size_t i = 0; i < size; i++)
    exact[i] = data[i];
  free(data);
  fprintf(stderr, "%s\n", path);
  LLVMFuzzerTestOneInput(exact, size);
  free(exact);
}

int main(int argc, char **argv) {
  unsigned files = 0;
  CHECK(argc == 2);
  DIR *directory = opendir(argv[1]);
  CHECK(directory);
  for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (entry->d_name[0] == '.')
      continue;
    run_file(argv[1], entry->d_name);
    files++;
  }
  closedir(directory);
  CHECK(files > 0);
  fprintf(stderr, "%u inputs\n", files);
  return 0;
}
