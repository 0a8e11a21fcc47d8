/* SPDX-License-Identifier: Apache-2.0 */
/* A fuzzer's bytes, read from the front; past the end everything is 0. */
#ifndef PTARMIGAN_FUZZ_INPUT_H
#define PTARMIGAN_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The target. Returns 0; what does not hold ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
  const uint8_t *next;
  size_t left;
};

static inline bool input_more(const struct input *input) {
  return input->left > 0;
}

static inline void input_bytes(struct input *input, void *to, size_t count) {
  size_t here = count < input->left ? count : input->left;
  memset(to, 0, count);
  if (here > 0)
    memcpy(to, input->next, here);
  input->next += here;
  input->left -= here;
}

static inline uint8_t input_u8(struct input *input) {
  uint8_t value;
  input_bytes(input, &value, sizeof value);
  return value;
}

static inline uint16_t input_u16(struct input *input) {
  uint16_t value;
  input_bytes(input, &value, sizeof value);
  return value;
}

static inline uint32_t input_u32(struct input *input) {
  uint32_t value;
  input_bytes(input, &value, sizeof value);
  return value;
}

static inline uint64_t input_u64(struct input *input) {
  uint64_t value;
  input_bytes(input, &value, sizeof value);
  return value;
}

#endif
