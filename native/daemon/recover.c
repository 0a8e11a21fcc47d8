/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order is Xen's: hold, judge, finish memory, take all restrictions away, answer, let run, see that they ran. All
 * are judged before anything is finished, and what was found is marked before that, so that it can die here too.
 */
#include "recover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attached_file.h"
#include "clock.h"
#include "event_ring.h"
#include "intent_file.h"
#include "intent_verdict.h"
#include "memory_order.h"
#include "stop_points.h"
#include "translate.h"

#define LONGEST_WAIT_NS 5000000000u
#define QUIET_NS 10000000u /* no request for so long: whoever was on his way to the old ring has come */
#define PAUSE_NS 1000000

struct orphan {
  struct hv_orphan hv;
  struct pt_cpu cpu;
  struct pt_reply reply; /* RESUME or REGISTERS */
  bool begun;            /* its write is in memory but for rest */
  uint32_t rest;
  struct pt_intent intent;
  bool left; /* it is not answered */
};

struct run {
  const struct recovery *recovery;
  const struct hv_backend *hv;
  struct hv_domain *domain;
  struct hv_info info;
  struct intent_file file;
  struct event_ring ring;
  size_t count;
  size_t left;
  struct orphan orphans[PT_MAX_VCPUS];
  struct hv_orphan listed[PT_MAX_VCPUS];
};

static void say(const struct run *run, const struct orphan *orphan, const char *what) {
  fprintf(run->recovery->report, "vCPU %u at %#llx: %s\n", orphan->hv.request.vcpu_id,
          (unsigned long long)orphan->cpu.rip, what);
}

static struct pt_intent_record *record_of(const struct run *run, const struct orphan *orphan) {
  return run->file.intents ? &run->file.intents->records[orphan->hv.request.vcpu_id] : NULL;
}

static struct pt_intent *slot_of(const struct run *run, const struct orphan *orphan) {
  struct pt_intent_record *record = record_of(run, orphan);
  return &record->slots[record->current - 1];
}

static void unknown(struct run *run, struct orphan *orphan, const char *what) {
  orphan->left = !run->recovery->execute_again;
  run->left += orphan->left;
  fprintf(run->recovery->report, "vCPU %u at %#llx: %s, so it cannot be known whether its write was done; %s\n",
          orphan->hv.request.vcpu_id, (unsigned long long)orphan->cpu.rip, what,
          orphan->left ? "left waiting" : "executed again as asked: it may be done twice");
}

static uint64_t *entries_of(const struct run *run, const struct pt_intent *intent) {
  void *frame;
  if (run->hv->map_frame(run->domain, intent->gpa >> 12, &frame) < 0)
    return NULL;
  return (uint64_t *)(void *)((uint8_t *)frame + (intent->gpa & 0xFFF));
}

static void unmap(const struct run *run, const struct pt_intent *intent, uint64_t *entries) {
  run->hv->unmap_frame(run->domain, intent->gpa >> 12, (uint8_t *)entries - (intent->gpa & 0xFFF));
}

/* Bytes of the window that a mask names, whatever round they are of: the rest of it may lie in no frame. */
static void look(const struct pt_intent *intent, uint64_t *entries, uint64_t found[PT_WINDOW_ENTRIES]) {
  for (unsigned i = 0; i < PT_WINDOW_ENTRIES; i++)
    found[i] = pt_entry_mask(intent->mask, i) ? pt_load_acquire(&entries[i]) : 0;
}

static void finish_memory(const struct pt_intent *intent, uint64_t *entries, uint32_t rest) {
  for (unsigned i = 0; i < PT_WINDOW_ENTRIES; i++) {
    if (!pt_entry_mask(rest, i))
      continue;
    uint64_t found = pt_load_acquire(&entries[i]);
    while (!pt_swap8(&entries[i], &found, pt_intent_value(intent, i, found, rest)))
      ; /* the page walker */
  }
}

