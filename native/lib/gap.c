/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outcomes that Java was too slow for. They are dropped until it has caught up; then one record tells it to read
 * everything again. A JVM whose stream runs full is stalled, whatever it answers.
 */
#include "clock.h"
#include "memory_order.h"
#include "monitor.h"

void pt_gap_open(struct pt_monitor *monitor) {
  monitor->gap = true;
  if (pt_stall_full(&monitor->stall, monitor->stream.next - 1, pt_now_ns()))
    pt_count(&monitor->counters->stalls, 1);
}

void pt_gap_close(struct pt_monitor *monitor) {
  if (!monitor->gap || !monitor->attached || pt_stalled_since(monitor) || pt_stream_full(&monitor->stream))
    return;
  pt_stream_reserve(&monitor->stream);
  pt_stream_publish(&monitor->stream, PT_RECORD_GAP, 0);
  pt_stream_wake(&monitor->stream);
  monitor->gap = false;
}
