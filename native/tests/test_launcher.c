/* SPDX-License-Identifier: Apache-2.0 */
/* The launcher serves whoever has the loop's end of its socket, which may be an intruder. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "jvm.h"
#include "rig.h"

#define STATUS 7
#define KILLED (128 + SIGKILL)
#define WAIT_MS 10000

struct post {
  struct launcher launcher;
  struct pt_channel channel;
  int fd; /* stands for each descriptor of the channel */
};

/* Its JVM is a shell that sleeps if it is of generation 1, and else ends at once. */
static int up(void **state) {
  static char *const command[] = {"sh", "-c", "[ $PTARMIGAN_GENERATION = 1 ] && exec sleep 60; exit 7", NULL};
  struct post *post = calloc(1, sizeof *post);
  struct identity self;
  identity_self(&self);
  post->fd = eventfd(0, EFD_CLOEXEC);
  post->channel = (struct pt_channel){post->fd, post->fd, post->fd, post->fd, 2};
  *state = post;
  return launcher_open(&(struct jvm_program){command, &self}, &post->launcher);
}

static int down(void **state) {
  struct post *post = *state;
  launcher_close(&post->launcher);
  close(post->fd);
  free(post);
  return 0;
}

static void ask(struct post *post, const void *request, size_t bytes, size_t descriptors) {
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))] = {0};
  struct iovec part = {.iov_base = (void *)(uintptr_t)request, .iov_len = bytes};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (descriptors > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(descriptors * sizeof(int));
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors * sizeof(int));
    for (size_t i = 0; i < descriptors; i++)
      memcpy(CMSG_DATA(rights) + i * sizeof(int), &post->fd, sizeof(int));
  }
  assert_true(sendmsg(post->launcher.socket, &message, MSG_NOSIGNAL) >= 0);
}

static unsigned held_by(pid_t pid) {
  char path[64];
  unsigned count = 0;
  snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
  DIR *dir = opendir(path);
  while (dir && readdir(dir))
    count++;
  closedir(dir);
  return count - 2; /* . and .. */
}

static void messages_that_make_no_sense_do_no_harm(void **state) {
  struct post *post = *state;
  struct jvm jvm;
  const struct launch_request start = {LAUNCH_START, 9}, kill_other = {LAUNCH_KILL, 9}, unknown = {99, 9};
  ask(post, &start, 1, 0);
  ask(post, &start, sizeof start, 0);
  ask(post, &start, sizeof start, JVM_FDS - 1);
  ask(post, &unknown, sizeof unknown, JVM_FDS);
  ask(post, &kill_other, sizeof kill_other, 16);
  struct pollfd report = {.fd = post->launcher.socket, .events = POLLIN};
  assert_int_equal(poll(&report, 1, 100), 0);
  assert_int_equal(jvm_start(&jvm, &post->launcher, &post->channel), 0);
  assert_int_equal(jvm_finish(&jvm, WAIT_MS), STATUS);
  assert_int_equal(held_by(post->launcher.pid), 4); /* standard streams and socket */
}

static void too_many_descriptors_are_cut_off_not_stored(void **state) {
  struct post *post = *state;
  struct jvm jvm;
  const struct launch_request start = {LAUNCH_START, 8};
  ask(post, &start, sizeof start, 16);
  assert_int_equal(jvm_start(&jvm, &post->launcher, &post->channel), 0);
  assert_int_equal(jvm_finish(&jvm, WAIT_MS), STATUS);
  assert_int_equal(held_by(post->launcher.pid), 4);
}

static void a_new_jvm_is_the_end_of_the_one_before(void **state) {
  struct post *post = *state;
  struct jvm first, second;
  post->channel.generation = 1;
  assert_int_equal(jvm_start(&first, &post->launcher, &post->channel), 0);
  assert_false(jvm_ended(&first));
  post->channel.generation = 2;
  assert_int_equal(jvm_start(&second, &post->launcher, &post->channel), 0);
  assert_int_equal(jvm_finish(&first, WAIT_MS), KILLED);
  assert_int_equal(jvm_finish(&second, WAIT_MS), STATUS);
}

static void a_jvm_that_does_not_end_is_killed_after_its_time(void **state) {
  struct post *post = *state;
  struct jvm jvm;
  post->channel.generation = 1;
  assert_int_equal(jvm_start(&jvm, &post->launcher, &post->channel), 0);
  const struct launch_request kill_other = {LAUNCH_KILL, 9};
  ask(post, &kill_other, sizeof kill_other, 0);
  usleep(50000);
  assert_false(jvm_ended(&jvm));
  assert_int_equal(jvm_finish(&jvm, 50), KILLED);
  assert_true(jvm.ended);
}

static void without_a_launcher_no_jvm_starts_and_nobody_waits(void **state) {
  struct post *post = *state;
  struct jvm jvm;
  post->channel.generation = 1;
  assert_int_equal(jvm_start(&jvm, &post->launcher, &post->channel), 0);
  assert_true(post->launcher.pid > 1);
  assert_int_equal(kill(post->launcher.pid, SIGKILL), 0);
  assert_int_equal(jvm_finish(&jvm, WAIT_MS), KILLED);
  assert_int_equal(jvm_start(&jvm, &post->launcher, &post->channel), -EPIPE);
}

#define WITH_POST(test) cmocka_unit_test_setup_teardown(test, up, down)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_POST(messages_that_make_no_sense_do_no_harm),
      WITH_POST(too_many_descriptors_are_cut_off_not_stored),
      WITH_POST(a_new_jvm_is_the_end_of_the_one_before),
      WITH_POST(a_jvm_that_does_not_end_is_killed_after_its_time),
      WITH_POST(without_a_launcher_no_jvm_starts_and_nobody_waits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
