/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold for every input. A failure ends the process, so that libFuzzer keeps the input. */
#ifndef PTARMIGAN_FUZZ_CHECK_H
#define PTARMIGAN_FUZZ_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                             \
  do {                                                                               \
    if (!(condition)) {                                                              \
      fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      abort();                                                                       \
    }                                                                                \
  } while (0)

#endif
