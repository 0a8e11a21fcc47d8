/* SPDX-License-Identifier: Apache-2.0 */
/* layout.json and result.json in the domain's directory; nothing where it has none. Not for handlers. */
#ifndef PTARMIGAN_SANDBOX_REPORT_H
#define PTARMIGAN_SANDBOX_REPORT_H

#include "machine.h"

/* What holding the final tables against those of the reference run gave. */
struct comparison {
  uint64_t differing_entries;
  uint64_t failed_checks; /* of the reference run itself */
};

/* 0 or a negative errno, both. */
int report_layout(const struct machine *machine);
int report_result(const struct machine *machine, const struct comparison *comparison);

#endif
