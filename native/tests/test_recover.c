/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery on a hypervisor of a few lines: whom it answers with what, in which order, and whom it leaves waiting. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* cmocka.h needs the four headers before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "attached_file.h"
#include "entries.h"
#include "intent.h"
#include "intent_file.h"
#include "recover.h"

enum { VCPUS = 3, FRAMES = 8, PAGE = 4096, TABLE = 4 };

struct hv_domain {
  _Alignas(PAGE) uint8_t ring_page[PAGE];
  _Alignas(PAGE) uint8_t ram[FRAMES][PAGE];
  vm_event_front_ring_t front;
  bool waiting[VCPUS];
  uint64_t rip[VCPUS];
  uint64_t exit_id[VCPUS]; /* 0: the backend has none */
  uint32_t reason[VCPUS];
  vm_event_response_t answers[VCPUS];
  bool unrestricted;
  bool answered_restricted;
  bool gone;
  unsigned attached;
};

static struct hv_domain *mock;

struct fixture {
  char dir[32];
  int dir_fd;
  char said[2048];
};

static int reattach(const char *name, const char *options, struct hv_domain **out, const char **message) {
  (void)name;
  (void)options;
  (void)message;
  if (mock->gone)
    return -ESRCH;
  vm_event_sring_t *sring = (void *)mock->ring_page;
  SHARED_RING_INIT(sring);
  FRONT_RING_INIT(&mock->front, sring, PAGE);
  mock->attached++;
  *out = mock;
  return 0;
}

static int orphans(struct hv_domain *domain, struct hv_orphan *out, size_t capacity) {
  int count = 0;
  for (uint32_t i = 0; i < VCPUS && (size_t)count < capacity; i++) {
    if (!domain->waiting[i])
      continue;
    out[count] = (struct hv_orphan){.exit_id = domain->exit_id[i]};
    vm_event_request_t *request = &out[count++].request;
    request->version = VM_EVENT_INTERFACE_VERSION;
    request->flags = VM_EVENT_FLAG_VCPU_PAUSED;
    request->reason = domain->reason[i];
    request->vcpu_id = i;
    request->data.regs.x86.rip = domain->rip[i];
    request->data.regs.x86.cr4 = 0x20;
  }
  return count;
}

static int unrestrict(struct hv_domain *domain) {
  domain->unrestricted = true;
  return 0;
}

static void info(const struct hv_domain *domain, struct hv_info *out) {
  (void)domain;
  *out = (struct hv_info){.vcpus = VCPUS, .maxphyaddr = 36, .frames = FRAMES, .restricted_view = 1};
}

static void *ring(struct hv_domain *domain) {
  return domain->ring_page;
}

static int event_fd(const struct hv_domain *domain) {
  (void)domain;
  return -1;
}

static void acknowledge(struct hv_domain *domain) {
  (void)domain;
}

static int notify(struct hv_domain *domain) {
  vm_event_response_t response;
  while (domain->front.rsp_cons != domain->front.sring->rsp_prod) {
    RING_COPY_RESPONSE(&domain->front, domain->front.rsp_cons, &response);
    domain->front.rsp_cons++;
    assert_true(response.vcpu_id < VCPUS && domain->waiting[response.vcpu_id]);
    assert_true(response.flags & VM_EVENT_FLAG_VCPU_PAUSED);
    domain->answered_restricted |= !domain->unrestricted;
    domain->waiting[response.vcpu_id] = false;
    domain->answers[response.vcpu_id] = response;
  }
  return 0;
}

static enum hv_domain_state state_of(struct hv_domain *domain) {
  (void)domain;
  return HV_DOMAIN_RUNNING;
}

static int resume(struct hv_domain *domain) {
  (void)domain;
  return 0;
}

static int map_frame(struct hv_domain *domain, uint64_t gfn, void **frame) {
  if (gfn >= FRAMES)
    return -ENOENT;
  *frame = domain->ram[gfn];
  return 0;
}

static void unmap_frame(struct hv_domain *domain, uint64_t gfn, void *frame) {
  assert_ptr_equal(frame, domain->ram[gfn]);
}

static void detach(struct hv_domain *domain) {
  domain->attached--;
}

