/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VMI loop that knows nothing of ptarmigand: plugin.h is all that it needs. Its "hypervisor" is a pipe per direction;
 * a vCPU sends its exit and waits for its registers.
 */
#include "foreign_loop.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

static void carry_out(struct foreign_loop *loop, const struct pt_reply *reply) {
  struct pt_cpu cpu = reply->cpu;
  if (reply->kind == PT_REPLY_STEP)
    loop->step(loop->step_context, reply->vcpu, &cpu);
  pt_outcome(loop->monitor, reply->vcpu);
  if (write(loop->resume_fd[reply->vcpu], &cpu, sizeof cpu) != (ssize_t)sizeof cpu)
    loop->failures++;
  loop->replies++;
}

static void take(struct foreign_loop *loop) {
  struct pt_exit exit;
  while (read(loop->exit_fd, &exit, sizeof exit) == (ssize_t)sizeof exit) {
    exit.taken_ns = pt_now_ns();
    if (pt_submit(loop->monitor, &exit) < 0)
      loop->failures++;
    loop->exits++;
  }
}

static void wait_for_either(struct foreign_loop *loop) {
  struct pollfd fds[] = {{.fd = loop->exit_fd, .events = POLLIN}, {.fd = pt_fd(loop->monitor), .events = POLLIN}};
  if (!pt_prepare_sleep(loop->monitor))
    return;
  uint64_t now = pt_now_ns(), deadline = pt_next_deadline(loop->monitor);
  uint64_t left = deadline > now ? deadline - now : 0;
  poll(fds, 2, left > 50000000 ? 50 : (int)(left / 1000000) + 1);
  pt_awake(loop->monitor);
}

void foreign_loop_run(struct foreign_loop *loop, uint64_t exits) {
  struct pt_reply replies[8];
  while (loop->replies < exits && !loop->failures) {
    take(loop);
    size_t count = pt_poll(loop->monitor, replies, 8);
    for (size_t i = 0; i < count; i++)
      carry_out(loop, &replies[i]);
    if (count == 0)
      wait_for_either(loop);
  }
}
