/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "memory_order.h"

static bool options_valid(const struct pt_options *options) {
  const struct pt_host *host = &options->host;
  return options->vcpus >= 1 && options->vcpus <= PT_MAX_VCPUS && options->maxphyaddr >= 36 &&
         options->maxphyaddr <= 52 && options->deadline_ns > 0 && host->map_frame && host->unmap_frame &&
         host->set_access && host->read_xmm;
}

static void keep_intents(struct pt_monitor *monitor) {
  struct pt_intents *intents = monitor->options.intents;
  if (!intents)
    return;
  pt_intents_init(intents, monitor->options.vcpus);
  for (unsigned i = 0; i < monitor->options.vcpus; i++)
    monitor->vcpus[i].intents = &intents->records[i];
}

int pt_open(const struct pt_options *options, struct pt_monitor **out) {
  int error = -ENOMEM;
  if (!options_valid(options))
    return -EINVAL;
  struct pt_monitor *monitor = calloc(1, sizeof *monitor);
  if (!monitor)
    return error;
  monitor->options = *options;
  monitor->vcpus = calloc(options->vcpus, sizeof *monitor->vcpus);
  if (!monitor->vcpus)
    goto free_monitor;
  monitor->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (monitor->wake_fd < 0) {
    error = -errno;
    goto free_vcpus;
  }
  monitor->notebook_fd = error = pt_notebook_create();
  if (error < 0)
    goto close_wake;
  error = pt_stream_create(&monitor->stream.region, options->vcpus, options->maxphyaddr, options->deadline_ns);
  if (error < 0)
    goto close_notebook;
  monitor->stream.next = 1;
  keep_intents(monitor);
  monitor->counters = &monitor->stream.region.header->counters;
  error = pt_guest_memory_create(options, monitor->counters, &monitor->memory);
  if (error < 0)
    goto destroy_stream;
  error = pt_deny_rules_create(monitor->memory, &monitor->denies);
  if (error < 0)
    goto destroy_memory;
  *out = monitor;
  return 0;
destroy_memory:
  pt_guest_memory_destroy(monitor->memory);
destroy_stream:
  pt_stream_destroy(&monitor->stream.region);
close_notebook:
  close(monitor->notebook_fd);
close_wake:
  close(monitor->wake_fd);
free_vcpus:
  free(monitor->vcpus);
free_monitor:
  free(monitor);
  return error;
}

void pt_close(struct pt_monitor *monitor) {
  pt_detach_jvm(monitor);
  pt_deny_rules_destroy(monitor->denies);
  pt_guest_memory_destroy(monitor->memory);
  pt_stream_destroy(&monitor->stream.region);
  close(monitor->notebook_fd);
  close(monitor->wake_fd);
  free(monitor->vcpus);
  free(monitor);
}

int pt_attach_jvm(struct pt_monitor *monitor, struct pt_channel *out) {
  struct pt_stream_header *header = monitor->stream.region.header;
  pt_detach_jvm(monitor);
  int error = pt_decisions_create(&monitor->decisions, monitor->generation + 1, monitor->stream.next - 1);
  if (error < 0)
    return error;
  if (monitor->generation++ > 0) {
    pt_frames_inherit(monitor->memory);
    pt_deny_inherit(monitor->denies);
    monitor->inheriting = true;
  }
  pt_count(&monitor->counters->jvm_restarts, monitor->generation > 1);
  monitor->stall = (struct pt_stall){.stalled = false};
  monitor->was_ready = false;
  monitor->gap = false;
  monitor->attached = true;
  monitor->commands_seen = 0;
  monitor->stream.consumer = monitor->decisions.header;
  pt_store_relaxed(&header->commands_done, 0);
  pt_store_release(&header->generation, monitor->generation);
  *out = (struct pt_channel){.stream_fd = monitor->stream.region.fd,
                             .decisions_fd = monitor->decisions.fd,
                             .wake_fd = monitor->wake_fd,
                             .notebook_fd = monitor->notebook_fd,
                             .generation = monitor->generation};
  return 0;
}

void pt_detach_jvm(struct pt_monitor *monitor) {
  if (!monitor->attached)
    return;
  pt_note_ready(monitor);
  for (unsigned i = 0; i < monitor->options.vcpus; i++) {
    struct pt_vcpu *vcpu = &monitor->vcpus[i];
    if (vcpu->phase == PT_PHASE_WAITING && !pt_hold(monitor, vcpu, PT_CAUSE_NO_JVM)) {
      vcpu->phase = PT_PHASE_UNDECIDED;
      vcpu->cause = PT_CAUSE_NO_JVM;
    }
    if (vcpu->phase == PT_PHASE_HELD)
      vcpu->sequence = 0;
  }
  monitor->attached = false;
  monitor->range.active = false;
  monitor->stream.consumer = NULL;
  pt_store_release(&monitor->stream.region.header->generation, 0);
  pt_decisions_destroy(&monitor->decisions);
}

