/* SPDX-License-Identifier: Apache-2.0 */
/* What Java asks for besides decisions. In order; long ones in pieces, so that no exit waits behind one. */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "memory_order.h"
#include "monitor.h"

#define COMMANDS_PER_RUN 16
#define FRAMES_PER_PIECE 256
#define ENTRY_BYTES 8

static void complete(struct pt_monitor *monitor, const struct pt_command *command, int status, const void *data) {
  struct pt_completion_record *record = pt_stream_reserve(&monitor->stream);
  bool filled = status == 0 && data;
  record->command = command->id;
  record->kind = command->kind;
  record->status = status;
  record->gpa = command->gpa;
  record->length = filled ? command->length : 0;
  record->pad = 0;
  if (filled)
    memcpy(record->data, data, command->length);
  pt_stream_publish(&monitor->stream, PT_RECORD_COMPLETION, 0);
  pt_stream_wake(&monitor->stream);
  pt_count(&monitor->counters->commands, 1);
}

static bool length_valid(const struct pt_command *command) {
  uint64_t room = PT_PAGE_BYTES - (command->gpa & (PT_PAGE_BYTES - 1));
  return command->length > 0 && command->length <= PT_COMPLETION_BYTES && command->length <= room;
}

static int read_data(struct pt_monitor *monitor, const struct pt_command *command, uint8_t *data) {
  return length_valid(command) ? pt_guest_read(monitor->memory, command->gpa, data, command->length) : -EINVAL;
}

/* Nothing is left to go wrong once the frame is protected: taking that back can fail. */
static int protect_read(struct pt_monitor *monitor, const struct pt_command *command, uint8_t *data) {
  if (!length_valid(command))
    return -EINVAL;
  int error = pt_frames_protect(monitor->memory, command->gpa >> PT_PAGE_SHIFT, 1);
  return error < 0 ? error : read_data(monitor, command, data);
}

static int deny(struct pt_monitor *monitor, const struct pt_command *command, uint8_t *data) {
  if (command->length != ENTRY_BYTES)
    return -EINVAL;
  int error = pt_deny_add(monitor->denies, command->gpa, command->mask);
  return error < 0 ? error : read_data(monitor, command, data);
}

static int allow(struct pt_monitor *monitor, const struct pt_command *command) {
  return command->length == ENTRY_BYTES ? pt_deny_drop(monitor->denies, command->gpa, command->mask) : -EINVAL;
}

static int begin_range(struct pt_monitor *monitor, const struct pt_command *command) {
  uint64_t last = command->gpa + command->length - 1;
  if (command->length == 0 || last < command->gpa || last >> PT_PAGE_SHIFT >= monitor->options.frames)
    return -EINVAL;
  monitor->range.command = *command;
  monitor->range.next_gfn = command->gpa >> PT_PAGE_SHIFT;
  monitor->range.end_gfn = (last >> PT_PAGE_SHIFT) + 1;
  monitor->range.error = 0;
  monitor->range.active = true;
  return 0;
}

static void finish(struct pt_monitor *monitor) {
  pt_store_release(&monitor->stream.region.header->commands_done, monitor->commands_seen);
}

/* True: all frames are protected, or one cannot be. */
static bool protect_piece(struct pt_monitor *monitor, struct pt_range *range) {
  uint64_t left = range->end_gfn - range->next_gfn;
  size_t piece = left < FRAMES_PER_PIECE ? (size_t)left : FRAMES_PER_PIECE;
  range->error = pt_frames_protect(monitor->memory, range->next_gfn, piece);
  if (range->error == 0)
    range->next_gfn += piece;
  return range->error < 0 || range->next_gfn == range->end_gfn;
}

/*
 * True: no frame of the range is protected any more, but those that the hypervisor will not make writable. A step in
 * flight on one holds it up.
 */
static bool undo_piece(struct pt_monitor *monitor, struct pt_range *range) {
  uint64_t first = range->command.gpa >> PT_PAGE_SHIFT;
  for (unsigned i = 0; i < FRAMES_PER_PIECE && range->next_gfn > first; i++) {
    if (pt_frame_release(monitor->memory, range->next_gfn - 1) == -EBUSY)
      return false;
    range->next_gfn--;
  }
  return range->next_gfn == first;
}

static void continue_range(struct pt_monitor *monitor) {
  struct pt_range *range = &monitor->range;
  if (range->error == 0 && !protect_piece(monitor, range))
    return;
  if (range->error < 0 && !undo_piece(monitor, range))
    return;
  range->active = false;
  complete(monitor, &range->command, range->error, NULL);
  finish(monitor);
}

/* False: try again later. */
static bool run(struct pt_monitor *monitor, const struct pt_command *command) {
  uint8_t data[PT_COMPLETION_BYTES];
  int status = -ENOSYS;
  bool carries_data = true;
  switch (command->kind) {
    case PT_COMMAND_PROTECT_READ:
      status = protect_read(monitor, command, data);
      break;
    case PT_COMMAND_READ:
      status = read_data(monitor, command, data);
      break;
    case PT_COMMAND_RELEASE:
      status = pt_frame_release(monitor->memory, command->gpa >> PT_PAGE_SHIFT);
      carries_data = false;
      break;
    case PT_COMMAND_DENY:
      status = deny(monitor, command, data);
      break;
    case PT_COMMAND_ALLOW:
      status = allow(monitor, command);
      carries_data = false;
      break;
    case PT_COMMAND_PROTECT_RANGE:
      status = begin_range(monitor, command);
      if (status == 0)
        return true;
      break;
    default:
      break;
  }
  if (status == -EBUSY) /* a step on the frame is in flight */
    return false;
  complete(monitor, command, status, carries_data ? data : NULL);
  return true;
}

/* A count that runs ahead by more than there is room for is nonsense and is left alone. */
bool pt_command_waits(const struct pt_monitor *monitor) {
  uint64_t published = pt_load_acquire(&monitor->decisions.header->commands_published);
  return published - monitor->commands_seen - 1 < PT_COMMAND_COUNT;
}

/* A hypervisor that is slow to set access must not hold up the exits behind it. */
static bool took_its_share(const struct pt_monitor *monitor, uint64_t begin) {
  return pt_now_ns() - begin > monitor->options.deadline_ns / 10;
}

void pt_commands_run(struct pt_monitor *monitor) {
  uint64_t begin = 0;
  for (unsigned i = 0; i < COMMANDS_PER_RUN && monitor->attached; i++) {
    if (pt_stream_full(&monitor->stream) || (i > 0 && took_its_share(monitor, begin)))
      return;
    if (monitor->range.active) {
      continue_range(monitor);
      return;
    }
    if (!pt_command_waits(monitor))
      return;
    if (begin == 0)
      begin = pt_now_ns();
    struct pt_command command;
    uint64_t index = monitor->commands_seen + 1;
    memcpy(&command, monitor->decisions.commands + (index & (PT_COMMAND_COUNT - 1)) * PT_COMMAND_BYTES, sizeof command);
    if (!run(monitor, &command))
      return;
    monitor->commands_seen = index;
    if (!monitor->range.active)
      finish(monitor);
  }
}
