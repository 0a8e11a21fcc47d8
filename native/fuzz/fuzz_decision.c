/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exits answered by decisions in which any field may be anything, while memory moves now and then. Holds for each:
 * one reply; no byte changes that no decision offered, none twice; registers move no further than one instruction can
 * move them; bits under a deny rule stay; the outcomes tell exactly what happened to memory; and a sound answer is
 * carried out.
 */
#include "check.h"
#include "clock.h"
#include "input.h"
#include "world.h"

#define ROUNDS_AT_MOST (PT_MAX_ROUNDS + 1)
/* What an instruction may change of rflags: the status flags, DF, and RF downwards. */
#define STATUS_AND_DIRECTION 0xCD5ull
#define RESUME_FLAG 0x10000ull

enum { SOUND = 1, WRONG_SEQUENCE = 2, WRONG_GENERATION = 4, RAW = 8, MOVE_MEMORY = 16, STALE_BYTES = 32, WIDE = 128 };

struct trial {
  struct world world;
  uint8_t before[FAKE_PAGE]; /* the table as it was before the last poll */
  uint8_t told[FAKE_PAGE];   /* the table as the outcomes tell it */
  struct pt_exit_record exit;
  bool published;
  bool moved; /* memory is not what the newest exit record shows */
  bool sound;
  uint64_t rule_gpa; /* an entry with bits that must not change */
  uint64_t rule_mask;
  uint64_t rule_kept;
  uint32_t offered[PT_WINDOW_BYTES][256 / 32]; /* values that decisions of this exit offered, by byte */
  uint32_t written;                            /* bytes of the window that changed in this exit */
};

static uint8_t *table(struct trial *trial) {
  return trial->world.guest.ram[FAKE_TABLE];
}

static uint64_t rule_entry(struct trial *trial) {
  uint64_t entry;
  memcpy(&entry, table(trial) + (trial->rule_gpa & (FAKE_PAGE - 1)), sizeof entry);
  return entry;
}

/* Bits of the table's byte that a rule holds. */
static uint8_t held_bits(const struct trial *trial, size_t at) {
  uint64_t distance = at - (trial->rule_gpa & (FAKE_PAGE - 1));
  return distance < 8 ? (uint8_t)(trial->rule_mask >> distance * 8) : 0;
}

static void note_outcome(struct trial *trial, const struct pt_outcome_record *outcome) {
  CHECK(outcome->mask == 0 || (outcome->gpa >> 12 == FAKE_TABLE && outcome->gpa % 8 == 0));
  if (outcome->result == PT_RESULT_DENIED || outcome->result == PT_RESULT_LATE_DENIED)
    return; /* what would have been, and what was for a moment */
  for (unsigned i = 0; i < PT_WINDOW_BYTES; i++) {
    if (!(outcome->mask & (1u << i)))
      continue;
    size_t at = (outcome->gpa & (FAKE_PAGE - 1)) + i;
    CHECK(at < FAKE_PAGE);
    CHECK(trial->told[at] == outcome->replaced[i]);
    trial->told[at] = outcome->bytes[i];
  }
}

/* A later round is the same exit, with what memory holds now and what was asked for. */
static void note_exit(struct trial *trial, const struct pt_exit_record *record) {
  if (trial->published) {
    CHECK(record->first == trial->exit.first && record->round == trial->exit.round + 1);
    CHECK(record->round < PT_MAX_ROUNDS && record->head.vcpu == trial->exit.head.vcpu);
    CHECK(memcmp(&record->cpu, &trial->exit.cpu, sizeof record->cpu) == 0);
    CHECK(record->insn_count == trial->exit.insn_count && memcmp(record->insn, trial->exit.insn, PT_INSN_BYTES) == 0);
    CHECK((trial->exit.done & ~record->done) == 0);
  }
  CHECK(!(record->attached & PT_MORE_SOURCE) || record->source_count <= PT_SOURCE_BYTES);
  trial->exit = *record;
  trial->published = true;
  trial->moved = false;
}

static void take_records(struct trial *trial) {
  const struct pt_record_head *head;
  while ((head = fake_java_take(&trial->world.java)) != NULL) {
    CHECK(head->sequence == trial->world.java.next);
    if (head->kind == PT_RECORD_EXIT) {
      note_exit(trial, (const void *)head);
    } else if (head->kind == PT_RECORD_OUTCOME) {
      note_outcome(trial, (const void *)head);
    }
    fake_java_consumed(&trial->world.java);
  }
}

