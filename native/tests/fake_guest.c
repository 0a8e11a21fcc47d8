/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_guest.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

#define PRESENT_WRITABLE 3u
#define DEADLINE_NS 20000000u

uint64_t *fake_guest_entry(struct fake_guest *guest, unsigned frame, unsigned index) {
  return (uint64_t *)(void *)&guest->ram[frame][index * 8];
}

static void link_frame(struct fake_guest *guest, unsigned table, unsigned index, unsigned frame) {
  *fake_guest_entry(guest, table, index) = (uint64_t)frame * FAKE_PAGE | PRESENT_WRITABLE;
}

void fake_guest_init(struct fake_guest *guest) {
  memset(guest, 0, sizeof *guest);
  link_frame(guest, FAKE_PML4, 0, FAKE_PDPT);
  link_frame(guest, FAKE_PDPT, 0, FAKE_PD);
  link_frame(guest, FAKE_PD, FAKE_CODE_GVA >> 21, FAKE_PT_CODE);
  link_frame(guest, FAKE_PD, FAKE_TABLE_GVA >> 21, FAKE_PT_TABLE);
  for (unsigned i = 0; i < 2; i++) {
    link_frame(guest, FAKE_PT_CODE, i, FAKE_CODE + i);
    link_frame(guest, FAKE_PT_TABLE, i, FAKE_TABLE + i);
  }
  for (unsigned i = 0; i < 2 * FAKE_PAGE; i++)
    guest->ram[FAKE_CODE + i / FAKE_PAGE][i % FAKE_PAGE] = (uint8_t)(i * 7 + 1);
}

static int map_frame(void *context, uint64_t gfn, void **frame) {
  struct fake_guest *guest = context;
  if (gfn >= FAKE_FRAMES)
    return -ENOENT;
  guest->mapped++;
  *frame = guest->ram[gfn];
  return 0;
}

static void unmap_frame(void *context, uint64_t gfn, void *frame) {
  struct fake_guest *guest = context;
  if (gfn < FAKE_FRAMES && frame == guest->ram[gfn])
    guest->mapped--;
}

static int set_access(void *context, const uint64_t *gfns, size_t count, bool restricted) {
  struct fake_guest *guest = context;
  int error = guest->fail_access;
  guest->fail_access = 0;
  if (guest->access_us)
    usleep(guest->access_us);
  for (size_t i = 0; i < count && error == 0; i++)
    guest->restricted[gfns[i]] = restricted;
  return error;
}

static int read_xmm(void *context, uint32_t vcpu, uint32_t index, uint8_t out[PT_XMM_BYTES]) {
  const struct fake_guest *guest = context;
  (void)vcpu;
  memcpy(out, guest->xmm[index], PT_XMM_BYTES);
  return guest->fail_xmm;
}

void fake_guest_options(struct fake_guest *guest, unsigned vcpus, struct pt_options *options) {
  *options = (struct pt_options){
      .vcpus = vcpus,
      .maxphyaddr = 40,
      .frames = FAKE_FRAMES,
      .deadline_ns = DEADLINE_NS,
      .host = {.context = guest,
               .map_frame = map_frame,
               .unmap_frame = unmap_frame,
               .set_access = set_access,
               .read_xmm = read_xmm},
  };
}

void fake_guest_exit(struct fake_guest *guest, uint32_t vcpu, uint32_t offset, struct pt_exit *exit) {
  (void)guest;
  *exit = (struct pt_exit){
      .vcpu = vcpu,
      .view = 1,
      .access = PT_ACCESS_READ | PT_ACCESS_WRITE | PT_ACCESS_GLA_VALID,
      .gpa = FAKE_TABLE * FAKE_PAGE + offset,
      .gla = FAKE_TABLE_GVA + offset,
      .cpu = {.rip = FAKE_CODE_GVA + 0x10,
              .rflags = 2,
              .cr0 = 0x80010001,
              .cr3 = FAKE_PML4 * FAKE_PAGE,
              .cr4 = 0x220,
              .efer = 0xD00,
              .code_bits = 64},
      .taken_ns = pt_now_ns(),
  };
  for (unsigned i = 0; i < PT_GPR_COUNT; i++)
    exit->cpu.gpr[i] = 0x1000 + i;
}
