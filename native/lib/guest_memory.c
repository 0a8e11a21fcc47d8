/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory_order.h"

/* Walks touch a handful of frames per address space; a miss costs one mapping call to the hypervisor. */
#define CACHE_SETS 256
#define CACHE_WAYS 4
#define TABLE_INITIAL 1024 /* a power of two */
#define PROTECT_BATCH 256

struct cached_page {
  uint64_t gfn;
  uint8_t *bytes; /* NULL: free */
};

struct pt_guest_memory {
  struct pt_host host;
  uint64_t frames;
  struct pt_counters *counters;
  struct cached_page cache[CACHE_SETS][CACHE_WAYS]; /* most recently used first */
  struct pt_frame **table;                          /* open addressing, linear probing */
  size_t table_size;
  size_t table_used;
};

static size_t slot_of(uint64_t gfn, size_t size) {
  return (size_t)((gfn * 0x9E3779B97F4A7C15u) >> 32) & (size - 1);
}

int pt_guest_memory_create(const struct pt_options *options, struct pt_counters *counters,
                           struct pt_guest_memory **out) {
  struct pt_guest_memory *memory = calloc(1, sizeof *memory);
  if (!memory)
    return -ENOMEM;
  memory->table = calloc(TABLE_INITIAL, sizeof *memory->table);
  if (!memory->table) {
    free(memory);
    return -ENOMEM;
  }
  memory->table_size = TABLE_INITIAL;
  memory->host = options->host;
  memory->frames = options->frames;
  memory->counters = counters;
  *out = memory;
  return 0;
}

static int map(struct pt_guest_memory *memory, uint64_t gfn, uint8_t **bytes) {
  void *frame;
  if (gfn >= memory->frames)
    return -ENOENT;
  int error = memory->host.map_frame(memory->host.context, gfn, &frame);
  if (error == 0)
    *bytes = frame;
  return error;
}

static void unmap(struct pt_guest_memory *memory, uint64_t gfn, uint8_t *bytes) {
  memory->host.unmap_frame(memory->host.context, gfn, bytes);
}

void pt_frames_lift(struct pt_guest_memory *memory) {
  uint64_t gfns[PROTECT_BATCH];
  size_t count = 0;
  for (size_t i = 0; i < memory->table_size; i++) {
    if (memory->table[i])
      gfns[count++] = memory->table[i]->gfn;
    if (count == PROTECT_BATCH || (count > 0 && i + 1 == memory->table_size)) {
      memory->host.set_access(memory->host.context, gfns, count, false);
      count = 0;
    }
  }
}

void pt_guest_memory_destroy(struct pt_guest_memory *memory) {
  pt_frames_lift(memory);
  for (size_t i = 0; i < memory->table_size; i++) {
    struct pt_frame *frame = memory->table[i];
    if (!frame)
      continue;
    unmap(memory, frame->gfn, frame->bytes);
    free(frame);
  }
  for (size_t set = 0; set < CACHE_SETS; set++)
    for (size_t way = 0; way < CACHE_WAYS; way++)
      if (memory->cache[set][way].bytes)
        unmap(memory, memory->cache[set][way].gfn, memory->cache[set][way].bytes);
  free(memory->table);
  free(memory);
}

struct pt_frame *pt_frame_find(struct pt_guest_memory *memory, uint64_t gfn) {
  size_t size = memory->table_size;
  for (size_t i = slot_of(gfn, size); memory->table[i]; i = (i + 1) & (size - 1))
    if (memory->table[i]->gfn == gfn)
      return memory->table[i];
  return NULL;
}

static void insert(struct pt_frame **table, size_t size, struct pt_frame *frame) {
  size_t i = slot_of(frame->gfn, size);
  while (table[i])
    i = (i + 1) & (size - 1);
  table[i] = frame;
}

static int grow(struct pt_guest_memory *memory) {
  if ((memory->table_used + 1) * 2 <= memory->table_size)
    return 0;
  size_t size = memory->table_size * 2;
  struct pt_frame **table = calloc(size, sizeof *table);
  if (!table)
    return -ENOMEM;
  for (size_t i = 0; i < memory->table_size; i++)
    if (memory->table[i])
      insert(table, size, memory->table[i]);
  free(memory->table);
  memory->table = table;
  memory->table_size = size;
  return 0;
}

/* Takes the frame out and closes the gap, so that probing still finds the ones behind it. */
static void take_out(struct pt_guest_memory *memory, const struct pt_frame *frame) {
  size_t mask = memory->table_size - 1;
  size_t hole = slot_of(frame->gfn, memory->table_size);
  while (memory->table[hole] != frame)
    hole = (hole + 1) & mask;
  for (size_t i = (hole + 1) & mask; memory->table[i]; i = (i + 1) & mask) {
    size_t home = slot_of(memory->table[i]->gfn, memory->table_size);
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      memory->table[hole] = memory->table[i];
      hole = i;
    }
  }
  memory->table[hole] = NULL;
  memory->table_used--;
}

/* A new entry without access rights taken yet. */
static int add_frame(struct pt_guest_memory *memory, uint64_t gfn) {
  int error = grow(memory);
  if (error < 0)
    return error;
  struct pt_frame *frame = calloc(1, sizeof *frame);
  if (!frame)
    return -ENOMEM;
  error = map(memory, gfn, &frame->bytes);
  if (error < 0) {
    free(frame);
    return error;
  }
  frame->gfn = gfn;
  frame->protections = 1;
  insert(memory->table, memory->table_size, frame);
  memory->table_used++;
  return 0;
}

