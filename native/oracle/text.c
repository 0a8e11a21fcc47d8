/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#define LINE_BYTES 4096
#define STATUS_AND_DIRECTION 0xcd5 /* CF PF AF ZF SF DF OF */
#define GPR_COUNT 16

static const char *const gpr_names[GPR_COUNT] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                                 "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

/* One line taken apart. */
struct text_case {
  struct oracle_record record;
  uint64_t gla;
  uint64_t undefined;
  uint32_t bits;
  uint64_t ignored;
  int foreign; /* it sets state that user code has no say in */
  /* The answer, if there is one. */
  int has_answer;
  uint64_t mask;
  uint64_t rip;
  uint64_t rflags;
  uint64_t gpr[GPR_COUNT];
  uint8_t window[ORACLE_WINDOW_BYTES];
};

static int parse_number(const char *text, uint64_t *value) {
  char *end;
  errno = 0;
  *value = strtoull(text, &end, 16);
  return errno || end == text || *end ? -EINVAL : 0;
}

/* Hex bytes as they lie in memory; how many, or -EINVAL. */
static int parse_bytes(const char *text, uint8_t *bytes, size_t most) {
  size_t length = strlen(text);
  if (length == 0 || length % 2 || length / 2 > most)
    return -EINVAL;
  for (size_t i = 0; i < length / 2; i++) {
    char digits[3] = {text[2 * i], text[2 * i + 1], 0};
    uint64_t value;
    if (parse_number(digits, &value))
      return -EINVAL;
    bytes[i] = (uint8_t)value;
  }
  return (int)(length / 2);
}

static uint64_t *find_register(uint64_t *gpr, const char *key) {
  for (int i = 0; i < GPR_COUNT; i++) {
    if (!strcmp(key, gpr_names[i]))
      return &gpr[i];
  }
  return NULL;
}

/* State that the emulator is given and a process cannot choose. */
static uint64_t *foreign_state(struct text_case *text, const char *key) {
  static const char *const keys[] = {"esbase", "csbase", "ssbase", "dsbase", "es",   "cs",  "ss", "ds",
                                     "fs",     "gs",     "cr0",    "cr4",    "efer", "dr7", "cpl"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    if (!strcmp(key, keys[i])) {
      text->foreign = 1;
      return &text->ignored;
    }
  }
  return NULL;
}

static int parse_input(struct text_case *text, const char *key, const char *value) {
  struct oracle_record *record = &text->record;
  uint64_t *number = find_register(record->gpr, key);
  int count;
  if (!strcmp(key, "bits"))
    return (text->bits = (uint32_t)atoi(value)) ? 0 : -EINVAL;
  if (!strncmp(key, "xmm", 3)) {
    int index = atoi(key + 3);
    return index >= 0 && index < 16 && parse_bytes(value, record->xmm + 16 * index, 16) == 16 ? 0 : -EINVAL;
  }
  if (!strcmp(key, "insn")) {
    count = parse_bytes(value, record->insn, ORACLE_INSN_BYTES);
    record->insn_count = (uint32_t)count;
    return count < 0 ? count : 0;
  }
  if (!strcmp(key, "old"))
    return parse_bytes(value, record->window, ORACLE_WINDOW_BYTES) == ORACLE_WINDOW_BYTES ? 0 : -EINVAL;
  if (!strcmp(key, "src")) {
    count = parse_bytes(value, record->source, ORACLE_SOURCE_BYTES);
    record->source_count = (uint32_t)count;
    return count < 0 ? count : 0;
  }
  if (!strcmp(key, "gla"))
    number = &text->gla;
  else if (!strcmp(key, "rip"))
    number = &record->rip;
  else if (!strcmp(key, "rflags"))
    number = &record->rflags;
  else if (!strcmp(key, "fsbase"))
    number = &record->fs_base;
  else if (!strcmp(key, "gsbase"))
    number = &record->gs_base;
  else if (!number)
    number = foreign_state(text, key);
  return number ? parse_number(value, number) : -EINVAL;
}

static int parse_answer(struct text_case *text, const char *key, const char *value) {
  uint64_t *number = find_register(text->gpr, key);
  if (!strcmp(key, "new"))
    return parse_bytes(value, text->window, ORACLE_WINDOW_BYTES) == ORACLE_WINDOW_BYTES ? 0 : -EINVAL;
  if (!strcmp(key, "mask"))
    number = &text->mask;
  else if (!strcmp(key, "rip"))
    number = &text->rip;
  else if (!strcmp(key, "rflags"))
    number = &text->rflags;
  return number ? parse_number(value, number) : -EINVAL;
}

static int parse_note(struct text_case *text, const char *key, const char *value) {
  uint64_t *number = NULL;
  if (!strcmp(key, "undef"))
    number = &text->undefined;
  else if (!strcmp(key, "srcat"))
    number = &text->record.source_at;
  else if (!strcmp(key, "landing"))
    number = &text->record.landing;
  return number ? parse_number(value, number) : -EINVAL;
}

