/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The intent file. First bytes choose: a file of any content, or ptarmigand killed anywhere.
 *
 * Of a file of any content, nothing is acted on but a slot whose sum is right, for the vCPU whose registers it names,
 * in frames that exist; and nothing of it is changed.
 *
 * Killed: exits are decided soundly or not while memory moves, and at every point of the path the file and memory as
 * they are then are judged as after a death. A write of which nothing is in memory may be executed again; any other is
 * finished, with each byte written once, denied bits and others' bytes left alone, and the registers of its decision.
 */
#include "check.h"
#include "input.h"
#include "intent_verdict.h"
#include "world.h"

#define RECORD(intents, vcpu) (&(intents)->records[vcpu])
#define WALKER_BITS 0x60u

struct trial {
  struct world world;
  struct pt_intents *intents;
  struct input input;
  bool outstanding;
  uint64_t exit_id;
  struct pt_exit exit;
  uint8_t before[FAKE_PAGE]; /* the table, but for what the monitor has written since the exit */
  uint32_t written;          /* bytes of the window that it has written in polls that are over */
  struct pt_decision given[PT_MAX_ROUNDS + 2];
  unsigned given_count;
};

static struct trial *trial;

static uint8_t *window(void) {
  return trial->world.guest.ram[FAKE_TABLE] + (trial->exit.gpa & (FAKE_PAGE - 8));
}

static uint32_t room(uint64_t gpa) {
  uint64_t left = FAKE_PAGE - (gpa & (FAKE_PAGE - 8));
  return left < PT_WINDOW_BYTES ? (1u << left) - 1 : UINT32_MAX;
}

/* Bytes that differ between memory now and memory as others left it: the monitor wrote them. */
static uint32_t written_now(void) {
  uint32_t mask = trial->written;
  const uint8_t *before = trial->before + (trial->exit.gpa & (FAKE_PAGE - 8));
  for (unsigned i = 0; i < PT_WINDOW_BYTES; i++)
    if (room(trial->exit.gpa) & (1u << i) && window()[i] != before[i])
      mask |= 1u << i;
  return mask;
}

static bool was_given(const struct pt_intent *intent) {
  for (unsigned i = 0; i < trial->given_count; i++)
    if (trial->given[i].rip == intent->rip && trial->given[i].rflags == intent->rflags)
      return true;
  return false;
}

/* The page walker sets bits in entries that are present, before anybody recovers. */
static void let_walker(uint64_t found[PT_WINDOW_ENTRIES], uint8_t how) {
  for (unsigned entry = 0; entry < PT_WINDOW_ENTRIES; entry++)
    if (found[entry] & 1)
      found[entry] |= (how >> (2 * entry) & 3u) << 5;
}

/* What recovery would do is done to a copy. */
static void check_finish(const struct pt_intent *intent, const uint64_t found[PT_WINDOW_ENTRIES], uint32_t rest) {
  uint32_t written = written_now();
  CHECK(was_given(intent));
  CHECK((rest & ~intent->mask) == 0 && (rest & intent->done) == 0);
  for (unsigned entry = 0; entry < PT_WINDOW_ENTRIES; entry++) {
    uint64_t value = pt_intent_value(intent, entry, found[entry], rest);
    uint64_t bytes = pt_entry_spread(pt_entry_mask(rest, entry)), wanted = pt_entry_get(intent->bytes, entry);
    uint64_t again = pt_entry_spread(pt_entry_mask(rest & written, entry));
    CHECK(((value ^ found[entry]) & intent->held[entry]) == 0);
    CHECK(((value ^ found[entry]) & ~bytes & ~(uint64_t)WALKER_BITS) == 0);
    CHECK(((value ^ wanted) & bytes & ~intent->held[entry] & ~(uint64_t)WALKER_BITS) == 0);
    CHECK(((value ^ found[entry]) & again & ~(uint64_t)WALKER_BITS) == 0);
  }
  CHECK((written & ~(intent->mask | intent->earlier)) == 0);
}

