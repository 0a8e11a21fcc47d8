/* SPDX-License-Identifier: Apache-2.0 */
/* What Java asks for besides decisions. In order; long ones in pieces, so that no exit waits behind one. */
#include <errno.h>
#include <string.h>

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

static int read_data(struct pt_monitor *monitor, const struct pt_command *command, uint8_t *data) {
  if (command->length == 0 || command->length > PT_COMPLETION_BYTES)
    return -EINVAL;
  return pt_guest_read(monitor->memory, command->gpa, data, command->length);
}

static int protect_read(struct pt_monitor *monitor, const struct pt_command *command, uint8_t *data) {
  uint64_t gfn = command->gpa >> PT_PAGE_SHIFT;
  int error = pt_frames_protect(monitor->memory, gfn, 1);
  if (error < 0)
    return error;
  error = read_data(monitor, command, data);
  if (error < 0)
    pt_frame_release(monitor->memory, gfn);
  return error;
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
  uint64_t end = command->gpa + command->length;
  if (command->length == 0 || end < command->gpa ||
      (end + PT_PAGE_BYTES - 1) >> PT_PAGE_SHIFT > monitor->options.frames)
    return -EINVAL;
  monitor->range.command = *command;
  monitor->range.next_gfn = command->gpa >> PT_PAGE_SHIFT;
  monitor->range.end_gfn = (end + PT_PAGE_BYTES - 1) >> PT_PAGE_SHIFT;
  monitor->range.active = true;
  return 0;
}

static void finish(struct pt_monitor *monitor) {
  pt_store_release(&monitor->stream.region.header->commands_done, monitor->commands_seen);
}

static void continue_range(struct pt_monitor *monitor) {
  struct pt_range *range = &monitor->range;
  uint64_t left = range->end_gfn - range->next_gfn;
  size_t piece = left < FRAMES_PER_PIECE ? (size_t)left : FRAMES_PER_PIECE;
  int error = pt_frames_protect(monitor->memory, range->next_gfn, piece);
  if (error == 0)
    range->next_gfn += piece;
  if (error == 0 && range->next_gfn < range->end_gfn)
    return;
  if (error < 0)
    while (range->next_gfn-- > range->command.gpa >> PT_PAGE_SHIFT)
      pt_frame_release(monitor->memory, range->next_gfn);
  range->active = false;
  complete(monitor, &range->command, error, NULL);
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

void pt_commands_run(struct pt_monitor *monitor) {
  for (unsigned i = 0; i < COMMANDS_PER_RUN && monitor->attached; i++) {
    if (pt_stream_full(&monitor->stream))
      return;
    if (monitor->range.active) {
      continue_range(monitor);
      return;
    }
    if (!pt_command_waits(monitor))
      return;
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
