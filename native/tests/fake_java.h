/* SPDX-License-Identifier: Apache-2.0 */
/* The other end of the channel, in C: what the JVM does, and what a hostile one could do. Also the C peer of the
 * benchmarks. */
#ifndef PTARMIGAN_FAKE_JAVA_H
#define PTARMIGAN_FAKE_JAVA_H

#include "ptarmigan/plugin.h"

struct fake_java {
  const struct pt_stream_header *stream;
  struct pt_decisions_header *decisions;
  uint64_t next; /* sequence of the next record to take */
  uint64_t command;
  uint32_t generation;
  int wake_fd;
};

/* The channel that a loop's child finds in its environment, as jvm.h says. */
struct pt_channel fake_java_inherited(void);

/* 0 or -errno. */
int fake_java_attach(struct fake_java *java, const struct pt_channel *channel);
void fake_java_detach(struct fake_java *java);

/* The next record, or NULL where none is published. Valid until fake_java_consumed. */
const struct pt_record_head *fake_java_take(struct fake_java *java);
void fake_java_consumed(struct fake_java *java);

/* vCPU's slot; fill it and publish. */
struct pt_decision *fake_java_decision(struct fake_java *java, uint32_t vcpu);
void fake_java_publish(struct fake_java *java, struct pt_decision *decision, uint64_t sequence);

/* A decision for exit that writes nothing and steps over length bytes. */
void fake_java_decide(struct fake_java *java, const struct pt_exit_record *exit, uint32_t action, uint32_t length,
                      struct pt_decision *decision);

void fake_java_command(struct fake_java *java, uint64_t id, uint32_t kind, uint64_t gpa, uint32_t length);
/* DENY or ALLOW of the 8-byte entry at gpa. */
void fake_java_rule(struct fake_java *java, uint64_t id, uint32_t kind, uint64_t gpa, uint64_t mask);
void fake_java_ready(struct fake_java *java);

/* Sleeps until a record is published or timeout_ns have passed. */
void fake_java_sleep(struct fake_java *java, uint64_t timeout_ns);

#endif
