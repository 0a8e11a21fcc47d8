/* SPDX-License-Identifier: Apache-2.0 */
/* A monitor between a fake guest and a fake Java for one input. Time does not pass unless an exit says so. */
#ifndef PTARMIGAN_FUZZ_WORLD_H
#define PTARMIGAN_FUZZ_WORLD_H

#include "fake_guest.h"
#include "fake_java.h"

#define WORLD_VCPUS 2

struct world {
  struct fake_guest guest;
  struct pt_monitor *monitor;
  struct pt_channel channel;
  struct fake_java java;
};

/* Options of the fake guest with a deadline that no input reaches. */
void world_options(struct world *world, struct pt_options *options);

/* Opens the monitor; Java is not attached yet. */
void world_open(struct world *world, const struct pt_options *options);
void world_attach(struct world *world);

/* Java protects a frame, its first command, takes the answer, and is ready. */
void world_begin(struct world *world, uint64_t gfn);

/* Answers every exit by policy, closes; nothing stays mapped or restricted. */
void world_close(struct world *world);

#endif