/* The page walker, or another monitor's bug: memory changes and everybody has been told. */
static void move_memory(struct trial *trial, struct input *input) {
  size_t at = ((trial->exit.gpa & (FAKE_PAGE - 1) & ~7ull) + (input_u8(input) & 31)) & (FAKE_PAGE - 1);
  uint8_t flip = input_u8(input) & (uint8_t)~held_bits(trial, at);
  trial->moved = true;
  table(trial)[at] ^= flip;
  trial->told[at] ^= flip;
}

/* What MORE needs besides; source bytes and register in and out of bounds. */
static void ask_for_more(struct trial *trial, struct input *input, struct pt_decision *decision) {
  uint8_t needs = input_u8(input);
  decision->action = PT_ACTION_MORE;
  decision->needs = needs & 0x80 ? needs : needs & (PT_MORE_SOURCE | PT_MORE_XMM);
  decision->source_bytes = input_u8(input) % 40;
  decision->xmm_register = input_u8(input) % 20;
  decision->source_gla = needs & 0x40 ? input_u64(input) : trial->exit.gla + input_u8(input);
}

static void choose_fields(struct trial *trial, struct input *input, struct pt_decision *decision) {
  const struct pt_exit_record *exit = &trial->exit;
  uint8_t fields = input_u8(input), value = input_u8(input);
  if (fields & 1)
    decision->mask = input_u32(input);
  if (fields & 2)
    decision->flags = value & 0x80 ? value : value & (PT_DECISION_WIDE | PT_DECISION_RELEVANT);
  if (fields & 4)
    decision->rip = exit->cpu.rip + (uint64_t)(int64_t)(int8_t)input_u8(input);
  if (fields & 8)
    decision->rip ^= 1ull << (value & 63);
  if (fields & 16)
    decision->rflags ^= 1ull << (value & 63);
  if (fields & 32)
    decision->gpr_mask = input_u32(input);
  if (fields & 64)
    decision->stores = input_u32(input);
  if (fields & 128)
    decision->action = value % 8;
  if (decision->action == PT_ACTION_MORE)
    ask_for_more(trial, input, decision);
}

/* An aligned pair of entries, as CMPXCHG16B writes it; now and then with a byte too few. */
static void decide_wide(struct trial *trial, struct input *input, struct pt_decision *decision) {
  decision->flags = PT_DECISION_WIDE;
  decision->mask = 0xFFFFu << (trial->exit.gpa & 8) ^ (1u << (input_u8(input) & 31) & 0xFFFEu);
}

static void offer(struct trial *trial, const struct pt_decision *decision) {
  for (unsigned i = 0; i < PT_WINDOW_BYTES; i++)
    if (decision->action == PT_ACTION_WRITE && decision->mask & (1u << i))
      trial->offered[i][decision->bytes[i] / 32] |= 1u << decision->bytes[i] % 32;
}

/* A plain store of some bytes, as Java would answer it. */
static void decide_soundly(const struct pt_exit_record *exit, struct input *input, struct pt_decision *decision) {
  uint32_t window = exit->window_count < 32 ? (1u << exit->window_count) - 1 : UINT32_MAX;
  decision->mask = input_u32(input) & window & ~exit->done;
  input_bytes(input, decision->bytes, 8);
  for (unsigned i = 8; i < PT_WINDOW_BYTES; i++)
    decision->bytes[i] = (uint8_t)(decision->bytes[i % 8] + i);
  decision->gpr_mask = 1;
  decision->gpr[0] = 0xA5A5;
  if (exit->cpu.code_bits != 64)
    decision->rip &= UINT32_MAX;
}