static int parse_words(struct text_case *text, char *words,
                       int (*take)(struct text_case *, const char *, const char *)) {
  char *rest;
  for (char *word = strtok_r(words, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
    char *value = strchr(word, '=');
    if (!value)
      return -EINVAL;
    *value++ = 0;
    if (take(text, word, value))
      return -EINVAL;
  }
  return 0;
}

/* Bytes of the window that its page holds. */
static uint32_t window_count(uint64_t window_at) {
  uint64_t room = ORACLE_PAGE_BYTES - (window_at & (ORACLE_PAGE_BYTES - 1));
  return room < ORACLE_WINDOW_BYTES ? (uint32_t)room : ORACLE_WINDOW_BYTES;
}

/* Takes a line apart, destroying it. 1 if there is a case, 0 if not, -EINVAL. */
static int parse_line(char *line, struct text_case *text) {
  memset(text, 0, sizeof *text);
  char *words = strstr(line, ": ");
  if (line[0] == '#' || line[0] == '\n')
    return 0;
  if (!words)
    return -EINVAL;
  char *notes = strstr(words, " ; ");
  if (notes) {
    *notes = 0;
    if (parse_words(text, notes + 3, parse_note))
      return -EINVAL;
  }
  char *answer = strstr(words, " -> ");
  if (answer) {
    *answer = 0;
    answer += 4;
    if (strncmp(answer, "WRITE ", 6))
      return 0;
    text->has_answer = 1;
  }
  if (parse_words(text, words + 2, parse_input))
    return -EINVAL;
  memcpy(text->gpr, text->record.gpr, sizeof text->gpr);
  if (text->has_answer && parse_words(text, answer + 6, parse_answer))
    return -EINVAL;
  text->record.window_at = text->gla & ~(uint64_t)7;
  text->record.window_count = window_count(text->record.window_at);
  if (!text->record.landing)
    text->record.landing = text->record.rip + text->record.insn_count;
  return 1;
}

/* Whether a process could run it: 64-bit code at mapped addresses. */
static int run(struct text_case *text) {
  if (text->bits != 64 || text->foreign)
    return 0;
  machine_run(&text->record);
  return text->record.out_status != ORACLE_BAD;
}

static int differs(const struct text_case *text) {
  const struct oracle_record *record = &text->record;
  uint64_t compared = STATUS_AND_DIRECTION & ~text->undefined;
  return (record->out_status != ORACLE_DONE && record->out_status != ORACLE_FAULT) || record->out_rip != text->rip ||
         ((record->out_rflags ^ text->rflags) & compared) || memcmp(record->out_gpr, text->gpr, sizeof text->gpr) ||
         memcmp(record->out_window, text->window, sizeof text->window);
}

static void print_bytes(const uint8_t *bytes, size_t count) {
  for (size_t i = 0; i < count; i++)
    printf("%02x", bytes[i]);
}

/* Bytes that changed: the processor does not tell which it wrote. */
static uint32_t changed_bytes(const struct oracle_record *record) {
  uint32_t mask = 0;
  for (int i = 0; i < ORACLE_WINDOW_BYTES; i++)
    mask |= (uint32_t)(record->window[i] != record->out_window[i]) << i;
  return mask;
}

static void print_answer(const struct oracle_record *record) {
  uint64_t flags = (record->rflags & ~(uint64_t)STATUS_AND_DIRECTION) | (record->out_rflags & STATUS_AND_DIRECTION);
  if (record->out_status == ORACLE_STRAY) {
    printf("stray write beside the window");
    return;
  }
  printf("WRITE mask=%08x new=", changed_bytes(record));
  print_bytes(record->out_window, sizeof record->out_window);
  printf(" rip=%lx rflags=%lx", record->out_rip, flags);
  for (int i = 0; i < GPR_COUNT; i++) {
    if (record->gpr[i] != record->out_gpr[i])
      printf(" %s=%lx", gpr_names[i], record->out_gpr[i]);
  }
  if (record->out_signal)
    printf(" signal=%u", record->out_signal);
}

int text_check(FILE *table, const char *name, struct text_counts *counts) {
  char line[LINE_BYTES], copy[LINE_BYTES];
  struct text_case text;
  for (int number = 1; fgets(line, sizeof line, table); number++) {
    memcpy(copy, line, sizeof copy);
    int found = parse_line(line, &text);
    if (found < 0) {
      fprintf(stderr, "%s:%d: malformed\n", name, number);
      return -EINVAL;
    }
    if (!found)
      continue;
    if (!run(&text)) {
      ++counts->skipped;
      continue;
    }
    ++counts->cases;
    if (differs(&text)) {
      ++counts->differences;
      printf("%s:%d: %sprocessor: ", name, number, copy);
      print_answer(&text.record);
      printf("\n");
    }
  }
  return 0;
}

int text_answer(FILE *input) {
  char line[LINE_BYTES], copy[LINE_BYTES];
  struct text_case text;
  while (fgets(line, sizeof line, input)) {
    memcpy(copy, line, sizeof copy);
    int found = parse_line(line, &text);
    if (found < 0) {
      printf("%.*s -> malformed\n", (int)strcspn(copy, "\n"), copy);
      continue;
    }
    if (!found) {
      printf("%s", copy);
      continue;
    }
    if (!run(&text)) {
      printf("%.*s -> cannot run here\n", (int)strcspn(copy, "\n"), copy);
      continue;
    }
    char *end = strstr(copy, " -> ");
    char *notes = strstr(copy, " ; ");
    size_t length = end ? (size_t)(end - copy) : notes ? (size_t)(notes - copy) : strcspn(copy, "\n");
    printf("%.*s -> ", (int)length, copy);
    print_answer(&text.record);
    printf("%s", notes ? notes : "\n");
  }
  return 0;
}