/* As if this process had died here. */
static void recover(uint8_t walker) {
  const struct pt_intent_record *record = RECORD(trial->intents, trial->exit.vcpu);
  struct pt_intent_record kept = *record;
  struct pt_intent intent;
  uint64_t found[PT_WINDOW_ENTRIES] = {0};
  uint32_t rest = 0;
  for (unsigned i = 0; i < PT_WINDOW_ENTRIES; i++)
    if (room(trial->exit.gpa) & 0xFFu << i * 8)
      memcpy(&found[i], window() + i * 8, 8);
  let_walker(found, walker);
  CHECK(pt_intents_valid(trial->intents, pt_intents_bytes(WORLD_VCPUS), WORLD_VCPUS));
  enum pt_verdict verdict = pt_intent_match(record, &trial->exit.cpu, trial->exit_id, FAKE_FRAMES, &intent);
  CHECK(verdict == PT_VERDICT_NO_WRITE || verdict == PT_VERDICT_FINISH);
  if (verdict == PT_VERDICT_FINISH)
    verdict = pt_intent_rest(&intent, found, &rest);
  if (verdict == PT_VERDICT_FINISH)
    check_finish(&intent, found, rest);
  else
    CHECK(written_now() == 0 && rest == 0);
  CHECK(memcmp(&kept, record, sizeof kept) == 0);
}

void pt_stop_point(const char *name) {
  /* Once the host has carried the reply out, nobody waits. */
  if (trial && trial->outstanding && strcmp(name, "replied-marked") != 0)
    recover(input_u8(&trial->input));
}

static void submit(void) {
  struct input *input = &trial->input;
  uint8_t how = input_u8(input);
  struct pt_exit *exit = &trial->exit;
  fake_guest_exit(&trial->world.guest, how & 1, input_u16(input) & (FAKE_PAGE - 1), exit);
  exit->id = how & 2 ? ++trial->exit_id : 0;
  trial->exit_id = how & 2 ? trial->exit_id : 0;
  exit->cpu.cr4 |= 0x20;
  exit->cpu.gpr[0] = input_u32(input);
  memcpy(trial->before, trial->world.guest.ram[FAKE_TABLE], FAKE_PAGE);
  trial->written = 0;
  trial->given_count = 0;
  trial->outstanding = true;
  CHECK(pt_submit(trial->world.monitor, exit) == 0);
}

/* Another vCPU; the monitor has not written since it last looked. */
static void move_memory(void) {
  size_t base = trial->exit.gpa & (FAKE_PAGE - 8);
  size_t at = base + (input_u8(&trial->input) & 31);
  if (at >= FAKE_PAGE)
    return;
  trial->world.guest.ram[FAKE_TABLE][at] ^= input_u8(&trial->input);
}

static void decide(const struct pt_exit_record *record) {
  struct input *input = &trial->input;
  struct fake_java *java = &trial->world.java;
  struct pt_decision *decision = fake_java_decision(java, record->head.vcpu);
  uint8_t how = input_u8(input);
  fake_java_decide(java, record, how & 1 ? PT_ACTION_WRITE : how & 6, how >> 4, decision);
  decision->mask = input_u32(input) & room(record->gpa) & ~record->done;
  input_bytes(input, decision->bytes, PT_WINDOW_BYTES);
  if (how & 8) {
    decision->mask = 0xFFFFu << (record->gpa & 8) & room(record->gpa);
    decision->flags = PT_DECISION_WIDE;
  }
  CHECK(trial->given_count < sizeof trial->given / sizeof *trial->given);
  trial->given[trial->given_count++] = *decision;
  fake_java_publish(java, decision, record->head.sequence);
}

