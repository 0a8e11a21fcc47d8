/* SPDX-License-Identifier: Apache-2.0 */
/* The only place where vm_event's fields and flags are turned into ours and back. */
#ifndef PTARMIGAN_TRANSLATE_H
#define PTARMIGAN_TRANSLATE_H

#include "ptarmigan/plugin.h"
#include "vm_event_abi.h"

/* A MEM_ACCESS request as an exit. */
void translate_request(const vm_event_request_t *request, uint64_t taken_ns, struct pt_exit *exit);

/* Answers that every request gets if nothing else is said: the vCPU resumes. */
void translate_bare(const vm_event_request_t *request, vm_event_response_t *response);

/* The answer that carries out a reply. */
void translate_reply(const vm_event_request_t *request, const struct pt_reply *reply, vm_event_response_t *response);

/* The answer to the SINGLESTEP request that ends a step: stepping off, back to the restricted view. */
void translate_step_end(const vm_event_request_t *request, unsigned restricted_view, vm_event_response_t *response);

#endif
