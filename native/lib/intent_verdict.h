/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a vCPU's intent says about a vCPU that waits for an answer nobody gave, held against its registers and against
 * memory. A and D bits that the page walker set meanwhile do not matter. Nothing here changes anything.
 */
#ifndef PTARMIGAN_INTENT_VERDICT_H
#define PTARMIGAN_INTENT_VERDICT_H

#include "entries.h"
#include "intent.h"

enum pt_verdict {
  PT_VERDICT_NO_WRITE = 1, /* nothing was begun for this exit: the instruction is to be executed */
  PT_VERDICT_UNTOUCHED,    /* a write was decided on, and nothing of it is in memory: likewise */
  PT_VERDICT_FINISH,       /* all or a part is in memory: finish it, then set the registers */
  PT_VERDICT_DAMAGED       /* the record makes no sense: it cannot be known whether the write was done */
};

/* False: not what this version writes for so many vCPUs, or damaged. bytes: of the whole. */
bool pt_intents_valid(const struct pt_intents *intents, size_t bytes, unsigned vcpus);

/*
 * Holds the record against the vCPU alone: NO_WRITE, DAMAGED, or FINISH with *out, a checked copy, for
 * pt_intent_rest() to be asked. exit_id: hypervisor.h; 0 where the backend has none, then registers have to do.
 * frames: guest frames are 0 .. frames - 1.
 */
enum pt_verdict pt_intent_match(const struct pt_intent_record *record, const struct pt_cpu *cpu, uint64_t exit_id,
                                uint64_t frames, struct pt_intent *out);

/*
 * Holds it against memory: UNTOUCHED, or FINISH with the bytes in *rest that are still to be written. found: the
 * window's entries, those that no mask names are not looked at.
 */
enum pt_verdict pt_intent_rest(const struct pt_intent *intent, const uint64_t found[PT_WINDOW_ENTRIES], uint32_t *rest);

/* What an entry that holds found is to hold once the bytes rest of the window are written. */
uint64_t pt_intent_value(const struct pt_intent *intent, unsigned entry, uint64_t found, uint32_t rest);

/* Whether the write is told apart from a later exit that looks the same; if not, FINISH rests on a guess. */
bool pt_intent_certain(const struct pt_intent *intent, uint64_t exit_id);

#endif
