/* SPDX-License-Identifier: Apache-2.0 */
/* What the shared files allow to whoever holds their descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rig.h"

static void the_stream_cannot_be_mapped_writable(void **state) {
  struct rig *rig = *state;
  char path[64];
  assert_true(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, rig->channel.stream_fd, 0) == MAP_FAILED);
  assert_int_equal(errno, EPERM);
  assert_int_equal(pwrite(rig->channel.stream_fd, "x", 1, 0), -1);
  snprintf(path, sizeof path, "/proc/self/fd/%d", rig->channel.stream_fd);
  int fd = open(path, O_RDWR);
  if (fd >= 0) {
    assert_true(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    close(fd);
  }
}

static void neither_file_changes_its_size(void **state) {
  struct rig *rig = *state;
  const int fds[] = {rig->channel.stream_fd, rig->channel.decisions_fd};
  for (unsigned i = 0; i < 2; i++) {
    assert_int_equal(ftruncate(fds[i], 0), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(fds[i], 1 << 24), -1);
    assert_int_equal(fcntl(fds[i], F_ADD_SEALS, F_SEAL_WRITE), -1);
  }
}

static void the_headers_say_what_they_are(void **state) {
  struct rig *rig = *state;
  assert_int_equal(rig->java.stream->magic, PT_ABI_MAGIC);
  assert_memory_equal(&rig->java.stream->magic, "PTRMIGN1", 8);
  assert_int_equal(rig->java.stream->version, PT_ABI_VERSION);
  assert_int_equal(rig->java.stream->slot_count, PT_SLOT_COUNT);
  assert_int_equal(rig->java.stream->vcpus, 2);
  assert_int_equal(rig->java.decisions->magic, PT_ABI_MAGIC);
  assert_int_equal(rig->java.decisions->generation, 1);
}

static void options_out_of_range_are_refused(void **state) {
  struct rig *rig = *state;
  struct pt_options good, bad;
  struct pt_monitor *monitor;
  fake_guest_options(&rig->guest, 1, &good);
  bad = good;
  bad.vcpus = 0;
  assert_int_equal(pt_open(&bad, &monitor), -EINVAL);
  bad.vcpus = PT_MAX_VCPUS + 1;
  assert_int_equal(pt_open(&bad, &monitor), -EINVAL);
  bad = good;
  bad.maxphyaddr = 64;
  assert_int_equal(pt_open(&bad, &monitor), -EINVAL);
  bad = good;
  bad.deadline_ns = 0;
  assert_int_equal(pt_open(&bad, &monitor), -EINVAL);
  bad = good;
  bad.host.set_access = NULL;
  assert_int_equal(pt_open(&bad, &monitor), -EINVAL);
  bad = good;
  bad.host.read_xmm = NULL;
  assert_int_equal(pt_open(&bad, &monitor), -EINVAL);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_up, rig_down)

static void the_notebook_is_one_file_for_all_generations_and_keeps_its_size(void **state) {
  struct rig *rig = *state;
  struct pt_channel next;
  char note[8] = "";
  int fd = rig->channel.notebook_fd;
  assert_true(ftruncate(fd, 1) < 0 && ftruncate(fd, PT_NOTEBOOK_BYTES + 1) < 0);
  assert_true(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) < 0);
  assert_int_equal(pwrite(fd, "told", 4, PT_NOTEBOOK_BYTES - 4), 4);
  assert_int_equal(pt_attach_jvm(rig->monitor, &next), 0);
  assert_int_equal(pread(next.notebook_fd, note, 4, PT_NOTEBOOK_BYTES - 4), 4);
  assert_string_equal(note, "told");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_RIG(the_notebook_is_one_file_for_all_generations_and_keeps_its_size),
      WITH_RIG(the_stream_cannot_be_mapped_writable),
      WITH_RIG(neither_file_changes_its_size),
      WITH_RIG(the_headers_say_what_they_are),
      WITH_RIG(options_out_of_range_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