static bool take_exit(struct pt_exit_record *out) {
  const struct pt_record_head *head;
  bool any = false;
  while ((head = fake_java_take(&trial->world.java)) != NULL) {
    if (head->kind == PT_RECORD_EXIT) {
      memcpy(out, head, sizeof *out);
      any = true;
    }
    fake_java_consumed(&trial->world.java);
  }
  return any;
}

/* What the monitor wrote is noted; from here on differences are its next ones. */
static bool turn(struct pt_reply *reply) {
  memcpy(trial->before, trial->world.guest.ram[FAKE_TABLE], FAKE_PAGE);
  size_t count = pt_poll(trial->world.monitor, reply, 1);
  trial->written = written_now();
  memcpy(trial->before, trial->world.guest.ram[FAKE_TABLE], FAKE_PAGE);
  return count == 1;
}

static void run_exit(void) {
  struct pt_exit_record record;
  struct pt_reply reply;
  bool answered = false;
  submit();
  while (!answered && input_more(&trial->input) && take_exit(&record)) {
    decide(&record);
    if (input_u8(&trial->input) & 1)
      move_memory();
    answered = turn(&reply);
  }
  if (!answered) {
    pt_detach_jvm(trial->world.monitor);
    CHECK(turn(&reply));
  }
  recover(input_u8(&trial->input)); /* before the reply has reached the vCPU */
  trial->outstanding = false;
  CHECK(pt_outcome(trial->world.monitor, reply.vcpu) == 0);
}

static void place_rule(void) {
  struct pt_reply reply;
  uint64_t gpa = FAKE_TABLE * FAKE_PAGE + (input_u16(&trial->input) & (FAKE_PAGE - 8));
  uint64_t mask = input_u32(&trial->input) & ~(uint64_t)WALKER_BITS;
  if (mask == 0)
    return;
  fake_java_rule(&trial->world.java, 2, PT_COMMAND_DENY, gpa, mask);
  CHECK(pt_poll(trial->world.monitor, &reply, 1) == 0);
}

static void run_killed(void) {
  struct pt_options options;
  world_options(&trial->world, &options);
  options.intents = trial->intents;
  input_bytes(&trial->input, trial->world.guest.ram[FAKE_TABLE], 64);
  world_open(&trial->world, &options);
  world_attach(&trial->world);
  world_begin(&trial->world, FAKE_TABLE);
  trial->exit_id = 0;
  place_rule();
  while (input_more(&trial->input) && pt_attached(trial->world.monitor)) {
    struct pt_exit_record ignored;
    run_exit();
    if (pt_attached(trial->world.monitor))
      take_exit(&ignored);
  }
  world_close(&trial->world);
}

/* A sum that fits, so that what is behind it is reached. */
static void fill_file(struct pt_intents *intents, size_t bytes) {
  struct input *input = &trial->input;
  uint8_t how = input_u8(input);
  pt_intents_init(intents, WORLD_VCPUS);
  struct pt_intent *slot = &RECORD(intents, 0)->slots[0];
  RECORD(intents, 0)->current = 1;
  slot->gpa = (uint64_t)input_u8(input) << 12 | (input_u16(input) & 0xFFF) | (how & 128 ? 0xFE0 : 0);
  slot->mask = input_u32(input);
  slot->earlier = how & 2 ? input_u32(input) : 0;
  slot->done = how & 4 ? input_u32(input) : 0;
  slot->state = how & 8 ? input_u8(input) : PT_INTENT_INTENDED;
  slot->kind = how & 16 ? input_u8(input) : PT_INTENT_WRITE;
  slot->cpu.code_bits = how & 32 ? 32 : 64;
  slot->cpu.rip = input_u32(input);
  slot->rip = slot->cpu.rip + input_u8(input);
  slot->held[input_u8(input) % PT_WINDOW_ENTRIES] = input_u32(input);
  while (input_more(input) && how & 1) {
    size_t at = input_u16(input) % (bytes - 8);
    input_bytes(input, (uint8_t *)intents + at, 8);
    how = input_u8(input);
  }
  if (how & 64)
    slot->check = pt_intent_check(slot);
}