static const struct hv_backend backend = {.name = "mock",
                                          .reattach = reattach,
                                          .orphans = orphans,
                                          .unrestrict = unrestrict,
                                          .info = info,
                                          .ring = ring,
                                          .event_fd = event_fd,
                                          .acknowledge = acknowledge,
                                          .notify = notify,
                                          .state = state_of,
                                          .resume = resume,
                                          .map_frame = map_frame,
                                          .unmap_frame = unmap_frame,
                                          .detach = detach};

static uint64_t *entry(unsigned index) {
  return (uint64_t *)(void *)&mock->ram[TABLE][index * 8];
}

static void keep_attached(const struct fixture *it, const char *name, const char *options) {
  int fd = attached_file_write(it->dir_fd, name, options);
  assert_true(fd >= 0);
  close(fd);
}

static int up(void **state) {
  struct fixture *it = calloc(1, sizeof *it);
  mock = aligned_alloc(PAGE, (sizeof *mock + PAGE - 1) & ~(size_t)(PAGE - 1));
  assert_non_null(it);
  assert_non_null(mock);
  memset(mock, 0, sizeof *mock);
  for (uint32_t i = 0; i < VCPUS; i++)
    mock->reason[i] = VM_EVENT_REASON_MEM_ACCESS;
  strcpy(it->dir, "/tmp/ptarmigan-recover-XXXXXX");
  assert_non_null(mkdtemp(it->dir));
  it->dir_fd = open(it->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  keep_attached(it, "mock", NULL);
  *state = it;
  return 0;
}

static int down(void **state) {
  struct fixture *it = *state;
  assert_int_equal(mock->attached, 0);
  assert_false(mock->answered_restricted);
  intent_file_remove(it->dir_fd);
  attached_file_remove(it->dir_fd);
  close(it->dir_fd);
  assert_int_equal(rmdir(it->dir), 0);
  free(mock);
  free(it);
  return 0;
}

static struct pt_intents *intents_of(struct fixture *it, struct intent_file *file) {
  assert_int_equal(intent_file_create(it->dir_fd, VCPUS, file), 0);
  pt_intents_init(file->intents, VCPUS);
  return file->intents;
}

/* vCPU waits with a write of two entries from index on: old to new, 3 bytes of instruction. */
static struct pt_intent *waits_with(struct pt_intents *intents, uint32_t vcpu, unsigned index, const uint64_t old[2],
                                    const uint64_t new[2]) {
  struct pt_intent_record *record = &intents->records[vcpu];
  struct pt_intent *intent = &record->slots[0];
  mock->waiting[vcpu] = true;
  mock->rip[vcpu] = 0x1000 * (vcpu + 1);
  record->current = 1;
  *intent = (struct pt_intent){.gpa = TABLE * PAGE + index * 8,
                               .exit_id = mock->exit_id[vcpu],
                               .cpu = {.rip = mock->rip[vcpu], .cr4 = 0x20, .code_bits = 64},
                               .rip = mock->rip[vcpu] + 3,
                               .rflags = 0x40,
                               .mask = 0xFFFF,
                               .kind = PT_INTENT_WRITE,
                               .state = PT_INTENT_INTENDED};
  intent->gpr[0] = 0xAAAA;
  for (unsigned i = 0; i < 2; i++) {
    pt_entry_put(intent->expected, i, old[i]);
    pt_entry_put(intent->bytes, i, new[i]);
    *entry(index + i) = old[i];
  }
  intent->check = pt_intent_check(intent);
  return intent;
}

static int recover(struct fixture *it, bool execute_again) {
  FILE *report = fmemopen(it->said, sizeof it->said, "w");
  struct recovery recovery = {
      .hv = &backend, .domain = "mock", .dir_fd = it->dir_fd, .execute_again = execute_again, .report = report};
  int error = recover_domain(&recovery);
  fclose(report);
  return error;
}

static bool leftovers(const struct fixture *it) {
  return faccessat(it->dir_fd, "intent", F_OK, 0) == 0 || faccessat(it->dir_fd, "attached", F_OK, 0) == 0;
}

static bool moved_on(uint32_t vcpu) {
  const vm_event_response_t *answer = &mock->answers[vcpu];
  bool set = answer->flags & VM_EVENT_FLAG_SET_REGISTERS;
  if (set) {
    assert_int_equal(answer->data.regs.x86.rip, mock->rip[vcpu] + 3);
    assert_int_equal(answer->data.regs.x86.rax, 0xAAAA);
    assert_int_equal(answer->data.regs.x86.rflags, 0x40);
  }
  return set;
}

static const uint64_t old_pair[2] = {0x1000, 0x2000}, new_pair[2] = {0x1007, 0x2007};

static void a_final_write_only_wants_its_registers(void **state) {
  struct fixture *it = *state;
  struct intent_file file;
  struct pt_intent *intent = waits_with(intents_of(it, &file), 1, 0, old_pair, new_pair);
  intent->state = PT_INTENT_SWAPPED;
  *entry(0) = 0x5555; /* others were there since */
  intent_file_close(&file);
  assert_int_equal(recover(it, false), 0);
  assert_true(moved_on(1));
  assert_int_equal(*entry(0), 0x5555);
  assert_int_equal(*entry(1), 0x2000);
  assert_false(leftovers(it));
}

static void a_write_that_was_not_begun_is_executed_again(void **state) {
  struct fixture *it = *state;
  struct intent_file file;
  waits_with(intents_of(it, &file), 1, 0, old_pair, new_pair);
  mock->waiting[0] = true; /* no intent at all */
  intent_file_close(&file);
  assert_int_equal(recover(it, false), 0);
  assert_false(moved_on(0));
  assert_false(moved_on(1));
  assert_false(mock->waiting[0] || mock->waiting[1]);
  assert_int_equal(*entry(0), 0x1000);
  assert_false(leftovers(it));
}

static void half_a_write_is_finished(void **state) {
  struct fixture *it = *state;
  struct intent_file file;
  struct pt_intent *intent = waits_with(intents_of(it, &file), 0, 2, old_pair, new_pair);
  intent->attempted = 0xFF;
  *entry(2) = 0x1007;
  intent_file_close(&file);
  assert_int_equal(recover(it, false), 0);
  assert_true(moved_on(0));
  assert_int_equal(*entry(2), 0x1007);
  assert_int_equal(*entry(3), 0x2007);
}

/* vCPU 0's rest goes over the entry by which vCPU 1's swap is known. */
static void all_are_judged_before_any_is_finished(void **state) {
  struct fixture *it = *state;
  struct intent_file file;
  struct pt_intents *intents = intents_of(it, &file);
  struct pt_intent *first = waits_with(intents, 0, 0, old_pair, new_pair);
  struct pt_intent *second = waits_with(intents, 1, 1, (uint64_t[]){0x2000, 0x3000}, (uint64_t[]){0x2222, 0x3333});
  first->attempted = first->done = 0xFF; /* then it lost its second entry */
  *entry(0) = 0x1007;
  second->attempted = 0xFF; /* killed right after this swap */
  *entry(1) = 0x2222;
  intent_file_close(&file);
  assert_int_equal(recover(it, false), 0);
  assert_true(moved_on(0));
  assert_true(moved_on(1));
  assert_int_equal(*entry(1), 0x2007);
  assert_int_equal(*entry(2), 0x3333);
}

static void a_step_that_is_over_is_let_go(void **state) {
  struct fixture *it = *state;
  struct intent_file file;
  waits_with(intents_of(it, &file), 0, 0, old_pair, new_pair)->state = PT_INTENT_SWAPPED;
  mock->reason[0] = VM_EVENT_REASON_SINGLESTEP;
  intent_file_close(&file);
  assert_int_equal(recover(it, false), 0);
  assert_false(moved_on(0));
  assert_non_null(strstr(it->said, "step was over"));
}

static void a_damaged_record_leaves_its_vcpu_waiting_and_no_other(void **state) {
  struct fixture *it = *state;
  struct intent_file file;
  struct pt_intents *intents = intents_of(it, &file);
  waits_with(intents, 0, 0, old_pair, new_pair)->state = PT_INTENT_SWAPPED;
  waits_with(intents, 1, 4, old_pair, new_pair)->gpr[5] ^= 1;
  intent_file_close(&file);
  assert_int_equal(recover(it, false), -EBUSY);
  assert_true(moved_on(0));
  assert_true(mock->waiting[1]);
  assert_non_null(strstr(it->said, "left waiting"));
  assert_true(leftovers(it));
  assert_int_equal(recover(it, true), 0);
  assert_false(mock->waiting[1]);
  assert_false(moved_on(1));
  assert_non_null(strstr(it->said, "it may be done twice"));
  assert_false(leftovers(it));
}

static void without_a_sound_file_nobody_is_executed_again_unasked(void **state) {
  struct fixture *it = *state;
  struct intent_file file;
  mock->waiting[2] = true;
  assert_int_equal(recover(it, false), -EBUSY);
  assert_true(mock->waiting[2]);
  intents_of(it, &file)->version++;
  intent_file_close(&file);
  assert_int_equal(recover(it, false), -EBUSY);
  assert_true(mock->waiting[2]);
  assert_non_null(strstr(it->said, "damaged, or of another version"));
}

static void a_guess_is_called_one(void **state) {
  struct fixture *it = *state;
  struct intent_file file;
  struct pt_intents *intents = intents_of(it, &file);
  mock->exit_id[1] = 9;
  waits_with(intents, 0, 0, old_pair, new_pair)->state = PT_INTENT_SWAPPED;
  waits_with(intents, 1, 4, old_pair, new_pair)->state = PT_INTENT_SWAPPED;
  intent_file_close(&file);
  assert_int_equal(recover(it, false), 0);
  assert_non_null(strstr(it->said, "vCPU 0 at 0x1000: its write was done, by registers and memory alone"));
  assert_non_null(strstr(it->said, "vCPU 1 at 0x2000: its write was done; it goes on behind it"));
}

static void a_domain_that_is_gone_leaves_nothing_behind(void **state) {
  struct fixture *it = *state;
  struct intent_file file;
  intents_of(it, &file);
  intent_file_close(&file);
  mock->gone = true;
  assert_int_equal(recover(it, false), 0);
  assert_false(leftovers(it));
}

static void how_it_was_attached_to_is_kept(void **state) {
  struct fixture *it = *state;
  struct attached attached;
  keep_attached(it, "sandbox", "vcpus=2,dir=/x");
  assert_int_equal(attached_file_read(it->dir_fd, &attached), 0);
  assert_string_equal(attached.backend, "sandbox");
  assert_string_equal(attached.options, "vcpus=2,dir=/x");
  keep_attached(it, "sandbox", NULL);
  assert_int_equal(attached_file_read(it->dir_fd, &attached), 0);
  assert_null(attached.options);
  assert_int_equal(attached_file_write(it->dir_fd, "sandbox", "two\nlines"), -EINVAL);
  attached_file_done(attached_file_write(it->dir_fd, "sandbox", NULL));
  assert_int_equal(attached_file_read(it->dir_fd, &attached), -ENOENT);
  attached_file_remove(it->dir_fd);
  assert_int_equal(attached_file_read(it->dir_fd, &attached), -ENOENT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_final_write_only_wants_its_registers, up, down),
      cmocka_unit_test_setup_teardown(a_write_that_was_not_begun_is_executed_again, up, down),
      cmocka_unit_test_setup_teardown(half_a_write_is_finished, up, down),
      cmocka_unit_test_setup_teardown(all_are_judged_before_any_is_finished, up, down),
      cmocka_unit_test_setup_teardown(a_step_that_is_over_is_let_go, up, down),
      cmocka_unit_test_setup_teardown(a_damaged_record_leaves_its_vcpu_waiting_and_no_other, up, down),
      cmocka_unit_test_setup_teardown(without_a_sound_file_nobody_is_executed_again_unasked, up, down),
      cmocka_unit_test_setup_teardown(a_guess_is_called_one, up, down),
      cmocka_unit_test_setup_teardown(a_domain_that_is_gone_leaves_nothing_behind, up, down),
      cmocka_unit_test_setup_teardown(how_it_was_attached_to_is_kept, up, down),
  };
  return cmocka_run_group_tests_name("recover", tests, NULL, NULL);
}
