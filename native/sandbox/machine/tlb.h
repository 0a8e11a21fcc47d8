/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The software TLB: user addresses of the guest are mapped into the process one 4 KiB page at a time, as the guest's
 * tables say at the moment of the access, and stay mapped until the guest invalidates them or the slot is needed.
 */
#ifndef PTARMIGAN_SANDBOX_TLB_H
#define PTARMIGAN_SANDBOX_TLB_H

#include "machine.h"

enum tlb_result {
  TLB_FILLED,     /* try again */
  TLB_RESTRICTED, /* the guest may write there, the restricted view may not: gpa says where */
  TLB_PAGE_FAULT  /* the guest's own: error says why */
};

/* True for the addresses that go through the TLB. */
bool tlb_covers(const struct machine *machine, uint64_t va);

enum tlb_result tlb_access(struct vcpu *vcpu, uint64_t va, bool write, uint64_t *gpa, uint64_t *error);

/* invlpg: forgets the page of the guest, of whatever size, that va lies in. */
void tlb_invalidate(struct vcpu *vcpu, uint64_t va);

/* mov to CR3. */
void tlb_flush(struct vcpu *vcpu);

/* Forgets every translation to a frame, whose rights have changed. The caller holds ram.lock. */
void tlb_drop_frame(struct machine *machine, uint64_t gfn);

#endif