static void check_match(const struct pt_intent_record *record, const struct pt_cpu *cpu, uint64_t exit_id) {
  struct pt_intent intent, kept;
  const uint64_t found[PT_WINDOW_ENTRIES] = {1, 0, UINT64_MAX, 0x8000000000001067u};
  uint32_t rest;
  if (pt_intent_match(record, cpu, exit_id, FAKE_FRAMES, &intent) != PT_VERDICT_FINISH)
    return;
  CHECK(record->current == 1 || record->current == 2);
  CHECK(memcmp(&intent, &record->slots[record->current - 1], sizeof intent) == 0);
  CHECK(intent.check == pt_intent_check(&intent) && intent.gpa % 8 == 0 && intent.gpa >> 12 < FAKE_FRAMES);
  CHECK(((intent.mask | intent.earlier) & ~room(intent.gpa)) == 0 && (intent.mask & intent.earlier) == 0);
  CHECK(memcmp(intent.cpu.gpr, cpu->gpr, sizeof cpu->gpr) == 0 && intent.cpu.rip == cpu->rip);
  CHECK(exit_id == 0 || intent.exit_id == 0 || exit_id == intent.exit_id);
  CHECK((uint32_t)(intent.rip - cpu->rip) <= 15 && (intent.cpu.code_bits == 64 || intent.rip <= UINT32_MAX));
  kept = intent;
  enum pt_verdict verdict = pt_intent_rest(&intent, found, &rest);
  CHECK(verdict == PT_VERDICT_FINISH || verdict == PT_VERDICT_UNTOUCHED);
  CHECK((rest & ~intent.mask) == 0 && (rest & intent.done) == 0 && memcmp(&kept, &intent, sizeof kept) == 0);
  for (unsigned entry = 0; entry < PT_WINDOW_ENTRIES; entry++)
    CHECK(((pt_intent_value(&intent, entry, found[entry], rest) ^ found[entry]) & intent.held[entry]) == 0);
  CHECK(verdict == PT_VERDICT_FINISH || (rest == 0 && intent.done == 0 && intent.earlier == 0));
}

static void run_damaged(void) {
  size_t bytes = pt_intents_bytes(WORLD_VCPUS);
  fill_file(trial->intents, bytes);
  struct pt_cpu cpu = RECORD(trial->intents, 0)->slots[0].cpu;
  uint8_t how = input_u8(&trial->input);
  uint64_t exit_id = how % 3;
  if (how & 128)
    cpu.gpr[how >> 3 & 15] ^= how; /* another vCPU, or another exit */
  for (size_t cut = 0; cut < sizeof(struct pt_intents) + 1; cut += 8)
    CHECK(!pt_intents_valid(trial->intents, cut, WORLD_VCPUS));
  CHECK(!pt_intents_valid(trial->intents, bytes - 1, WORLD_VCPUS));
  if (!pt_intents_valid(trial->intents, bytes, WORLD_VCPUS))
    return;
  CHECK(trial->intents->vcpus == WORLD_VCPUS);
  for (unsigned vcpu = 0; vcpu < WORLD_VCPUS; vcpu++)
    check_match(RECORD(trial->intents, vcpu), &cpu, exit_id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  trial = aligned_alloc(FAKE_PAGE, (sizeof *trial + FAKE_PAGE - 1) & ~(size_t)(FAKE_PAGE - 1));
  CHECK(trial);
  memset(trial, 0, sizeof *trial);
  trial->input = (struct input){data, size};
  trial->intents = calloc(1, pt_intents_bytes(WORLD_VCPUS));
  CHECK(trial->intents);
  if (input_u8(&trial->input) & 1)
    run_damaged();
  else
    run_killed();
  free(trial->intents);
  free(trial);
  trial = NULL;
  return 0;
}
