/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands with anything in them, over a host that refuses now and then, with single steps in flight. A model of a
 * counter per frame says what each command must answer: one completion each, in order; the guest's access rights are
 * the model's after every turn; a turn does a bounded amount; and in the end nothing stays protected or mapped.
 */
#include <errno.h>

#include "check.h"
#include "input.h"
#include "world.h"

#define FRAMES 700u /* ranges take several turns */
#define COMMANDS_PER_TURN 16
#define FRAMES_PER_TURN (2 * 256u + COMMANDS_PER_TURN) /* a piece that is refused, and one to undo */
#define WAITING_AT_MOST 200
#define RULE 0x10000u                       /* a rule holds its frame, apart from protections */
#define RULES_AT_MOST 512                   /* more than one input gives */
#define TURNS_AT_MOST (5 * WAITING_AT_MOST) /* three pieces a range, their undoing, and the wait for a step */

struct commands {
  struct world world;
  bool restricted[FRAMES];
  unsigned mapped;
  unsigned touched;                       /* frames whose access was set in this turn */
  bool undoing;                           /* until the next completion */
  unsigned refuse_in;                     /* calls of set_access until one is refused; 0: none */
  uint32_t held[FRAMES];                  /* model: protections by frame */
  struct pt_command rules[RULES_AT_MOST]; /* model: entries with denied bits */
  unsigned rule_count;
  struct pt_command waiting[WAITING_AT_MOST];
  unsigned first, count;
  uint64_t id;
};

static int map_frame(void *context, uint64_t gfn, void **frame) {
  struct commands *commands = context;
  CHECK(gfn < FRAMES);
  commands->mapped++;
  *frame = commands->world.guest.ram[gfn % FAKE_FRAMES];
  return 0;
}

static void unmap_frame(void *context, uint64_t gfn, void *frame) {
  struct commands *commands = context;
  CHECK(gfn < FRAMES && frame == commands->world.guest.ram[gfn % FAKE_FRAMES] && commands->mapped > 0);
  commands->mapped--;
}

/* Not also to take back what it refused halfway: such frames stay protected, and nobody can help it. */
static bool refuses(struct commands *commands, bool restricted) {
  if (commands->refuse_in == 0 || (commands->undoing && !restricted) || --commands->refuse_in > 0)
    return false;
  commands->undoing = restricted;
  return true;
}

static int set_access(void *context, const uint64_t *gfns, size_t count, bool restricted) {
  struct commands *commands = context;
  commands->touched += (unsigned)count;
  if (refuses(commands, restricted))
    return -EPERM;
  for (size_t i = 0; i < count; i++) {
    CHECK(gfns[i] < FRAMES);
    commands->restricted[gfns[i]] = restricted;
  }
  return 0;
}

static int read_xmm(void *context, uint32_t vcpu, uint32_t index, uint8_t out[PT_XMM_BYTES]) {
  (void)context, (void)vcpu, (void)index, (void)out;
  return -ENOSYS;
}

/* What the data of a read must be: -errno, or 0. */
static int readable(const struct pt_command *command) {
  if (command->length == 0 || command->length > PT_COMPLETION_BYTES)
    return -EINVAL;
  if ((command->gpa & (FAKE_PAGE - 1)) + command->length > FAKE_PAGE)
    return -EINVAL;
  return command->gpa >> 12 < FRAMES ? 0 : -ENOENT;
}

static int model_range(struct commands *commands, const struct pt_command *command) {
  uint64_t last = command->gpa + command->length - 1;
  if (command->length == 0 || last < command->gpa || last >> 12 >= FRAMES)
    return -EINVAL;
  for (uint64_t gfn = command->gpa >> 12; gfn <= last >> 12; gfn++)
    commands->held[gfn]++;
  return 0;
}

static struct pt_command *rule_of(struct commands *commands, uint64_t gpa) {
  for (unsigned i = 0; i < commands->rule_count; i++)
    if (commands->rules[i].gpa == gpa)
      return &commands->rules[i];
  return NULL;
}