bool pt_attached(const struct pt_monitor *monitor) {
  return monitor->attached;
}

bool pt_says_ready(const struct pt_monitor *monitor) {
  return monitor->attached && pt_load_acquire(&monitor->decisions.header->ready) == monitor->generation;
}

bool pt_ready(const struct pt_monitor *monitor) {
  return pt_says_ready(monitor) && !monitor->range.active &&
         pt_load_acquire(&monitor->decisions.header->commands_published) == monitor->commands_seen;
}

bool pt_note_ready(struct pt_monitor *monitor) {
  if (monitor->was_ready || !pt_ready(monitor))
    return monitor->was_ready;
  monitor->was_ready = true;
  pt_count(&monitor->counters->jvm_ready, 1);
  return true;
}

static bool stalled(struct pt_monitor *monitor) {
  if (!monitor->stall.stalled)
    return false;
  const struct pt_stream *stream = &monitor->stream;
  return pt_stall_check(&monitor->stall, pt_load_acquire(&stream->consumer->consumed), stream->next - 1, pt_now_ns());
}

bool pt_listens(struct pt_monitor *monitor) {
  return pt_says_ready(monitor) && !monitor->gap && !stalled(monitor);
}

uint64_t pt_stalled_since(struct pt_monitor *monitor) {
  return monitor->attached && stalled(monitor) ? monitor->stall.since_ns : 0;
}

static void set_state(struct pt_monitor *monitor, enum pt_state state) {
  pt_store_release(&monitor->stream.region.header->state, (uint32_t)state);
  pt_stream_wake(&monitor->stream);
}

void pt_run(struct pt_monitor *monitor) {
  pt_store_relaxed(&monitor->stream.region.header->running_ns, pt_now_ns());
  set_state(monitor, PT_STATE_RUNNING);
}

void pt_end(struct pt_monitor *monitor) {
  set_state(monitor, PT_STATE_ENDED);
}

int pt_fd(const struct pt_monitor *monitor) {
  return monitor->wake_fd;
}

/* Anything that pt_poll would carry further now, deadlines aside. */
static bool work_ready(struct pt_monitor *monitor) {
  if (monitor->attached) {
    bool commands = monitor->range.active || pt_command_waits(monitor);
    if (commands && !pt_stream_full(&monitor->stream))
      return true;
  }
  for (unsigned i = 0; monitor->outstanding && i < monitor->options.vcpus; i++) {
    const struct pt_vcpu *vcpu = &monitor->vcpus[i];
    bool blocked = vcpu->phase == PT_PHASE_DECIDED || vcpu->phase == PT_PHASE_UNDECIDED;
    bool hopeless = vcpu->phase == PT_PHASE_WAITING && monitor->stall.stalled;
    if ((blocked && monitor->steps == 0) || hopeless || pt_hold_publishable(monitor, vcpu))
      return true;
    bool published = vcpu->phase == PT_PHASE_WAITING || vcpu->phase == PT_PHASE_HELD;
    if (!published || vcpu->sequence == 0)
      continue;
    const struct pt_decision *shared = (const void *)(monitor->decisions.decisions + (size_t)i * PT_DECISION_BYTES);
    if (pt_load_acquire(&shared->sequence) == vcpu->sequence)
      return true;
  }
  return false;
}

bool pt_prepare_sleep(struct pt_monitor *monitor) {
  pt_store_relaxed(&monitor->stream.region.header->native_waiting, 1);
  pt_fence_full();
  if (!work_ready(monitor))
    return true;
  pt_awake(monitor);
  return false;
}

void pt_awake(struct pt_monitor *monitor) {
  uint64_t count;
  pt_store_relaxed(&monitor->stream.region.header->native_waiting, 0);
  while (read(monitor->wake_fd, &count, sizeof count) > 0)
    ;
}

uint64_t pt_next_deadline(const struct pt_monitor *monitor) {
  uint64_t earliest = UINT64_MAX;
  for (unsigned i = 0; i < monitor->options.vcpus; i++)
    if (monitor->vcpus[i].phase == PT_PHASE_WAITING && monitor->vcpus[i].deadline_ns < earliest)
      earliest = monitor->vcpus[i].deadline_ns;
  return earliest;
}

void pt_lift_protections(struct pt_monitor *monitor) {
  monitor->options.fail_closed = false;
  pt_lift_hold(monitor);
  pt_frames_lift(monitor->memory);
}

bool pt_idle(const struct pt_monitor *monitor) {
  return monitor->outstanding == 0;
}

const struct pt_counters *pt_counters(const struct pt_monitor *monitor) {
  return monitor->counters;
}