static void drop_frame(struct pt_guest_memory *memory, struct pt_frame *frame) {
  take_out(memory, frame);
  unmap(memory, frame->gfn, frame->bytes);
  free(frame);
}

static bool unused(const struct pt_frame *frame) {
  return frame->protections == 0 && !frame->inherited && !frame->denies;
}

static int protect_batch(struct pt_guest_memory *memory, uint64_t gfn, size_t count) {
  uint64_t fresh[PROTECT_BATCH];
  size_t fresh_count = 0, done = 0;
  int error = 0;
  for (; done < count; done++) {
    struct pt_frame *frame = pt_frame_find(memory, gfn + done);
    if (frame && frame->protections < UINT32_MAX) {
      frame->protections++;
      continue;
    }
    error = frame ? -EOVERFLOW : add_frame(memory, gfn + done);
    if (error < 0)
      goto undo;
    fresh[fresh_count++] = gfn + done;
  }
  if (fresh_count > 0)
    error = memory->host.set_access(memory->host.context, fresh, fresh_count, true);
  if (error == 0)
    return 0;
undo:
  while (done-- > 0) {
    struct pt_frame *frame = pt_frame_find(memory, gfn + done);
    frame->protections--;
    if (unused(frame))
      drop_frame(memory, frame);
  }
  return error;
}

int pt_frames_protect(struct pt_guest_memory *memory, uint64_t gfn, size_t count) {
  size_t done = 0;
  int error = 0;
  if (gfn >= memory->frames || count > memory->frames - gfn)
    return -ENOENT;
  while (done < count && error == 0) {
    size_t batch = count - done < PROTECT_BATCH ? count - done : PROTECT_BATCH;
    error = protect_batch(memory, gfn + done, batch);
    if (error == 0)
      done += batch;
  }
  if (error < 0)
    while (done-- > 0)
      pt_frame_release(memory, gfn + done);
  return error;
}

/* Nobody protects the frame any more: makes it writable and forgets it. */
static int lift(struct pt_guest_memory *memory, struct pt_frame *frame) {
  if (frame->steps > 0)
    return -EBUSY;
  int error = memory->host.set_access(memory->host.context, &frame->gfn, 1, false);
  if (error == 0)
    drop_frame(memory, frame);
  return error;
}

int pt_frame_release(struct pt_guest_memory *memory, uint64_t gfn) {
  struct pt_frame *frame = pt_frame_find(memory, gfn);
  if (!frame || frame->protections == 0)
    return -ENOENT;
  if (frame->protections == 1 && !frame->inherited && !frame->denies)
    return lift(memory, frame);
  frame->protections--;
  return 0;
}

int pt_frame_drop_unused(struct pt_guest_memory *memory, struct pt_frame *frame) {
  return unused(frame) ? lift(memory, frame) : 0;
}

void pt_frames_inherit(struct pt_guest_memory *memory) {
  for (size_t i = 0; i < memory->table_size; i++) {
    struct pt_frame *frame = memory->table[i];
    if (!frame)
      continue;
    frame->inherited = true;
    frame->protections = 0;
  }
}

bool pt_frames_disinherit(struct pt_guest_memory *memory) {
  bool complete = true;
  for (size_t i = 0; i < memory->table_size;) {
    struct pt_frame *frame = memory->table[i];
    if (frame && frame->inherited && frame->protections == 0 && !frame->denies) {
      /* Where the frame is taken out another may move into its place: look there again. */
      if (lift(memory, frame) == 0)
        continue;
      complete = false;
    } else if (frame) {
      frame->inherited = false;
    }
    i++;
  }
  return complete;
}

static uint8_t *cached(struct pt_guest_memory *memory, uint64_t gfn) {
  struct cached_page *set = memory->cache[gfn % CACHE_SETS];
  size_t way = 0;
  while (way < CACHE_WAYS - 1 && !(set[way].bytes && set[way].gfn == gfn))
    way++;
  struct cached_page page = set[way];
  if (page.bytes && page.gfn == gfn) {
    pt_count(&memory->counters->page_cache_hits, 1);
  } else {
    pt_count(&memory->counters->page_cache_misses, 1);
    uint8_t *bytes = NULL;
    if (map(memory, gfn, &bytes) < 0)
      return NULL;
    if (page.bytes)
      unmap(memory, page.gfn, page.bytes);
    page = (struct cached_page){.gfn = gfn, .bytes = bytes};
  }
  memmove(&set[1], &set[0], way * sizeof *set);
  set[0] = page;
  return page.bytes;
}

uint8_t *pt_guest_page(struct pt_guest_memory *memory, uint64_t gfn) {
  struct pt_frame *frame = pt_frame_find(memory, gfn);
  if (frame) {
    pt_count(&memory->counters->page_cache_hits, 1);
    return frame->bytes;
  }
  return cached(memory, gfn);
}

int pt_guest_read(struct pt_guest_memory *memory, uint64_t gpa, void *to, size_t length) {
  size_t offset = gpa & (PT_PAGE_BYTES - 1);
  if (length > PT_PAGE_BYTES - offset)
    return -EINVAL;
  const uint8_t *page = pt_guest_page(memory, gpa >> PT_PAGE_SHIFT);
  if (!page)
    return -ENOENT;
  uint8_t *target = to;
  while (length > 0) {
    size_t skip = offset & 7;
    size_t part = 8 - skip < length ? 8 - skip : length;
    uint64_t entry = pt_load_acquire((const uint64_t *)(const void *)(page + (offset & ~(size_t)7)));
    memcpy(target, (const uint8_t *)&entry + skip, part);
    target += part;
    offset += part;
    length -= part;
  }
  return 0;
}