static int model_deny(struct commands *commands, const struct pt_command *command) {
  struct pt_command *rule = rule_of(commands, command->gpa);
  if (command->length != 8 || command->gpa % 8 != 0 || command->mask == 0 || command->mask & 0x60)
    return -EINVAL;
  if (command->gpa >> 12 >= FRAMES)
    return -ENOENT;
  if (!rule) {
    CHECK(commands->rule_count < RULES_AT_MOST);
    rule = &commands->rules[commands->rule_count++];
    *rule = (struct pt_command){.gpa = command->gpa};
    commands->held[command->gpa >> 12] += RULE;
  }
  rule->mask |= command->mask;
  return 0;
}

static int model_allow(struct commands *commands, const struct pt_command *command) {
  struct pt_command *rule = rule_of(commands, command->gpa);
  if (command->length != 8)
    return -EINVAL;
  if (!rule || !(rule->mask & command->mask))
    return -ENOENT;
  rule->mask &= ~command->mask;
  if (rule->mask == 0) {
    commands->held[rule->gpa >> 12] -= RULE;
    *rule = commands->rules[--commands->rule_count];
  }
  return 0;
}

static int model(struct commands *commands, const struct pt_command *command) {
  uint64_t gfn = command->gpa >> 12;
  switch (command->kind) {
    case PT_COMMAND_READ:
      return readable(command);
    case PT_COMMAND_PROTECT_READ:
      if (readable(command) == 0)
        commands->held[gfn]++;
      return readable(command);
    case PT_COMMAND_RELEASE:
      if (gfn >= FRAMES || commands->held[gfn] % RULE == 0)
        return -ENOENT;
      commands->held[gfn]--;
      return 0;
    case PT_COMMAND_DENY:
      return model_deny(commands, command);
    case PT_COMMAND_ALLOW:
      return model_allow(commands, command);
    case PT_COMMAND_PROTECT_RANGE:
      return model_range(commands, command);
    default:
      return -ENOSYS;
  }
}

static void check_completion(struct commands *commands, const struct pt_completion_record *record) {
  CHECK(commands->count > 0);
  const struct pt_command *command = &commands->waiting[commands->first];
  uint32_t held = command->gpa >> 12 < FRAMES ? commands->held[command->gpa >> 12] : 0;
  CHECK(record->command == command->id && record->kind == command->kind && record->gpa == command->gpa);
  if (record->status == -EPERM) { /* the host refused: as if it had not been asked for */
    CHECK(held == 0 || command->kind != PT_COMMAND_PROTECT_READ);
    CHECK(record->length == 0);
  } else {
    CHECK(record->status == model(commands, command));
    bool data = record->status == 0 && (command->kind == PT_COMMAND_READ || command->kind == PT_COMMAND_PROTECT_READ ||
                                        command->kind == PT_COMMAND_DENY);
    CHECK(record->length == (data ? command->length : 0));
    const uint8_t *frame = commands->world.guest.ram[(command->gpa >> 12) % FAKE_FRAMES];
    CHECK(!data || memcmp(record->data, frame + (command->gpa & (FAKE_PAGE - 1)), record->length) == 0);
  }
  commands->undoing = false;
  commands->first = (commands->first + 1) % WAITING_AT_MOST;
  commands->count--;
}

static void take_records(struct commands *commands) {
  const struct pt_record_head *head;
  unsigned completions = 0;
  while ((head = fake_java_take(&commands->world.java)) != NULL) {
    if (head->kind == PT_RECORD_COMPLETION) {
      completions++;
      check_completion(commands, (const void *)head);
    }
    fake_java_consumed(&commands->world.java);
  }
  CHECK(completions <= COMMANDS_PER_TURN);
}

static void turn(struct commands *commands) {
  struct pt_reply replies[WORLD_VCPUS];
  commands->touched = 0;
  pt_poll(commands->world.monitor, replies, WORLD_VCPUS);
  CHECK(commands->touched <= FRAMES_PER_TURN);
  take_records(commands);
}

static void check_access(const struct commands *commands) {
  for (unsigned gfn = 0; gfn < FRAMES; gfn++)
    CHECK(commands->restricted[gfn] == (commands->held[gfn] > 0));
}

