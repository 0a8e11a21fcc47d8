/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "clock.h"
#include "guest_walk.h"
#include "memory_order.h"
#include "monitor.h"

/* As many of the 16 bytes at RIP as are mapped; the rest is 0. */
static void read_instruction(struct pt_monitor *monitor, const struct pt_cpu *cpu, struct pt_instruction *out) {
  uint64_t linear = cpu->rip;
  if (cpu->code_bits != 64)
    linear = (cpu->segment_base[1] + cpu->rip) & 0xFFFFFFFFu;
  memset(out, 0, sizeof *out);
  while (out->count < PT_INSN_BYTES) {
    uint64_t gpa;
    uint32_t room = PT_PAGE_BYTES - (uint32_t)((linear + out->count) & (PT_PAGE_BYTES - 1));
    uint32_t part = PT_INSN_BYTES - out->count < room ? PT_INSN_BYTES - out->count : room;
    if (pt_guest_walk(monitor->memory, cpu, linear + out->count, &gpa) < 0)
      break;
    if (pt_guest_read(monitor->memory, gpa, out->bytes + out->count, part) < 0)
      break;
    out->count += part;
  }
}

/* Memory around the write, bytes that are done already as they were before. */
static uint32_t read_window(struct pt_monitor *monitor, const struct pt_vcpu *vcpu, uint8_t *window) {
  uint64_t gpa = vcpu->exit.gpa & ~(uint64_t)7;
  uint32_t room = PT_PAGE_BYTES - (uint32_t)(gpa & (PT_PAGE_BYTES - 1));
  uint32_t count = room < PT_WINDOW_BYTES ? room : PT_WINDOW_BYTES;
  memset(window, 0, PT_WINDOW_BYTES);
  if (pt_guest_read(monitor->memory, gpa, window, count) < 0)
    return 0;
  for (uint32_t i = 0; i < count; i++)
    if (vcpu->done & (1u << i))
      window[i] = vcpu->before[i];
  return count;
}

static bool complete(struct pt_monitor *monitor, struct pt_vcpu *vcpu, struct pt_exit_record *record) {
  const struct pt_exit *exit = &vcpu->exit;
  if (!(exit->access & PT_ACCESS_WRITE) || !(exit->access & PT_ACCESS_GLA_VALID))
    return false;
  if (vcpu->round == 0)
    read_instruction(monitor, &exit->cpu, &vcpu->instruction);
  record->insn_count = vcpu->instruction.count;
  memcpy(record->insn, vcpu->instruction.bytes, PT_INSN_BYTES);
  pt_attachments_fill(monitor, vcpu, record);
  record->window_count = read_window(monitor, vcpu, record->window);
  if (record->insn_count == 0 || record->window_count == 0)
    return false;
  record->round = vcpu->round;
  record->view = exit->view;
  record->access = exit->access;
  record->done = vcpu->done;
  record->gpa = exit->gpa;
  record->gla = exit->gla;
  record->cpu = exit->cpu;
  record->taken_ns = exit->taken_ns;
  return true;
}

bool pt_exit_publish(struct pt_monitor *monitor, struct pt_vcpu *vcpu) {
  struct pt_stream *stream = &monitor->stream;
  vcpu->sequence = 0;
  if (!pt_listens(monitor) || pt_stream_full(stream)) {
    vcpu->cause = PT_CAUSE_NO_JVM;
    return false;
  }
  struct pt_exit_record *record = pt_stream_reserve(stream);
  if (!complete(monitor, vcpu, record)) {
    vcpu->cause = PT_CAUSE_INCOMPLETE;
    return false;
  }
  if (vcpu->round == 0) {
    vcpu->first = stream->next;
    vcpu->published_ns = pt_now_ns();
    record->published_ns = vcpu->published_ns;
  } else {
    record->published_ns = pt_now_ns();
    pt_count(&monitor->counters->retried, 1);
  }
  record->first = vcpu->first;
  vcpu->sequence = pt_stream_publish(stream, PT_RECORD_EXIT, pt_vcpu_id(vcpu));
  pt_stream_wake(stream);
  return true;
}
