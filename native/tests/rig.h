/* SPDX-License-Identifier: Apache-2.0 */
/* A monitor between a fake guest and a fake Java, for cmocka tests. */
#ifndef PTARMIGAN_RIG_H
#define PTARMIGAN_RIG_H

/* cmocka.h needs the four headers before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "fake_guest.h"
#include "fake_java.h"

#define RIG_VCPUS 2

struct rig {
  struct fake_guest guest;
  struct pt_monitor *monitor;
  struct pt_channel channel;
  struct fake_java java;
  struct pt_intents *intents;
};

/* cmocka set-up and tear-down: RIG_VCPUS vCPUs, Java attached and ready, FAKE_TABLE protected, intents kept. */
int rig_up(void **state);
int rig_down(void **state);

void rig_submit(struct rig *rig, uint32_t vcpu, uint32_t offset);

/* The next record, copied and consumed; fails the test if there is none or it is of another kind. */
struct pt_exit_record rig_exit(struct rig *rig);
struct pt_outcome_record rig_outcome(struct rig *rig);
struct pt_completion_record rig_completion(struct rig *rig);

/* One pt_poll that must give exactly one reply. */
struct pt_reply rig_reply(struct rig *rig);
void rig_no_reply(struct rig *rig);

/* Decides a write of length bytes from byte first of the window, taken from value. */
void rig_write(struct rig *rig, const struct pt_exit_record *exit, unsigned first, unsigned length, uint64_t value);

/* Asks for the source, the XMM register, or both. */
void rig_more(struct rig *rig, const struct pt_exit_record *exit, uint32_t needs, uint64_t source_gla,
              uint32_t source_bytes, uint32_t xmm_register);

/* Time passes until the deadline of every vCPU that waits is over. */
void rig_pass_deadline(struct rig *rig);

#endif
