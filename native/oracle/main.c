/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oracle: what the processor really does with an instruction.
 *
 *   oracle --batch FILE   FILE is a shared array of struct oracle_record. Prints what the driver must know as lines of
 *                         name and numbers: "field offset bytes", the pages, the selectors; "record bytes" is the last
 *                         line. Then reads pairs of 32-bit numbers (first record, count) from
 *                         standard input, runs those records and answers each pair with the count.
 *   oracle --check FILE.. runs the cases of text tables and compares with the answers that stand there.
 *   oracle --answer       reads cases, one a line, and prints each with the processor's answer.
 *
 * Exit status: 0, 1 if an answer differs, 2 on an error, 77 where the processor or kernel cannot run cases at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine.h"
#include "text.h"

#define EXIT_DIFFERS 1
#define EXIT_ERROR 2
#define EXIT_SKIPPED 77

static void print_layout(void) {
#define PRINT(name, type, count) \
  printf("%s %zu %zu\n", #name, offsetof(struct oracle_record, name), sizeof(((struct oracle_record *)0)->name));
  ORACLE_FIELDS(PRINT)
  printf("data_pages %llu %llu\n", ORACLE_DATA_LOW, ORACLE_DATA_HIGH);
  printf("source_pages %llu %llu\n", ORACLE_SOURCE_LOW, ORACLE_SOURCE_HIGH);
  printf("code_pages %llu %llu\n", ORACLE_CODE_LOW, ORACLE_CODE_HIGH);
  uint16_t selectors[6];
  machine_selectors(selectors);
  printf("selectors %u %u %u %u %u %u\n", selectors[0], selectors[1], selectors[2], selectors[3], selectors[4],
         selectors[5]);
  printf("step_mode %u\n", ORACLE_STEP);
  printf("statuses %u %u %u %u\n", ORACLE_DONE, ORACLE_FAULT, ORACLE_STRAY, ORACLE_BAD);
  printf("record %zu\n", sizeof(struct oracle_record));
  fflush(stdout);
}

static int run_batch(const char *path) {
  struct stat status;
  int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0 || fstat(file, &status)) {
    perror(path);
    return EXIT_ERROR;
  }
  struct oracle_record *records = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (records == MAP_FAILED) {
    perror(path);
    return EXIT_ERROR;
  }
  size_t total = (size_t)status.st_size / sizeof *records;
  print_layout();
  uint32_t range[2];
  while (fread(range, sizeof *range, 2, stdin) == 2) {
    if (range[0] > total || range[1] > total - range[0]) {
      fprintf(stderr, "oracle: records %u and %u more do not exist\n", range[0], range[1]);
      return EXIT_ERROR;
    }
    for (uint32_t i = 0; i < range[1]; i++)
      machine_run(&records[range[0] + i]);
    fwrite(&range[1], sizeof range[1], 1, stdout);
    fflush(stdout);
  }
  return 0;
}

static int check_tables(int count, char **paths) {
  struct text_counts counts = {0};
  for (int i = 0; i < count; i++) {
    FILE *table = fopen(paths[i], "r");
    if (!table) {
      perror(paths[i]);
      return EXIT_ERROR;
    }
    int error = text_check(table, paths[i], &counts);
    fclose(table);
    if (error)
      return EXIT_ERROR;
  }
  printf("oracle: %lu cases, %lu differences; %lu cannot run in a process\n", counts.cases, counts.differences,
         counts.skipped);
  return counts.cases == 0 ? EXIT_ERROR : counts.differences ? EXIT_DIFFERS : 0;
}

int main(int argc, char **argv) {
  int error = machine_open();
  if (error == -ENOTSUP) {
    printf("oracle: skipped, user code may not set segment bases here (FSGSBASE)\n");
    return EXIT_SKIPPED;
  }
  if (error) {
    fprintf(stderr, "oracle: cannot map its pages: %s\n", strerror(-error));
    return EXIT_ERROR;
  }
  if (argc == 3 && !strcmp(argv[1], "--batch"))
    return run_batch(argv[2]);
  if (argc >= 3 && !strcmp(argv[1], "--check"))
    return check_tables(argc - 2, argv + 2);
  if (argc == 2 && !strcmp(argv[1], "--answer"))
    return text_answer(stdin) ? EXIT_ERROR : 0;
  fprintf(stderr, "usage: oracle --batch FILE | --check FILE... | --answer\n");
  return EXIT_ERROR;
}
