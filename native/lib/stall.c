/* SPDX-License-Identifier: Apache-2.0 */
#include "stall.h"

#define MOST_DEBT (PT_STALL_MISSES * PT_STALL_FORGIVEN)

void pt_stall_decided(struct pt_stall *stall) {
  if (stall->debt > 0)
    stall->debt--;
  if (!stall->stalled)
    stall->since_ns = 0;
}

bool pt_stall_full(struct pt_stall *stall, uint64_t cursor, uint64_t now) {
  if (stall->stalled)
    return false;
  if (stall->since_ns == 0)
    stall->since_ns = now;
  stall->stalled = true;
  stall->mark = cursor;
  stall->trial_ns = now + PT_STALL_TRIAL_NS;
  return true;
}

bool pt_stall_missed(struct pt_stall *stall, uint64_t cursor, uint64_t now) {
  if (stall->stalled)
    return false; /* another vCPU's exit, published before */
  stall->debt += PT_STALL_FORGIVEN;
  return stall->debt >= MOST_DEBT && pt_stall_full(stall, cursor, now);
}

bool pt_stall_check(struct pt_stall *stall, uint64_t consumed, uint64_t cursor, uint64_t now) {
  if (!stall->stalled)
    return false;
  if (consumed < stall->mark || consumed > cursor || cursor - consumed > PT_STALL_LAG || now < stall->trial_ns)
    return true;
  stall->stalled = false;
  stall->debt = MOST_DEBT - PT_STALL_FORGIVEN;
  return false;
}
