/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <stdio.h>
#include <sys/stat.h>

typedef unsigned long long ull;

static FILE *create(const struct machine *machine, const char *name) {
  char path[PATH_MAX + 32];
  snprintf(path, sizeof(path), "%s/%s", machine->options.dir, name);
  FILE *file = fopen(path, "we");
  if (file != NULL) {
    fchmod(fileno(file), 0644); /* the reader may be another user */
  }
  return file;
}

static int finish(FILE *file) {
  int failed = ferror(file);
  return fclose(file) != 0 || failed ? -EIO : 0;
}

static void watch_line(FILE *file, const struct machine *machine, unsigned vcpu, unsigned region, unsigned page) {
  fprintf(file, "    {\"cr3\": \"%#llx\", \"va\": \"%#llx\", \"name\": \"vcpu%u.region%u.page%u\"},\n",
          (ull)machine->boot->cpu[vcpu].cr3, (ull)guest_user_va(vcpu, region, page), vcpu, region, page);
}

int report_layout(const struct machine *machine) {
  if (machine->options.dir[0] == '\0') {
    return 0;
  }
  FILE *file = create(machine, "layout.json");
  if (file == NULL) {
    return -errno;
  }
  ull denied_root = machine->boot->cpu[0].cr3;
  fprintf(file, "{\n  \"cr3\": [");
  for (unsigned i = 0; i < machine->options.vcpus; i++) {
    fprintf(file, "%s\"%#llx\"", i == 0 ? "" : ", ", (ull)machine->boot->cpu[i].cr3);
  }
  fprintf(file, "],\n  \"tables\": {\"gpa\": \"%#llx\", \"length\": \"%#llx\"},\n  \"watch\": [\n",
          (ull)machine->pool_gpa, (ull)machine->pool_bytes);
  for (unsigned vcpu = 0; vcpu < machine->options.vcpus; vcpu++) {
    for (unsigned region = 0; region < GUEST_REGIONS; region++) {
      watch_line(file, machine, vcpu, region, 1);
      watch_line(file, machine, vcpu, region, GUEST_PAGES - 1);
    }
  }
  fprintf(file, "    {\"cr3\": \"%#llx\", \"va\": \"%#llx\", \"name\": \"denied\"}\n  ],\n", denied_root,
          (ull)GUEST_DENIED_VA);
  fprintf(file, "  \"deny\": {\"cr3\": \"%#llx\", \"va\": \"%#llx\"}\n}\n", denied_root, (ull)GUEST_DENIED_VA);
  return finish(file);
}

struct totals {
  uint64_t stores;
  uint64_t failed_checks;
  uint64_t denied;
  uint64_t exits;
  uint64_t steps;
};

static struct totals add_up(const struct machine *machine) {
  struct totals sum = {0};
  for (unsigned i = 0; i < machine->options.vcpus; i++) {
    const struct guest_boot_cpu *cpu = &machine->boot->cpu[i];
    sum.stores += cpu->stores;
    sum.failed_checks += cpu->failed_checks;
    sum.denied += cpu->denied;
    sum.exits += machine->vcpus[i].exits;
    sum.steps += machine->vcpus[i].steps;
  }
  return sum;
}

static void first_failures(FILE *file, const struct machine *machine) {
  for (unsigned i = 0; i < machine->options.vcpus; i++) {
    const uint64_t *first = machine->boot->cpu[i].first_failure;
    fprintf(file, "%s\n    {\"check\": %llu, \"round\": %llu, \"expected\": \"%#llx\", \"found\": \"%#llx\"}",
            i == 0 ? "" : ",", (ull)first[0], (ull)first[1], (ull)first[2], (ull)first[3]);
  }
}

int report_result(const struct machine *machine, const struct comparison *comparison) {
  if (machine->options.dir[0] == '\0') {
    return 0;
  }
  FILE *file = create(machine, "result.json");
  if (file == NULL) {
    return -errno;
  }
  struct totals sum = add_up(machine);
  uint64_t failed = sum.failed_checks + comparison->failed_checks + machine->crashes;
  fprintf(file, "{\n  \"vcpus\": %u,\n  \"seed\": %llu,\n  \"rounds\": [", machine->options.vcpus,
          (ull)machine->options.seed);
  for (unsigned i = 0; i < machine->options.vcpus; i++) {
    fprintf(file, "%s%llu", i == 0 ? "" : ", ", (ull)machine->boot->cpu[i].rounds);
  }
  fprintf(file, "],\n  \"guest_stores\": %llu,\n  \"guest_mismatches\": %llu,\n", (ull)sum.stores,
          (ull)(failed + comparison->differing_entries));
  fprintf(file, "  \"failed_checks\": %llu,\n  \"differing_entries\": %llu,\n", (ull)failed,
          (ull)comparison->differing_entries);
  fprintf(file, "  \"crashes\": %u,\n  \"denied\": %llu,\n  \"walker_ad\": %llu,\n", machine->crashes, (ull)sum.denied,
          (ull)machine->walker_updates);
  fprintf(file, "  \"mem_access_events\": %llu,\n  \"singlestep_events\": %llu,\n  \"first_failures\": [",
          (ull)sum.exits, (ull)sum.steps);
  first_failures(file, machine);
  fprintf(file, "\n  ]\n}\n");
  return finish(file);
}
