/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JVM that writes anything to the header of its file: consumed ahead of the cursor or backwards, ready for another
 * generation, command counts from nowhere; and a host that attaches, detaches and sleeps meanwhile. Holds: no record
 * is overwritten that the JVM has not consumed, as long as it is attached; ready means this generation and all
 * commands done; no sleep is refused without work to do; every exit gets its reply.
 */
#include "check.h"
#include "input.h"
#include "world.h"

#define TURNS_AT_MOST 40 /* 16 commands a turn, 256 at most wait */

struct handshake {
  struct world world;
  bool stepping[WORLD_VCPUS];
};

static const struct pt_record_head *record(const struct world *world, uint64_t sequence) {
  const uint8_t *slots = (const uint8_t *)world->java.stream + PT_HEADER_BYTES;
  return (const void *)(slots + (sequence & (PT_SLOT_COUNT - 1)) * PT_SLOT_BYTES);
}

/*
 * After a call that may have published. What Java claims is taken at its word: all that it has not consumed must still
 * be there, unless it claims what cannot be, and then nothing may have been published.
 */
static void check_stream(const struct world *world, uint64_t cursor_before) {
  uint64_t consumed = world->java.decisions->consumed, cursor = world->java.stream->cursor;
  CHECK(cursor >= cursor_before);
  for (uint64_t sequence = cursor_before + 1; sequence <= cursor; sequence++)
    CHECK(cursor - sequence >= PT_SLOT_COUNT || record(world, sequence)->sequence == sequence);
  if (cursor == cursor_before)
    return;
  if (!pt_attached(world->monitor))
    return;
  CHECK(cursor_before - consumed < PT_SLOT_COUNT);
  CHECK(cursor - consumed <= PT_SLOT_COUNT);
}

static void submit(struct handshake *handshake, struct input *input) {
  struct world *world = &handshake->world;
  struct pt_exit exit;
  uint8_t how = input_u8(input);
  uint64_t cursor = world->java.stream->cursor;
  fake_guest_exit(&world->guest, how % WORLD_VCPUS, (how & 0x38) << 3, &exit);
  if (how & 4)
    exit.taken_ns = UINT64_MAX - UINT64_MAX / 4; /* plus its deadline wraps: overdue */
  pt_submit(world->monitor, &exit);
  check_stream(world, cursor);
}

static void carry_out(struct handshake *handshake, const struct pt_reply *reply) {
  struct world *world = &handshake->world;
  CHECK(reply->vcpu < WORLD_VCPUS && !handshake->stepping[reply->vcpu]);
  if (reply->kind == PT_REPLY_STEP) {
    handshake->stepping[reply->vcpu] = true;
    return;
  }
  uint64_t cursor = world->java.stream->cursor;
  CHECK(pt_outcome(world->monitor, reply->vcpu) == 0);
  check_stream(world, cursor);
}

static void turn(struct handshake *handshake) {
  struct world *world = &handshake->world;
  struct pt_reply replies[WORLD_VCPUS];
  uint64_t cursor = world->java.stream->cursor;
  size_t count = pt_poll(world->monitor, replies, WORLD_VCPUS);
  check_stream(world, cursor);
  for (size_t i = 0; i < count; i++)
    carry_out(handshake, &replies[i]);
}

static void end_step(struct handshake *handshake, uint32_t vcpu) {
  struct world *world = &handshake->world;
  if (!handshake->stepping[vcpu])
    return;
  uint64_t cursor = world->java.stream->cursor;
  handshake->stepping[vcpu] = false;
  CHECK(pt_outcome(world->monitor, vcpu) == 0);
  check_stream(world, cursor);
}

/* Whatever lies in the command ring is asked for: many records without Java's consuming one, and the stream is full. */
static void burst(struct handshake *handshake, struct input *input) {
  struct world *world = &handshake->world;
  world->java.decisions->commands_published = world->java.stream->commands_done + input_u8(input);
  for (unsigned i = 0; i < PT_COMMAND_COUNT / 16; i++)
    turn(handshake);
}