static void set_registers(struct orphan *orphan, const struct pt_intent *intent) {
  orphan->reply.kind = PT_REPLY_REGISTERS;
  memcpy(orphan->reply.cpu.gpr, intent->gpr, sizeof intent->gpr);
  orphan->reply.cpu.rip = intent->rip;
  orphan->reply.cpu.rflags = intent->rflags;
}

static const char *finished(const struct orphan *orphan, const struct pt_intent *intent, uint32_t rest) {
  if (!pt_intent_certain(intent, orphan->hv.exit_id))
    return rest ? "its write was finished, by registers and memory alone"
                : "its write was done, by registers and memory alone";
  if (intent->kind == PT_INTENT_DENY)
    return "its write was denied; it goes on behind it";
  return rest ? "a part of its write was done; the rest was finished" : "its write was done; it goes on behind it";
}

static void hold_against_memory(struct run *run, struct orphan *orphan) {
  uint64_t found[PT_WINDOW_ENTRIES];
  uint64_t *entries = entries_of(run, &orphan->intent);
  if (!entries) {
    unknown(run, orphan, "its memory cannot be reached");
    return;
  }
  look(&orphan->intent, entries, found);
  unmap(run, &orphan->intent, entries);
  orphan->begun = pt_intent_rest(&orphan->intent, found, &orphan->rest) == PT_VERDICT_FINISH;
  if (!orphan->begun)
    say(run, orphan, "nothing of its write was done; executed again");
}

static void judge(struct run *run, struct orphan *orphan) {
  if (orphan->hv.request.reason == VM_EVENT_REASON_SINGLESTEP) {
    say(run, orphan, "its step was over; let go");
    return;
  }
  if (!run->file.intents) {
    unknown(run, orphan, "there is no sound intent file");
    return;
  }
  switch (
      pt_intent_match(record_of(run, orphan), &orphan->cpu, orphan->hv.exit_id, run->info.frames, &orphan->intent)) {
    case PT_VERDICT_FINISH:
      hold_against_memory(run, orphan);
      break;
    case PT_VERDICT_DAMAGED:
      unknown(run, orphan, "its record is damaged");
      break;
    default:
      say(run, orphan, "no write was under way; executed again");
  }
}

/* From here memory no longer says what was done. */
static void mark_found(struct run *run) {
  for (size_t i = 0; i < run->count; i++) {
    struct orphan *orphan = &run->orphans[i];
    if (orphan->begun)
      pt_store_release(&slot_of(run, orphan)->done, orphan->intent.mask & ~orphan->rest);
  }
}

static void finish(struct run *run, struct orphan *orphan) {
  uint64_t *entries = entries_of(run, &orphan->intent);
  finish_memory(&orphan->intent, entries, orphan->rest);
  PT_STOP("recover-finished");
  pt_store_release(&slot_of(run, orphan)->state, PT_INTENT_SWAPPED);
  unmap(run, &orphan->intent, entries);
  set_registers(orphan, &orphan->intent);
  say(run, orphan, finished(orphan, &orphan->intent, orphan->rest));
}

static void finish_all(struct run *run) {
  for (size_t i = 0; i < run->count; i++)
    judge(run, &run->orphans[i]);
  PT_STOP("recover-judged");
  mark_found(run);
  PT_STOP("recover-marked");
  for (size_t i = 0; i < run->count; i++)
    if (run->orphans[i].begun)
      finish(run, &run->orphans[i]);
}

static int find_orphans(struct run *run) {
  const struct hv_orphan *found = run->listed;
  int count = run->hv->orphans(run->domain, run->listed, PT_MAX_VCPUS);
  for (int i = 0; i < count; i++) {
    struct pt_exit exit;
    struct orphan *orphan = &run->orphans[i];
    if (found[i].request.vcpu_id >= run->info.vcpus)
      return -EBADMSG;
    translate_request(&found[i].request, 0, &exit);
    orphan->hv = found[i];
    orphan->cpu = exit.cpu;
    orphan->reply = (struct pt_reply){.vcpu = exit.vcpu, .kind = PT_REPLY_RESUME, .cpu = exit.cpu};
  }
  run->count = count > 0 ? (size_t)count : 0;
  return count < 0 ? count : 0;
}

