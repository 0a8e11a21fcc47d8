/* SPDX-License-Identifier: Apache-2.0 */
/* Xen's public headers, which need to be told that a tool includes them. */
#ifndef PTARMIGAN_VM_EVENT_ABI_H
#define PTARMIGAN_VM_EVENT_ABI_H

#ifndef __XEN_TOOLS__
#define __XEN_TOOLS__ 1
#endif
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#include <xen/xen.h>
/* xen.h first. */
#include <xen/io/ring.h>
#include <xen/vm_event.h>
#pragma GCC diagnostic pop

#define xen_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)

_Static_assert(VM_EVENT_INTERFACE_VERSION == 7, "written for Xen 4.15 and later");
_Static_assert(sizeof(vm_event_request_t) == 400, "the event's size is part of the ABI");

#endif