static void decide(struct trial *trial, struct input *input) {
  const struct pt_exit_record *exit = &trial->exit;
  struct fake_java *java = &trial->world.java;
  struct pt_decision *decision = fake_java_decision(java, exit->head.vcpu);
  uint8_t how = input_u8(input);
  fake_java_decide(java, exit, how & 64 ? PT_ACTION_SKIP : PT_ACTION_WRITE, how & 2 ? 3 : 15, decision);
  decide_soundly(exit, input, decision);
  trial->sound = how & SOUND && !(how & MOVE_MEMORY) && !trial->moved && trial->rule_mask == 0;
  if (!(how & SOUND)) {
    choose_fields(trial, input, decision);
    if (how & WIDE)
      decide_wide(trial, input, decision);
    if (how & STALE_BYTES)
      input_bytes(input, decision->expected, PT_WINDOW_BYTES);
    if (how & WRONG_GENERATION)
      decision->generation = input_u8(input);
    if (how & RAW) {
      size_t from = sizeof decision->sequence + input_u8(input) % (sizeof *decision - sizeof decision->sequence);
      size_t room = sizeof *decision - from;
      input_bytes(input, (uint8_t *)decision + from, room < 16 ? room : 16);
    }
  }
  uint64_t wrong = how & WRONG_SEQUENCE && !(how & SOUND) ? input_u8(input) : 0;
  if (wrong == 0 && decision->generation == java->generation)
    offer(trial, decision);
  fake_java_publish(java, decision, exit->head.sequence + wrong);
  if (how & MOVE_MEMORY)
    move_memory(trial, input);
}

static bool was_offered(const struct trial *trial, size_t at, unsigned byte, uint8_t value) {
  uint8_t held = held_bits(trial, at);
  for (unsigned other = 0; other < 256; other++)
    if (trial->offered[byte][other / 32] & (1u << other % 32) && ((other ^ value) & (uint8_t)~held) == 0)
      return true;
  return false;
}

static void check_memory(struct trial *trial) {
  size_t base = trial->exit.gpa & (FAKE_PAGE - 1) & ~7ull;
  for (size_t at = 0; at < FAKE_PAGE; at++) {
    if (table(trial)[at] == trial->before[at])
      continue;
    CHECK(at >= base && at - base < PT_WINDOW_BYTES);
    uint32_t bit = 1u << (at - base);
    CHECK(was_offered(trial, at, (unsigned)(at - base), table(trial)[at]));
    CHECK(!(trial->written & bit));
    trial->written |= bit;
  }
}

static void check_registers(const struct pt_exit_record *exit, const struct pt_cpu *cpu) {
  uint64_t changed = exit->cpu.rflags ^ cpu->rflags;
  if (exit->cpu.code_bits != 64)
    CHECK(cpu->rip <= UINT32_MAX && (uint32_t)(cpu->rip - exit->cpu.rip) <= 15);
  CHECK(exit->cpu.code_bits != 64 || cpu->rip - exit->cpu.rip <= 15);
  CHECK((changed & ~(STATUS_AND_DIRECTION | RESUME_FLAG)) == 0);
  CHECK(!(cpu->rflags & ~exit->cpu.rflags & RESUME_FLAG));
  CHECK(memcmp(&cpu->cr0, &exit->cpu.cr0, sizeof *cpu - offsetof(struct pt_cpu, cr0)) == 0);
}

static void check_sound(struct trial *trial, const struct pt_reply *reply) {
  const struct pt_decision *decision = fake_java_decision(&trial->world.java, reply->vcpu);
  CHECK(reply->kind == PT_REPLY_REGISTERS);
  CHECK(reply->cpu.rip == decision->rip && reply->cpu.gpr[0] == 0xA5A5);
  size_t base = trial->exit.gpa & (FAKE_PAGE - 1) & ~7ull;
  for (unsigned i = 0; i < PT_WINDOW_BYTES; i++)
    if (decision->action == PT_ACTION_WRITE && decision->mask & (1u << i))
      CHECK(table(trial)[base + i] == decision->bytes[i]);
}

/* One turn of the monitor; true with the reply. */
static bool turn(struct trial *trial, struct pt_reply *reply) {
  struct pt_reply replies[WORLD_VCPUS];
  memcpy(trial->before, table(trial), FAKE_PAGE);
  size_t count = pt_poll(trial->world.monitor, replies, WORLD_VCPUS);
  check_memory(trial);
  CHECK(count <= 1);
  CHECK(((rule_entry(trial) ^ trial->rule_kept) & trial->rule_mask) == 0);
  *reply = replies[0];
  return count == 1;
}

