/* SPDX-License-Identifier: Apache-2.0 */
/* The shared files: made, sealed and mapped. Layout and protocol: ptarmigan/abi.h. */
#ifndef PTARMIGAN_REGION_H
#define PTARMIGAN_REGION_H

#include "ptarmigan/abi.h"

/* Written here; sealed so that no later mapping can be writable. */
struct pt_stream_region {
  int fd;
  struct pt_stream_header *header;
  uint8_t *slots;
};

/* Written by one JVM generation; mapped read-only here and sealed against a change of size. */
struct pt_decisions_region {
  int fd;
  const struct pt_decisions_header *header;
  const uint8_t *decisions;
  const uint8_t *commands;
};

int pt_stream_create(struct pt_stream_region *region, unsigned vcpus, unsigned maxphyaddr, uint64_t deadline_ns);
void pt_stream_destroy(struct pt_stream_region *region);

/* Never mapped here: what the JVM writes into it is between it and the next one. Returns the descriptor or -errno. */
int pt_notebook_create(void);

/* consumed: sequence of the newest record that this generation is not to see. */
int pt_decisions_create(struct pt_decisions_region *region, uint32_t generation, uint64_t consumed);
void pt_decisions_destroy(struct pt_decisions_region *region);

#endif