/* A file that is not sound counts as none. */
static void open_intents(struct run *run) {
  int error = intent_file_open(run->recovery->dir_fd, &run->file);
  if (error == 0 && run->file.intents && pt_intents_valid(run->file.intents, run->file.bytes, run->info.vcpus))
    return;
  if (error != -ENOENT)
    fprintf(run->recovery->report, "the intent file is damaged, or of another version\n");
  if (error == 0)
    intent_file_close(&run->file);
  run->file.intents = NULL;
}

static int answer(struct run *run) {
  for (size_t i = 0; i < run->count; i++) {
    const struct orphan *orphan = &run->orphans[i];
    vm_event_response_t response;
    if (orphan->left)
      continue;
    translate_reply(&orphan->hv.request, &orphan->reply, &response);
    event_ring_put(&run->ring, &response);
  }
  PT_STOP("recover-answered");
  int error = run->hv->notify(run->domain);
  PT_STOP("recover-notified");
  return error;
}

/* Requests that had found the old ring full come now: with nothing restricted any more, they only want to be let go. */
static bool answer_latecomers(struct run *run) {
  vm_event_request_t request;
  vm_event_response_t response;
  bool any = false;
  for (; event_ring_take(&run->ring, &request); any = true) {
    translate_bare(&request, &response);
    event_ring_put(&run->ring, &response);
  }
  if (any)
    run->hv->notify(run->domain);
  return any;
}

static int see_them_run(struct run *run) {
  const struct timespec pause = {.tv_nsec = PAUSE_NS};
  uint64_t begin = pt_now_ns(), quiet = begin;
  for (;;) {
    run->hv->acknowledge(run->domain);
    uint64_t now = pt_now_ns();
    if (answer_latecomers(run))
      quiet = now;
    if (run->hv->state(run->domain) == HV_DOMAIN_ENDED)
      return 0;
    int count = run->hv->orphans(run->domain, run->listed, PT_MAX_VCPUS);
    if (count < 0)
      return run->hv->state(run->domain) == HV_DOMAIN_ENDED ? 0 : count;
    if ((size_t)count <= run->left && now - quiet > QUIET_NS)
      return 0;
    if (now - begin > LONGEST_WAIT_NS)
      return -ETIMEDOUT;
    nanosleep(&pause, NULL);
  }
}

static int recover_held(struct run *run) {
  run->hv->info(run->domain, &run->info);
  open_intents(run);
  event_ring_open(&run->ring, run->hv->ring(run->domain));
  int error = find_orphans(run);
  if (error == 0)
    finish_all(run);
  if (error == 0)
    error = run->hv->unrestrict(run->domain);
  if (error == 0)
    error = answer(run);
  if (error == 0)
    error = run->hv->resume(run->domain);
  if (error == 0)
    error = see_them_run(run);
  intent_file_close(&run->file);
  return error;
}

static int recover(struct run *run) {
  const struct recovery *recovery = run->recovery;
  const char *message = NULL;
  int error = run->hv->reattach(recovery->domain, recovery->options, &run->domain, &message);
  if (error == -ESRCH) {
    fprintf(recovery->report, "no domain is there that waits for a monitor\n");
    return 0;
  }
  if (error < 0) {
    fprintf(recovery->report, "cannot attach: %s\n", message ? message : strerror(-error));
    return error;
  }
  error = recover_held(run);
  run->hv->detach(run->domain);
  if (error < 0)
    fprintf(recovery->report, "recovery failed: %s\n", strerror(-error));
  return error == 0 && run->left > 0 ? -EBUSY : error;
}

int recover_domain(const struct recovery *recovery) {
  if (!recovery->hv->reattach)
    return -EOPNOTSUPP;
  struct run *run = calloc(1, sizeof *run);
  if (!run)
    return -ENOMEM;
  run->recovery = recovery;
  run->hv = recovery->hv;
  int error = recover(run);
  free(run);
  if (error == 0) {
    intent_file_remove(recovery->dir_fd);
    attached_file_remove(recovery->dir_fd);
  }
  return error;
}
