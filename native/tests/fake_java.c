/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_java.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "memory_order.h"

static int number(const char *name) {
  const char *text = getenv(name);
  return text ? atoi(text) : -1;
}

struct pt_channel fake_java_inherited(void) {
  return (struct pt_channel){.stream_fd = number("PTARMIGAN_STREAM_FD"),
                             .decisions_fd = number("PTARMIGAN_DECISIONS_FD"),
                             .wake_fd = number("PTARMIGAN_WAKE_FD"),
                             .notebook_fd = number("PTARMIGAN_NOTEBOOK_FD"),
                             .generation = (uint32_t)number("PTARMIGAN_GENERATION")};
}

int fake_java_attach(struct fake_java *java, const struct pt_channel *channel) {
  void *stream = mmap(NULL, PT_STREAM_BYTES, PROT_READ, MAP_SHARED | MAP_POPULATE, channel->stream_fd, 0);
  if (stream == MAP_FAILED)
    return -errno;
  void *decisions =
      mmap(NULL, PT_DECISIONS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, channel->decisions_fd, 0);
  if (decisions == MAP_FAILED) {
    int error = -errno;
    munmap(stream, PT_STREAM_BYTES);
    return error;
  }
  memset(java, 0, sizeof *java);
  java->stream = stream;
  java->decisions = decisions;
  java->next = java->decisions->consumed + 1;
  java->generation = channel->generation;
  java->wake_fd = channel->wake_fd;
  return 0;
}

void fake_java_detach(struct fake_java *java) {
  munmap((void *)(uintptr_t)java->stream, PT_STREAM_BYTES);
  munmap(java->decisions, PT_DECISIONS_BYTES);
}

const struct pt_record_head *fake_java_take(struct fake_java *java) {
  if (pt_load_acquire(&java->stream->cursor) < java->next)
    return NULL;
  size_t offset = PT_HEADER_BYTES + (java->next & (PT_SLOT_COUNT - 1)) * PT_SLOT_BYTES;
  return (const void *)((const uint8_t *)java->stream + offset);
}

void fake_java_consumed(struct fake_java *java) {
  pt_store_release(&java->decisions->consumed, java->next++);
}

struct pt_decision *fake_java_decision(struct fake_java *java, uint32_t vcpu) {
  return (void *)((uint8_t *)java->decisions + PT_HEADER_BYTES + (size_t)vcpu * PT_DECISION_BYTES);
}

static void wake_native(struct fake_java *java) {
  const uint64_t one = 1;
  pt_fence_full();
  if (pt_load_relaxed(&java->stream->native_waiting) && write(java->wake_fd, &one, sizeof one) < 0)
    return; /* full: it is readable already */
}

void fake_java_publish(struct fake_java *java, struct pt_decision *decision, uint64_t sequence) {
  pt_store_release(&decision->sequence, sequence);
  wake_native(java);
}

void fake_java_decide(struct fake_java *java, const struct pt_exit_record *exit, uint32_t action, uint32_t length,
                      struct pt_decision *decision) {
  pt_store_relaxed(&decision->sequence, 0);
  pt_fence_release();
  decision->generation = java->generation;
  decision->action = action;
  decision->mask = 0;
  decision->flags = 0;
  decision->stores = 1;
  decision->gpr_mask = 0;
  memcpy(decision->expected, exit->window, PT_WINDOW_BYTES);
  memcpy(decision->bytes, exit->window, PT_WINDOW_BYTES);
  decision->rip = exit->cpu.rip + length;
  decision->rflags = exit->cpu.rflags;
}

static void put_command(struct fake_java *java, const struct pt_command *from) {
  uint64_t index = ++java->command;
  struct pt_command *command =
      (void *)((uint8_t *)java->decisions + PT_COMMANDS_OFFSET + (index & (PT_COMMAND_COUNT - 1)) * PT_COMMAND_BYTES);
  *command = *from;
  pt_store_release(&java->decisions->commands_published, index);
  wake_native(java);
}

void fake_java_command(struct fake_java *java, uint64_t id, uint32_t kind, uint64_t gpa, uint32_t length) {
  put_command(java, &(struct pt_command){.id = id, .kind = kind, .gpa = gpa, .length = length});
}

void fake_java_rule(struct fake_java *java, uint64_t id, uint32_t kind, uint64_t gpa, uint64_t mask) {
  put_command(java, &(struct pt_command){.id = id, .kind = kind, .gpa = gpa, .length = 8, .mask = mask});
}

void fake_java_ready(struct fake_java *java) {
  pt_store_release(&java->decisions->ready, java->generation);
  wake_native(java);
}

void fake_java_sleep(struct fake_java *java, uint64_t timeout_ns) {
  struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / 1000000000u), .tv_nsec = (long)(timeout_ns % 1000000000u)};
  uint32_t wake = pt_load_acquire(&java->stream->wake);
  pt_store_relaxed(&java->decisions->java_waiting, 1);
  pt_fence_full();
  if (pt_load_acquire(&java->stream->cursor) < java->next)
    syscall(SYS_futex, &java->stream->wake, FUTEX_WAIT, wake, &timeout, NULL, 0);
  pt_store_relaxed(&java->decisions->java_waiting, 0);
}
