/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's flat image, for the domain builder. */
  .section .rodata
  .globl guest_image
  .globl guest_image_end
  .balign 4096
guest_image:
  .incbin GUEST_IMAGE
guest_image_end:

  .section .note.GNU-stack, "", @progbits