static void put_command(struct commands *commands, const struct pt_command *command) {
  struct fake_java *java = &commands->world.java;
  uint64_t index = ++java->command & (PT_COMMAND_COUNT - 1);
  memcpy((uint8_t *)java->decisions + PT_COMMANDS_OFFSET + index * PT_COMMAND_BYTES, command, sizeof *command);
  java->decisions->commands_published = java->command;
}

static void give(struct commands *commands, struct input *input) {
  struct pt_command *command = &commands->waiting[(commands->first + commands->count) % WAITING_AT_MOST];
  uint8_t how = input_u8(input);
  *command = (struct pt_command){.id = how & 0x40 ? input_u64(input) : ++commands->id, .kind = how & 7};
  command->gpa = (uint64_t)(input_u16(input) % (FRAMES + 20)) << 12 | (input_u16(input) & (FAKE_PAGE - 1));
  command->length = input_u16(input);
  if (how & 8)
    command->length = command->length % PT_COMPLETION_BYTES + 1;
  if (how & 16)
    command->length <<= 8;
  if (how & 32)
    command->gpa ^= input_u64(input);
  if (how & 0x80)
    command->gpa &= ~(uint64_t)(FAKE_PAGE - 1);
  if (command->kind == PT_COMMAND_DENY || command->kind == PT_COMMAND_ALLOW) {
    command->length = how & 16 ? command->length : 8;
    command->gpa &= ~(uint64_t)(command->length == 8 ? 7 : 0);
    command->mask = how & 8 ? input_u64(input) : input_u8(input);
  }
  put_command(commands, command);
  commands->count++;
}

/* An exit whose deadline is over: the vCPU steps, and the frame cannot be released until it is done. */
static void begin_step(struct commands *commands, struct input *input) {
  struct pt_exit exit;
  fake_guest_exit(&commands->world.guest, input_u8(input) % WORLD_VCPUS, 8, &exit);
  exit.gpa = (uint64_t)(input_u16(input) % FRAMES) << 12 | 8;
  exit.access &= ~(uint32_t)PT_ACCESS_GLA_VALID; /* one frame; never published */
  pt_submit(commands->world.monitor, &exit);
}

static void run(struct commands *commands, struct input *input) {
  uint8_t operation = input_u8(input);
  switch (operation % 8) {
    case 4:
      begin_step(commands, input);
      break;
    case 5:
      pt_outcome(commands->world.monitor, input_u8(input) % WORLD_VCPUS);
      break;
    case 6:
      turn(commands);
      break;
    case 7:
      commands->refuse_in = input_u8(input) % 8;
      break;
    default:
      if (commands->count < WAITING_AT_MOST - 1)
        give(commands, input);
      break;
  }
}

/* With the steps over, every command comes to its end and the books agree. */
static void finish(struct commands *commands) {
  commands->refuse_in = 0;
  for (unsigned i = 0; i < TURNS_AT_MOST && (commands->count > 0 || !pt_idle(commands->world.monitor)); i++) {
    for (uint32_t vcpu = 0; vcpu < WORLD_VCPUS; vcpu++)
      pt_outcome(commands->world.monitor, vcpu);
    turn(commands);
  }
  CHECK(commands->count == 0 && pt_idle(commands->world.monitor));
  CHECK(pt_prepare_sleep(commands->world.monitor));
  pt_awake(commands->world.monitor);
  check_access(commands);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct commands *commands;
  struct input input = {data, size};
  struct pt_options options;
  if (!commands)
    commands = aligned_alloc(FAKE_PAGE, (sizeof *commands + FAKE_PAGE - 1) & ~(size_t)(FAKE_PAGE - 1));
  CHECK(commands);
  memset(commands, 0, sizeof *commands);
  world_options(&commands->world, &options);
  options.frames = FRAMES;
  options.host = (struct pt_host){.context = commands,
                                  .map_frame = map_frame,
                                  .unmap_frame = unmap_frame,
                                  .set_access = set_access,
                                  .read_xmm = read_xmm};
  world_open(&commands->world, &options);
  world_attach(&commands->world);
  while (input_more(&input))
    run(commands, &input);
  finish(commands);
  world_close(&commands->world);
  CHECK(commands->mapped == 0);
  for (unsigned gfn = 0; gfn < FRAMES; gfn++)
    CHECK(!commands->restricted[gfn]);
  return 0;
}