static void set_header(struct world *world, struct input *input) {
  struct pt_decisions_header *header = world->java.decisions;
  uint8_t what = input_u8(input);
  switch (what % 8) {
    case 0:
      header->consumed = world->java.stream->cursor;
      break;
    case 1:
      header->consumed = world->java.stream->cursor + (uint64_t)(int64_t)(int16_t)input_u16(input);
      break;
    case 2:
      header->consumed = input_u64(input);
      break;
    case 3:
      header->ready = what & 8 ? world->java.generation : input_u8(input);
      break;
    case 4:
      header->commands_published = world->java.stream->commands_done + input_u16(input);
      break;
    case 5:
      header->commands_published = input_u64(input);
      break;
    case 6:
      header->java_waiting = input_u8(input);
      break;
    default:
      input_bytes(input, (uint8_t *)header + input_u16(input) % (sizeof *header - 8), 8);
      break;
  }
}

static void put_command(struct world *world, struct input *input) {
  uint64_t index = world->java.stream->commands_done + 1 + input_u8(input) % 4;
  uint8_t *slot =
      (uint8_t *)world->java.decisions + PT_COMMANDS_OFFSET + (index & (PT_COMMAND_COUNT - 1)) * PT_COMMAND_BYTES;
  struct pt_command command = {.kind = input_u8(input) % 6, .length = input_u8(input)};
  command.gpa = (uint64_t)(input_u8(input) % FAKE_FRAMES) << 12;
  memcpy(slot, &command, sizeof command);
}

/* What the header says now, and nothing else, makes the JVM ready. */
static void check_ready(const struct world *world) {
  const struct pt_decisions_header *header = world->java.decisions;
  if (!pt_ready(world->monitor))
    return;
  CHECK(pt_attached(world->monitor) && header->ready == world->java.generation);
  CHECK(header->commands_published == world->java.stream->commands_done);
}

/* A refused sleep must come to an end: the loop would spin for ever. */
static void sleep_some(struct handshake *handshake) {
  for (unsigned i = 0; !pt_prepare_sleep(handshake->world.monitor); i++) {
    CHECK(i < TURNS_AT_MOST);
    end_step(handshake, 0);
    end_step(handshake, 1);
    turn(handshake);
  }
  pt_awake(handshake->world.monitor);
}

static void run(struct handshake *handshake, struct input *input) {
  struct world *world = &handshake->world;
  uint8_t operation = input_u8(input);
  switch (operation % 10) {
    case 0:
    case 1:
      set_header(world, input);
      break;
    case 2:
      submit(handshake, input);
      break;
    case 3:
      turn(handshake);
      break;
    case 4:
      end_step(handshake, operation >> 4 & 1);
      break;
    case 5:
      put_command(world, input);
      break;
    case 6:
      sleep_some(handshake);
      break;
    case 7:
      burst(handshake, input);
      break;
    case 8:
      pt_detach_jvm(world->monitor);
      break;
    default:
      world_attach(world);
      CHECK(!pt_ready(world->monitor));
      CHECK(world->java.decisions->consumed == world->java.stream->cursor);
      break;
  }
  check_ready(world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct handshake *handshake;
  struct input input = {data, size};
  struct pt_options options;
  if (!handshake)
    handshake = aligned_alloc(FAKE_PAGE, (sizeof *handshake + FAKE_PAGE - 1) & ~(size_t)(FAKE_PAGE - 1));
  CHECK(handshake);
  memset(handshake->stepping, 0, sizeof handshake->stepping);
  world_options(&handshake->world, &options);
  world_open(&handshake->world, &options);
  world_attach(&handshake->world);
  world_begin(&handshake->world, FAKE_TABLE);
  while (input_more(&input))
    run(handshake, &input);
  world_close(&handshake->world);
  return 0;
}
