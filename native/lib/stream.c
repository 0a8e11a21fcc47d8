/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memory_order.h"

static struct pt_record_head *slot_of(const struct pt_stream *stream, uint64_t sequence) {
  return (struct pt_record_head *)(void *)(stream->region.slots + (sequence & (PT_SLOT_COUNT - 1)) * PT_SLOT_BYTES);
}

/* A consumer that claims to be ahead of the cursor is hostile: the difference wraps and the stream counts as full. */
bool pt_stream_full(const struct pt_stream *stream) {
  uint64_t consumed = pt_load_acquire(&stream->consumer->consumed);
  return stream->next - 1 - consumed >= PT_SLOT_COUNT;
}

void *pt_stream_reserve(struct pt_stream *stream) {
  struct pt_record_head *head = slot_of(stream, stream->next);
  pt_store_relaxed(&head->sequence, 0);
  pt_fence_release();
  return head;
}

uint64_t pt_stream_publish(struct pt_stream *stream, uint32_t kind, uint32_t vcpu) {
  uint64_t sequence = stream->next++;
  struct pt_record_head *head = slot_of(stream, sequence);
  head->kind = kind;
  head->vcpu = vcpu;
  pt_store_release(&head->sequence, sequence);
  pt_store_release(&stream->region.header->cursor, sequence);
  return sequence;
}

void pt_stream_wake(struct pt_stream *stream) {
  if (!stream->consumer)
    return;
  pt_fence_full();
  if (!pt_load_relaxed(&stream->consumer->java_waiting))
    return;
  uint32_t *wake = &stream->region.header->wake;
  pt_store_release(wake, pt_load_relaxed(wake) + 1);
  syscall(SYS_futex, wake, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}
