/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is about to be written, kept where it outlives this process: whoever finds the memory after a death knows for
 * each vCPU whether its write was done, and can finish it (docs/adr/0009-intent.md).
 *
 * The host lends the memory, usually a file in a directory under /run mapped shared. A process that is killed between
 * two instructions leaves all stores before that point and none after it, so release stores in the order below are all
 * it takes; power loss ends the guest too. One writer; readers only once it is dead, or has never been.
 *
 *   store    fill the slot that current does not name, then name it (release)
 *   attempt  this entry holds what was judged: a swap follows
 *   done     it was swapped                           lost: it was not
 *   swapped  memory is final: only the registers are missing
 *   clear    the reply was carried out
 */
#ifndef PTARMIGAN_INTENT_H
#define PTARMIGAN_INTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ptarmigan/abi.h"

#define PT_INTENTS_MAGIC 0x31544E4954524150ULL /* "PARTINT1" as it lies in memory */
#define PT_INTENTS_VERSION 1

enum pt_intent_state {
  PT_INTENT_INTENDED = 1, /* memory is being swapped, or waits for the rest to be judged again */
  PT_INTENT_SWAPPED = 2   /* memory is final; the reply may be on its way */
};

enum pt_intent_kind {
  PT_INTENT_WRITE = 1,
  PT_INTENT_DENY = 2 /* memory stays; registers are set all the same */
};

struct pt_intent {
  /* Fixed while current names the slot; check is over them. */
  uint64_t exit_id;           /* pt_exit.id; 0 where the host has none */
  uint64_t gpa;               /* of the window's first byte, a multiple of 8 */
  struct pt_cpu cpu;          /* at the exit */
  uint64_t gpr[PT_GPR_COUNT]; /* after the instruction, like the next two */
  uint64_t rip;
  uint64_t rflags;
  uint8_t expected[PT_WINDOW_BYTES];  /* memory that each swap replaces, whole entries */
  uint8_t bytes[PT_WINDOW_BYTES];     /* memory to be, under mask */
  uint64_t held[PT_WINDOW_BYTES / 8]; /* bits of each entry that no finishing may change */
  uint32_t mask;                      /* bytes that this round writes */
  uint32_t earlier;                   /* bytes that earlier rounds have written; they hold */
  uint32_t kind;                      /* enum pt_intent_kind */
  uint32_t pad;
  uint64_t check;
  /* Marks. */
  uint32_t state; /* enum pt_intent_state */
  uint32_t
      attempted; /* bytes of entries that held expected just before their swap; a swap that was lost is taken out */
  uint32_t done; /* bytes of entries that this round has swapped */
  uint32_t pad2;
};

struct pt_intent_record {
  uint32_t current; /* slot + 1; 0: nothing is written for this vCPU */
  uint32_t pad[15];
  struct pt_intent slots[2];
};

struct pt_intents {
  uint64_t magic; /* stored last, release */
  uint32_t version;
  uint32_t vcpus;
  uint32_t record_bytes;
  uint32_t pad[11];
  struct pt_intent_record records[];
};

/* Sums all fixed fields: a slot that was damaged by whatever means is not acted on. */
uint64_t pt_intent_check(const struct pt_intent *intent);

/* Bytes for so many vCPUs: pt_intents_bytes() of plugin.h. Clears them and writes the header. */
void pt_intents_init(struct pt_intents *intents, unsigned vcpus);

struct pt_vcpu;

/*
 * All of these do nothing where the host lends no memory. mask: bytes to be written of vcpu->decision, 0 for DENY;
 * held: as pt_intent.held, NULL where nothing is written.
 */
void pt_intent_store(struct pt_vcpu *vcpu, enum pt_intent_kind kind, uint32_t mask, const uint64_t *held);
void pt_intent_attempt(struct pt_vcpu *vcpu, uint32_t mask);
void pt_intent_lost(struct pt_vcpu *vcpu, uint32_t mask);
void pt_intent_done(struct pt_vcpu *vcpu, uint32_t mask);
void pt_intent_swapped(struct pt_vcpu *vcpu);
void pt_intent_clear(struct pt_vcpu *vcpu);

PT_STATIC_ASSERT(offsetof(struct pt_intent, check) % 8 == 0, "the check is over whole words");
PT_STATIC_ASSERT(sizeof(struct pt_intent_record) % 8 == 0, "records follow each other");

#endif
