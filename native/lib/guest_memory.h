/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest frames as this process sees them: the frames that are protected, each mapped as long as its protection lives,
 * and a bounded cache of others that walks and instruction fetches touch. One thread.
 */
#ifndef PTARMIGAN_GUEST_MEMORY_H
#define PTARMIGAN_GUEST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ptarmigan/plugin.h"

#define PT_PAGE_BYTES 4096u
#define PT_PAGE_SHIFT 12

struct pt_guest_memory;

/* A protected frame. Valid until its last protection is released and its last deny rule gone. */
struct pt_frame {
  uint64_t gfn;
  uint8_t *bytes;
  uint32_t protections;  /* asked for by the JVM that is attached */
  bool inherited;        /* protected by an earlier JVM, until the new one is ready */
  uint32_t steps;        /* single steps in flight on it */
  uint32_t first_writer; /* vCPU + 1; 0: none yet */
  bool shared;           /* a second vCPU wrote to it */
  uint32_t denies;       /* deny_rules.c: 1 + its first rule; 0: none */
};

int pt_guest_memory_create(const struct pt_options *options, struct pt_counters *counters,
                           struct pt_guest_memory **out);
void pt_guest_memory_destroy(struct pt_guest_memory *memory);

/* The protected frame, or NULL where gfn is not protected. */
struct pt_frame *pt_frame_find(struct pt_guest_memory *memory, uint64_t gfn);

/* Adds one protection to each of count frames from gfn; all or none. */
int pt_frames_protect(struct pt_guest_memory *memory, uint64_t gfn, size_t count);
/* All protections become inherited: a new JVM asks for its own, and nothing is missed until it has. */
void pt_frames_inherit(struct pt_guest_memory *memory);
/* Drops inherited protections; frames that nobody else protects become writable. False: try again for the rest. */
bool pt_frames_disinherit(struct pt_guest_memory *memory);
/* Makes all protected frames writable; they stay mapped and counted. */
void pt_frames_lift(struct pt_guest_memory *memory);
int pt_frame_release(struct pt_guest_memory *memory, uint64_t gfn);
/* Makes the frame writable where neither a protection nor a deny rule is left. */
int pt_frame_drop_unused(struct pt_guest_memory *memory, struct pt_frame *frame);

/* The frame's bytes, protected or not; NULL where the guest has no such frame. Valid until the next call. */
uint8_t *pt_guest_page(struct pt_guest_memory *memory, uint64_t gfn);

/* Copies from one frame; each aligned 8-byte entry is read at once. 0, -ENOENT, or -EINVAL past the frame's end. */
int pt_guest_read(struct pt_guest_memory *memory, uint64_t gpa, void *to, size_t length);

#endif
