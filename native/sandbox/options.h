/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a sandbox domain, "key=value,key=value". Backend and machine read the same text. */
#ifndef PTARMIGAN_SANDBOX_OPTIONS_H
#define PTARMIGAN_SANDBOX_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct sandbox_options {
  unsigned vcpus;        /* vcpus=N, 1 to GUEST_MAX_VCPUS; 2 */
  uint64_t seed;         /* seed=N; 1 */
  double seconds;        /* seconds=N, fractions allowed; 10. The run's length where rounds is 0 */
  uint64_t rounds;       /* rounds=N, the operations that each vCPU does; 0 */
  uint64_t break_at;     /* break=N: the page-table entry of the Nth protected store is spoilt; 0 never */
  bool walker;           /* walker=0: nothing sets A/D bits behind the monitor's back; 1 */
  unsigned work;         /* work=all|open|xadd|btc|xchg|stos|pair, enum guest_work; all */
  double orphan_seconds; /* orphan=N: the domain outlives its monitor by so much, and another can attach; 0 */
  char dir[PATH_MAX];    /* dir=PATH, an existing directory for layout.json and result.json; none written if empty */
  char guest[PATH_MAX];  /* guest=PATH of the machine's executable; ptarmigan-guest beside the running one if empty */
};

/* 0, or -EINVAL with a static sentence in *message. text may be NULL: all defaults. */
int sandbox_options_parse(const char *text, struct sandbox_options *out, const char **message);

#endif
