/* SPDX-License-Identifier: Apache-2.0 */
/* A guest's memory as an array, with 4-level tables that map a few pages; and the calls that a host lends. */
#ifndef PTARMIGAN_FAKE_GUEST_H
#define PTARMIGAN_FAKE_GUEST_H

#include "ptarmigan/plugin.h"

#define FAKE_FRAMES 64u
#define FAKE_PAGE 4096u

/* Fixed places in the fake guest. */
#define FAKE_CODE_GVA 0x400000u  /* two pages of code: frames CODE and CODE + 1 */
#define FAKE_TABLE_GVA 0x600000u /* frames TABLE and TABLE + 1, two pages of page table, mapped at this address */
enum fake_frame { FAKE_PML4 = 1, FAKE_PDPT, FAKE_PD, FAKE_PT_CODE, FAKE_PT_TABLE, FAKE_CODE, FAKE_TABLE = 10 };

struct fake_guest {
  _Alignas(4096) uint8_t ram[FAKE_FRAMES][FAKE_PAGE];
  bool restricted[FAKE_FRAMES];
  unsigned mapped;                         /* frames mapped and not unmapped */
  uint8_t xmm[PT_XMM_COUNT][PT_XMM_BYTES]; /* of every vCPU */
  int fail_xmm;                            /* read_xmm answers this, if not 0 */
  int fail_access;                         /* next set_access answers this once, if not 0 */
  unsigned access_us;                      /* how long set_access takes */
};

void fake_guest_init(struct fake_guest *guest);
void fake_guest_options(struct fake_guest *guest, unsigned vcpus, struct pt_options *options);

/* A 64-bit mov-like exit on byte offset of FAKE_TABLE. */
void fake_guest_exit(struct fake_guest *guest, uint32_t vcpu, uint32_t offset, struct pt_exit *exit);

uint64_t *fake_guest_entry(struct fake_guest *guest, unsigned frame, unsigned index);

#endif
