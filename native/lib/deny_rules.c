/* SPDX-License-Identifier: Apache-2.0 */
#include "deny_rules.h"

#include <errno.h>
#include <stdlib.h>

#include "memory_order.h"

#define ENTRY_BYTES 8
#define ACCESSED_DIRTY 0x60u

struct rule {
  uint64_t gpa;
  struct pt_frame *frame; /* NULL: the rule is free */
  uint64_t mask;          /* denied by the JVM that is attached, or was last */
  uint64_t inherited;     /* denied by those before it */
  uint64_t kept;          /* what the denied bits are to be */
  uint32_t next;          /* 1 + the next rule of the frame, or the next free one; 0: none */
};

struct pt_deny_rules {
  struct pt_guest_memory *memory;
  uint32_t used; /* rules beyond were never taken */
  uint32_t free; /* 1 + the first one given back */
  struct rule rules[PT_DENY_RULES];
};

int pt_deny_rules_create(struct pt_guest_memory *memory, struct pt_deny_rules **out) {
  struct pt_deny_rules *rules = calloc(1, sizeof *rules);
  if (!rules)
    return -ENOMEM;
  rules->memory = memory;
  *out = rules;
  return 0;
}

void pt_deny_rules_destroy(struct pt_deny_rules *rules) {
  free(rules);
}

static uint64_t *entry_of(const struct rule *rule) {
  return (uint64_t *)(void *)(rule->frame->bytes + (rule->gpa & (PT_PAGE_BYTES - 1)));
}

static uint64_t denied(const struct rule *rule) {
  return rule->mask | rule->inherited;
}

/* 1 + the rule for the entry; 0: none. */
static uint32_t find(const struct pt_deny_rules *rules, const struct pt_frame *frame, uint64_t gpa) {
  uint32_t at = frame ? frame->denies : 0;
  while (at && rules->rules[at - 1].gpa != gpa)
    at = rules->rules[at - 1].next;
  return at;
}

static struct rule *take(struct pt_deny_rules *rules, struct pt_frame *frame, uint64_t gpa) {
  struct rule *rule;
  if (rules->free) {
    rule = &rules->rules[rules->free - 1];
    rules->free = rule->next;
  } else {
    rule = &rules->rules[rules->used++];
  }
  *rule = (struct rule){.gpa = gpa, .frame = frame, .next = frame->denies};
  frame->denies = (uint32_t)(rule - rules->rules) + 1;
  return rule;
}

static void give_back(struct pt_deny_rules *rules, struct rule *rule) {
  uint32_t number = (uint32_t)(rule - rules->rules) + 1;
  uint32_t *link = &rule->frame->denies;
  while (*link != number)
    link = &rules->rules[*link - 1].next;
  *link = rule->next;
  *rule = (struct rule){.next = rules->free};
  rules->free = number;
}

/* The frame of a new rule, which holds it from then on. */
static int make(struct pt_deny_rules *rules, uint64_t gpa, struct rule **out) {
  uint64_t gfn = gpa >> PT_PAGE_SHIFT;
  if (!rules->free && rules->used == PT_DENY_RULES)
    return -ENOSPC;
  int error = pt_frames_protect(rules->memory, gfn, 1);
  if (error < 0)
    return error;
  struct pt_frame *frame = pt_frame_find(rules->memory, gfn);
  *out = take(rules, frame, gpa);
  return pt_frame_release(rules->memory, gfn);
}

int pt_deny_add(struct pt_deny_rules *rules, uint64_t gpa, uint64_t mask) {
  if (gpa % ENTRY_BYTES != 0 || mask == 0 || mask & ACCESSED_DIRTY)
    return -EINVAL;
  const struct pt_frame *frame = pt_frame_find(rules->memory, gpa >> PT_PAGE_SHIFT);
  uint32_t number = find(rules, frame, gpa);
  struct rule *rule = number ? &rules->rules[number - 1] : NULL;
  if (frame && frame->steps > 0)
    return -EBUSY;
  int error = rule ? 0 : make(rules, gpa, &rule);
  if (error < 0)
    return error;
  rule->kept |= pt_load_acquire(entry_of(rule)) & mask & ~denied(rule);
  rule->mask |= mask;
  return 0;
}

int pt_deny_drop(struct pt_deny_rules *rules, uint64_t gpa, uint64_t mask) {
  struct pt_frame *frame = pt_frame_find(rules->memory, gpa >> PT_PAGE_SHIFT);
  uint32_t number = find(rules, frame, gpa);
  if (!number || !(rules->rules[number - 1].mask & mask))
    return -ENOENT;
  if (frame->steps > 0)
    return -EBUSY;
  struct rule *rule = &rules->rules[number - 1], before = *rule;
  rule->mask &= ~mask;
  rule->kept &= denied(rule);
  if (denied(rule))
    return 0;
  give_back(rules, rule);
  int error = pt_frame_drop_unused(rules->memory, frame);
  if (error < 0) { /* somebody must own the frame while it is protected */
    rule = take(rules, frame, gpa);
    rule->mask = before.mask;
    rule->kept = before.kept;
  }
  return error;
}

void pt_deny_inherit(struct pt_deny_rules *rules) {
  for (uint32_t i = 0; i < rules->used; i++) {
    struct rule *rule = &rules->rules[i];
    rule->inherited |= rule->mask;
    rule->mask = 0;
  }
}

void pt_deny_disinherit(struct pt_deny_rules *rules) {
  for (uint32_t i = 0; i < rules->used; i++) {
    struct rule *rule = &rules->rules[i];
    if (!rule->frame)
      continue;
    rule->inherited = 0;
    rule->kept &= rule->mask;
    if (rule->mask == 0)
      give_back(rules, rule);
  }
}

uint64_t pt_deny_mask(const struct pt_deny_rules *rules, const struct pt_frame *frame, uint64_t gpa) {
  uint32_t number = find(rules, frame, gpa);
  return number ? denied(&rules->rules[number - 1]) : 0;
}

/* Only the page walker can come first, and it has two bits to set. */
static void swap_back(const struct rule *rule, uint64_t mask, struct pt_put_back *out) {
  out->gpa = rule->gpa;
  out->found = pt_load_acquire(entry_of(rule));
  do
    out->now = (out->found & ~mask) | rule->kept;
  while (!pt_swap8(entry_of(rule), &out->found, out->now));
}

bool pt_deny_put_back(struct pt_deny_rules *rules, uint32_t *next, struct pt_put_back *out) {
  while (*next < rules->used) {
    const struct rule *rule = &rules->rules[(*next)++];
    uint64_t mask = denied(rule);
    if (!rule->frame || ((pt_load_acquire(entry_of(rule)) ^ rule->kept) & mask) == 0)
      continue;
    swap_back(rule, mask, out);
    return true;
  }
  return false;
}
