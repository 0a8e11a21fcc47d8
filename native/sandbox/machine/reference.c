/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "build.h"
#include "ram.h"
#include "vcpu.h"

static uint64_t count_differences(const struct machine *run, const struct machine *reference) {
  uint64_t count = 0;
  for (uint64_t gpa = run->pool_gpa; gpa < run->pool_gpa + run->pool_bytes; gpa += 8) {
    uint64_t a = atomic_load(ram_entry(run, gpa));
    uint64_t b = atomic_load(ram_entry(reference, gpa));
    uint64_t ignored = a & b & PTE_P ? PTE_AD : 0;
    count += ((a ^ b) & ~ignored) != 0;
  }
  return count;
}

int reference_run(struct machine *machine, struct comparison *out) {
  struct machine *reference = calloc(1, sizeof(*reference));
  if (reference == NULL) {
    return -ENOMEM;
  }
  reference->options = machine->options;
  reference->reference = true;
  int fd = memfd_create("ptarmigan-reference", MFD_CLOEXEC);
  int status = fd < 0 || ftruncate(fd, (off_t)machine->ram.size) < 0 ? -errno : ram_open(reference, fd);
  if (status == 0) {
    status = build_domain(reference);
  }
  if (status == 0) {
    status = ram_map_guest(reference);
  }
  for (unsigned id = 0; id < machine->options.vcpus && status == 0; id++) {
    reference->boot->cpu[id].rounds_limit = machine->boot->cpu[id].rounds;
    status = vcpu_run(&reference->vcpus[id]);
  }
  if (status == 0) {
    *out = (struct comparison){.differing_entries = count_differences(machine, reference),
                               .failed_checks = reference->crashes};
    for (unsigned id = 0; id < machine->options.vcpus; id++) {
      out->failed_checks += reference->boot->cpu[id].failed_checks;
    }
  }
  return status;
}
