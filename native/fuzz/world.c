/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <string.h>

#include "check.h"

#define NEVER_NS (UINT64_MAX / 4)

static int read_xmm(void *context, uint32_t vcpu, uint32_t index, uint8_t out[PT_XMM_BYTES]) {
  (void)context;
  CHECK(vcpu < WORLD_VCPUS && index < PT_XMM_COUNT);
  memset(out, (int)index, PT_XMM_BYTES);
  return 0;
}

void world_options(struct world *world, struct pt_options *options) {
  fake_guest_init(&world->guest);
  fake_guest_options(&world->guest, WORLD_VCPUS, options);
  options->deadline_ns = NEVER_NS;
  options->host.read_xmm = read_xmm;
}

void world_open(struct world *world, const struct pt_options *options) {
  world->java.stream = NULL;
  CHECK(pt_open(options, &world->monitor) == 0);
}

void world_attach(struct world *world) {
  if (world->java.stream)
    fake_java_detach(&world->java);
  CHECK(pt_attach_jvm(world->monitor, &world->channel) == 0);
  CHECK(fake_java_attach(&world->java, &world->channel) == 0);
}

void world_begin(struct world *world, uint64_t gfn) {
  struct pt_reply replies[WORLD_VCPUS];
  fake_java_command(&world->java, 1, PT_COMMAND_PROTECT_READ, gfn * FAKE_PAGE, 8);
  CHECK(pt_poll(world->monitor, replies, WORLD_VCPUS) == 0);
  const struct pt_record_head *head = fake_java_take(&world->java);
  CHECK(head && head->kind == PT_RECORD_COMPLETION);
  CHECK(((const struct pt_completion_record *)(const void *)head)->status == 0);
  fake_java_consumed(&world->java);
  fake_java_ready(&world->java);
  CHECK(pt_ready(world->monitor));
}

/* Two rounds: a step of one vCPU can hold up the other. */
static void answer_all(struct world *world) {
  pt_detach_jvm(world->monitor);
  for (unsigned round = 0; round < WORLD_VCPUS; round++) {
    struct pt_reply replies[WORLD_VCPUS];
    for (uint32_t vcpu = 0; vcpu < WORLD_VCPUS; vcpu++)
      pt_outcome(world->monitor, vcpu); /* a step that the input left in flight */
    size_t count = pt_poll(world->monitor, replies, WORLD_VCPUS);
    for (size_t i = 0; i < count; i++)
      CHECK(pt_outcome(world->monitor, replies[i].vcpu) == 0);
  }
  CHECK(pt_idle(world->monitor));
  CHECK(pt_counters(world->monitor)->replies == pt_counters(world->monitor)->exits);
}

void world_close(struct world *world) {
  answer_all(world);
  pt_close(world->monitor);
  CHECK(world->guest.mapped == 0);
  for (unsigned gfn = 0; gfn < FAKE_FRAMES; gfn++)
    CHECK(!world->guest.restricted[gfn]);
  if (world->java.stream)
    fake_java_detach(&world->java);
}
