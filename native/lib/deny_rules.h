/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bits of page-table entries that must not change, whichever rung carries an instruction out. A rule is one entry with
 * its bits and what they are to be; it keeps its frame protected. Java's own judgement comes first; what is here holds
 * where Java is late, wrong, hostile or not there. One thread. Nothing is allocated after create.
 */
#ifndef PTARMIGAN_DENY_RULES_H
#define PTARMIGAN_DENY_RULES_H

#include "guest_memory.h"

struct pt_deny_rules;

int pt_deny_rules_create(struct pt_guest_memory *memory, struct pt_deny_rules **out);
void pt_deny_rules_destroy(struct pt_deny_rules *rules);

/*
 * The commands DENY and ALLOW of abi.h, which gives the errors; besides, -EBUSY while a step is in flight on the frame:
 * what its entries hold is not settled then.
 */
int pt_deny_add(struct pt_deny_rules *rules, uint64_t gpa, uint64_t mask);
int pt_deny_drop(struct pt_deny_rules *rules, uint64_t gpa, uint64_t mask);

/* As pt_frames_inherit and pt_frames_disinherit, and to be called with them: disinherit before that of the frames. */
void pt_deny_inherit(struct pt_deny_rules *rules);
void pt_deny_disinherit(struct pt_deny_rules *rules);

/* Bits of the entry at gpa, which lies in frame, that must not change. */
uint64_t pt_deny_mask(const struct pt_deny_rules *rules, const struct pt_frame *frame, uint64_t gpa);

/* An entry whose denied bits had changed: what it held, what it holds. */
struct pt_put_back {
  uint64_t gpa;
  uint64_t found;
  uint64_t now;
};

/* Puts back the next entry from *next (0 to begin with) whose denied bits differ. False: all are as they should be. */
bool pt_deny_put_back(struct pt_deny_rules *rules, uint32_t *next, struct pt_put_back *out);

#endif
