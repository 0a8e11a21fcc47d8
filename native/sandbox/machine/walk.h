/* SPDX-License-Identifier: Apache-2.0 */
/* The page walker: 4-level translation through the guest's own tables (SDM vol. 3A section 4.5), with A/D bits. */
#ifndef PTARMIGAN_SANDBOX_WALK_H
#define PTARMIGAN_SANDBOX_WALK_H

#include "machine.h"

enum { WALK_LEVELS = 4 };

struct walk {
  uint64_t gpa;                    /* of the byte looked for */
  uint64_t size;                   /* bytes of the page: 4 KiB, 2 MiB or 1 GiB */
  bool writable;                   /* R/W in every entry */
  bool user;                       /* U/S in every entry */
  bool dirty;                      /* D of the leaf */
  unsigned levels;                 /* entries used */
  uint64_t entry_gpa[WALK_LEVELS]; /* from the root down */
};

/* What the walk is to leave behind in the entries. */
enum walk_marks { WALK_NONE = 0, WALK_ACCESSED = 1, WALK_DIRTY = 2 };

/*
 * Translates va. False where an entry is not present or leads out of memory. Sets A on the entries used (WALK_ACCESSED)
 * and D on a leaf of a writable translation (WALK_DIRTY), each by a compare-and-swap against the entry that was used;
 * starts over where that fails. Adds the bits set to *updates.
 */
bool walk(const struct machine *machine, uint64_t cr3, uint64_t va, unsigned marks, struct walk *out,
          unsigned *updates);

#endif