static void submit(struct trial *trial, struct input *input) {
  static const uint32_t code_bits[] = {64, 32, 16, 64};
  struct pt_exit exit;
  uint8_t how = input_u8(input);
  fake_guest_exit(&trial->world.guest, how & 1, input_u16(input) & (FAKE_PAGE - 1), &exit);
  exit.cpu.code_bits = code_bits[how >> 1 & 3];
  if (exit.cpu.code_bits != 64) {
    exit.cpu.rip = input_u32(input);
    exit.cpu.segment_base[1] = FAKE_CODE_GVA - exit.cpu.rip;
  }
  exit.cpu.rflags = 2 | (input_u32(input) & 0x3F7FD5);
  trial->published = false;
  trial->written = 0;
  memset(trial->offered, 0, sizeof trial->offered);
  CHECK(pt_submit(trial->world.monitor, &exit) == 0);
  take_records(trial);
  CHECK(trial->published);
}

static void run_exit(struct trial *trial, struct input *input) {
  struct pt_reply reply;
  bool answered = false;
  submit(trial, input);
  for (unsigned round = 0; !answered && round < ROUNDS_AT_MOST && input_more(input); round++) {
    decide(trial, input);
    answered = turn(trial, &reply);
    if (trial->sound)
      CHECK(answered);
    take_records(trial);
  }
  if (!answered) { /* Java goes, and with it the records that tell of memory */
    pt_detach_jvm(trial->world.monitor);
    CHECK(turn(trial, &reply));
    trial->sound = false;
  }
  CHECK(reply.vcpu == trial->exit.head.vcpu && reply.kind >= PT_REPLY_RESUME && reply.kind <= PT_REPLY_HV_EMULATE);
  if (trial->sound)
    check_sound(trial, &reply);
  if (reply.kind == PT_REPLY_REGISTERS)
    check_registers(&trial->exit, &reply.cpu);
  else
    CHECK(memcmp(&reply.cpu, &trial->exit.cpu, sizeof reply.cpu) == 0 && trial->written == 0);
  if (reply.kind == PT_REPLY_STEP || reply.kind == PT_REPLY_HV_EMULATE)
    table(trial)[input_u16(input) & (FAKE_PAGE - 1)] = input_u8(input);
  CHECK(pt_outcome(trial->world.monitor, reply.vcpu) == 0);
  CHECK(((rule_entry(trial) ^ trial->rule_kept) & trial->rule_mask) == 0);
  CHECK(pt_poll(trial->world.monitor, &reply, 1) == 0);
  take_records(trial);
  if (pt_attached(trial->world.monitor))
    CHECK(memcmp(trial->told, table(trial), FAKE_PAGE) == 0);
}

static void place_rule(struct trial *trial, struct input *input) {
  struct pt_reply reply;
  size_t at = input_u16(input) & (FAKE_PAGE - 8);
  trial->rule_gpa = FAKE_TABLE * FAKE_PAGE + at;
  trial->rule_mask = input_u64(input) & ~0x60ull;
  if (trial->rule_mask == 0)
    return;
  table(trial)[at] = trial->told[at] = input_u8(input);
  trial->rule_kept = rule_entry(trial);
  fake_java_rule(&trial->world.java, 2, PT_COMMAND_DENY, trial->rule_gpa, trial->rule_mask);
  CHECK(pt_poll(trial->world.monitor, &reply, 1) == 0);
  take_records(trial);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct trial *trial;
  struct input input = {data, size};
  struct pt_options options;
  if (!trial)
    trial = aligned_alloc(FAKE_PAGE, (sizeof *trial + FAKE_PAGE - 1) & ~(size_t)(FAKE_PAGE - 1));
  CHECK(trial);
  world_options(&trial->world, &options);
  uint8_t how = input_u8(&input);
  options.hv_emulate = how & 1;
  world_open(&trial->world, &options);
  world_attach(&trial->world);
  world_begin(&trial->world, FAKE_TABLE);
  memset(trial->told, 0, sizeof trial->told);
  trial->rule_mask = 0;
  if (how & 2)
    place_rule(trial, &input);
  while (input_more(&input) && pt_attached(trial->world.monitor))
    run_exit(trial, &input);
  world_close(&trial->world);
  return 0;
}
