/* SPDX-License-Identifier: Apache-2.0 */
/* The writing end of the stream: reserve a slot, fill it, publish it, wake Java. One thread. */
#ifndef PTARMIGAN_STREAM_H
#define PTARMIGAN_STREAM_H

#include <stdbool.h>

#include "region.h"

struct pt_stream {
  struct pt_stream_region region;
  uint64_t next;                              /* sequence of the next record */
  const struct pt_decisions_header *consumer; /* gates the writer; NULL: no JVM */
};

/* True if a record published now would overwrite one that the decider has not consumed. */
bool pt_stream_full(const struct pt_stream *stream);

/* The slot of the next record, already marked as being written. Fill all but head, then publish. */
void *pt_stream_reserve(struct pt_stream *stream);

/* Returns the record's sequence. */
uint64_t pt_stream_publish(struct pt_stream *stream, uint32_t kind, uint32_t vcpu);

/* Wakes Java if it sleeps. Once after a batch of records. */
void pt_stream_wake(struct pt_stream *stream);

#endif
