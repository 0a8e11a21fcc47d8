/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an instruction needs besides the record. The vCPU is paused before the instruction, so its XMM registers stay
 * as they are. Memory may change: the source is read afresh for each round until a part of the write is in memory, and
 * then it stays what that part was computed from.
 *
 * The walk of the source checks no access rights. The vCPU has read it already, by the same rights, or it would have
 * faulted before its store; but the bytes at RIP are read after that, and another vCPU may have made another
 * instruction of them. So that user code gains no kernel memory by such a race, nothing is read for it; and no XMM
 * register where the processor would refuse to store one, because it may hold another task's value (CR0.TS).
 */
#include <string.h>

#include "guest_walk.h"
#include "monitor.h"

#define CR0_EM (1u << 2)
#define CR0_TS (1u << 3)
#define CR4_OSFXSR (1u << 9)
#define USER_CPL 3

typedef uint64_t __attribute__((aligned(1), may_alias)) load8;
typedef uint32_t __attribute__((aligned(1), may_alias)) load4;
typedef uint16_t __attribute__((aligned(1), may_alias)) load2;

static uint64_t load(const uint8_t *from, uint32_t bytes) {
  switch (bytes) {
    case 8:
      return *(const volatile load8 *)from;
    case 4:
      return *(const volatile load4 *)from;
    case 2:
      return *(const volatile load2 *)from;
    default:
      return *(const volatile uint8_t *)from;
  }
}

/*
 * The longest loads that fit, from the source's first byte on, lowest first: each element of the instruction is read
 * as the processor would, in one piece, and in its order.
 */
static void copy(uint8_t *to, const uint8_t *from, uint32_t count) {
  for (uint32_t bytes = sizeof(load8); count > 0; bytes /= 2)
    for (; count >= bytes; count -= bytes, to += bytes, from += bytes) {
      uint64_t value = load(from, bytes);
      memcpy(to, &value, bytes);
    }
}

/* The source's bytes from linear address gla on, as many as lie in its page. 0: they cannot be read. */
static uint32_t read_page(struct pt_monitor *monitor, struct pt_vcpu *vcpu, uint64_t gla, uint8_t *to, uint32_t most) {
  const struct pt_exit *exit = &vcpu->exit;
  uint32_t offset = gla & (PT_PAGE_BYTES - 1);
  uint32_t count = most < PT_PAGE_BYTES - offset ? most : PT_PAGE_BYTES - offset;
  uint64_t gpa;
  if (gla < vcpu->attachments.source_gla || (exit->cpu.code_bits != 64 && gla > UINT32_MAX))
    return 0;
  if (pt_guest_walk(monitor->memory, &exit->cpu, gla, &gpa) < 0)
    return 0;
  const uint8_t *page = pt_guest_page(monitor->memory, gpa >> PT_PAGE_SHIFT);
  if (!page)
    return 0;
  if (gpa >> PT_PAGE_SHIFT == exit->gpa >> PT_PAGE_SHIFT && gla >> PT_PAGE_SHIFT != exit->gla >> PT_PAGE_SHIFT)
    vcpu->attachments.source_aliased = true;
  copy(to, page + offset, count);
  return count;
}

static void read_source(struct pt_monitor *monitor, struct pt_vcpu *vcpu) {
  struct pt_attachments *it = &vcpu->attachments;
  it->source_count = 0;
  it->source_aliased = false;
  memset(it->source, 0, sizeof it->source);
  if (vcpu->exit.cpu.cpl == USER_CPL)
    return;
  while (it->source_count < it->source_bytes) {
    uint8_t *to = it->source + it->source_count;
    uint32_t left = it->source_bytes - it->source_count;
    uint32_t part = read_page(monitor, vcpu, it->source_gla + it->source_count, to, left);
    if (part == 0)
      return;
    it->source_count += part;
  }
}

static uint32_t read_xmm(struct pt_monitor *monitor, const struct pt_vcpu *vcpu, uint32_t index, uint8_t *to) {
  const struct pt_host *host = &monitor->options.host;
  const struct pt_cpu *cpu = &vcpu->exit.cpu;
  if (cpu->cr0 & (CR0_EM | CR0_TS) || !(cpu->cr4 & CR4_OSFXSR) ||
      host->read_xmm(host->context, pt_vcpu_id(vcpu), index, to) < 0) {
    memset(to, 0, PT_XMM_BYTES);
    return PT_XMM_NONE;
  }
  return index;
}

void pt_attachments_ask(struct pt_vcpu *vcpu, const struct pt_decision *more) {
  struct pt_attachments *it = &vcpu->attachments;
  it->attached |= more->needs;
  if (more->needs & PT_MORE_SOURCE) {
    it->source_gla = more->source_gla;
    it->source_bytes = more->source_bytes;
  }
  if (more->needs & PT_MORE_XMM)
    it->xmm_register = more->xmm_register;
}

void pt_attachments_fill(struct pt_monitor *monitor, struct pt_vcpu *vcpu, struct pt_exit_record *record) {
  struct pt_attachments *it = &vcpu->attachments;
  record->attached = it->attached;
  if (it->attached & PT_MORE_SOURCE) {
    if (!vcpu->done)
      read_source(monitor, vcpu);
    record->source_count = it->source_count;
    record->source_aliased = it->source_aliased;
    memcpy(record->source, it->source, PT_SOURCE_BYTES);
  }
  if (it->attached & PT_MORE_XMM)
    record->xmm_register = read_xmm(monitor, vcpu, it->xmm_register, record->xmm);
}
