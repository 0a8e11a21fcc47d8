/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A step is seen: the frame is remembered before the vCPU executes the instruction in the unrestricted view and
 * compared after, once what is denied is put back. Writes by others to the same frame wait meanwhile, so what differs
 * is the step's (or the page walker's A/D).
 */
#include <string.h>

#include "clock.h"
#include "guest_walk.h"
#include "memory_order.h"
#include "monitor.h"
#include "stop_points.h"

#define LONGEST_STORE 64 /* bytes of one vector store; longer ones (XSAVE) start at their lowest address */
#define ENTRY_BYTES 8

/* Frames that the instruction may write to and that are protected. */
static size_t frames_of(struct pt_monitor *monitor, const struct pt_vcpu *vcpu,
                        struct pt_frame *frames[PT_SNAPSHOT_FRAMES]) {
  const struct pt_exit *exit = &vcpu->exit;
  uint64_t next_gla = (exit->gla | (PT_PAGE_BYTES - 1)) + 1, next_gpa;
  size_t count = 0;
  struct pt_frame *frame = pt_frame_find(monitor->memory, exit->gpa >> PT_PAGE_SHIFT);
  if (frame)
    frames[count++] = frame;
  if (!(exit->access & PT_ACCESS_GLA_VALID) || pt_guest_walk(monitor->memory, &exit->cpu, next_gla, &next_gpa) < 0)
    return count;
  struct pt_frame *next = pt_frame_find(monitor->memory, next_gpa >> PT_PAGE_SHIFT);
  if (next && next != frame)
    frames[count++] = next;
  return count;
}

bool pt_step_blocks(struct pt_monitor *monitor, const struct pt_vcpu *vcpu) {
  if (monitor->steps == 0)
    return false;
  const struct pt_frame *frame = pt_frame_find(monitor->memory, vcpu->exit.gpa >> PT_PAGE_SHIFT);
  return frame && frame->steps > 0;
}

static void copy_page(uint8_t *to, const uint8_t *from) {
  for (size_t i = 0; i < PT_PAGE_BYTES; i += ENTRY_BYTES) {
    uint64_t entry = pt_load_relaxed((const uint64_t *)(const void *)(from + i));
    memcpy(to + i, &entry, sizeof entry);
  }
}

bool pt_step_begin(struct pt_monitor *monitor, struct pt_vcpu *vcpu) {
  struct pt_frame *frames[PT_SNAPSHOT_FRAMES];
  size_t count = frames_of(monitor, vcpu, frames);
  for (size_t i = 0; i < count; i++)
    if (frames[i]->steps > 0)
      return false;
  vcpu->snapshot.count = count;
  for (size_t i = 0; i < count; i++) {
    frames[i]->steps++;
    vcpu->snapshot.gfn[i] = frames[i]->gfn;
    copy_page(vcpu->snapshot.bytes[i], frames[i]->bytes);
  }
  monitor->steps++;
  PT_STOP("step-begun");
  return true;
}

/* Compares up to four entries from byte offset on; returns the mask of bytes that differ. */
static uint32_t compare_window(const uint8_t *before, const uint8_t *now, size_t offset, struct pt_change *change) {
  uint32_t mask = 0;
  memset(change, 0, sizeof *change);
  for (unsigned i = 0; i < PT_WINDOW_BYTES && offset + i < PT_PAGE_BYTES; i += ENTRY_BYTES) {
    uint64_t entry = pt_load_acquire((const uint64_t *)(const void *)(now + offset + i));
    memcpy(change->replaced + i, before + offset + i, ENTRY_BYTES);
    memcpy(change->bytes + i, &entry, ENTRY_BYTES);
  }
  for (unsigned i = 0; i < PT_WINDOW_BYTES; i++)
    if (change->replaced[i] != change->bytes[i])
      mask |= 1u << i;
  change->mask = mask;
  return mask;
}

/* Publishes every change of one frame but the last one found, which is left in *last. */
static void compare_frame(struct pt_monitor *monitor, struct pt_vcpu *vcpu, size_t index, struct pt_change *last) {
  uint64_t gfn = vcpu->snapshot.gfn[index];
  const struct pt_frame *frame = pt_frame_find(monitor->memory, gfn);
  const uint8_t *before = vcpu->snapshot.bytes[index];
  for (size_t offset = 0; offset < PT_PAGE_BYTES;) {
    struct pt_change change;
    uint64_t entry = pt_load_relaxed((const uint64_t *)(const void *)(frame->bytes + offset));
    if (memcmp(before + offset, &entry, ENTRY_BYTES) == 0 || !compare_window(before, frame->bytes, offset, &change)) {
      offset += ENTRY_BYTES;
      continue;
    }
    if (last->mask)
      pt_outcome_publish(monitor, vcpu, vcpu->result, last, 0, true);
    *last = change;
    last->gpa = (gfn << PT_PAGE_SHIFT) + offset;
    offset += PT_WINDOW_BYTES;
  }
}

/* In every frame with rules, not only those remembered: an instruction may write to several (VPSCATTERQQ). */
static void put_denied_back(struct pt_monitor *monitor, const struct pt_vcpu *vcpu) {
  struct pt_put_back put;
  for (uint32_t next = 0; pt_deny_put_back(monitor->denies, &next, &put);) {
    struct pt_change change = {.gpa = put.gpa};
    memcpy(change.replaced, &put.found, ENTRY_BYTES);
    memcpy(change.bytes, &put.now, ENTRY_BYTES);
    for (unsigned i = 0; i < ENTRY_BYTES; i++)
      if (change.replaced[i] != change.bytes[i])
        change.mask |= 1u << i;
    pt_outcome_late_denied(monitor, vcpu, &change);
  }
}

void pt_step_end(struct pt_monitor *monitor, struct pt_vcpu *vcpu) {
  struct pt_change last = {.gpa = vcpu->exit.gpa & ~(uint64_t)7};
  put_denied_back(monitor, vcpu);
  vcpu->swapped_ns = pt_now_ns();
  for (size_t i = 0; i < vcpu->snapshot.count; i++)
    compare_frame(monitor, vcpu, i, &last);
  for (size_t i = 0; i < vcpu->snapshot.count; i++)
    pt_frame_find(monitor->memory, vcpu->snapshot.gfn[i])->steps--;
  monitor->steps--;
  pt_outcome_publish(monitor, vcpu, vcpu->result, &last, 1, false);
  PT_STOP("step-ended");
}
