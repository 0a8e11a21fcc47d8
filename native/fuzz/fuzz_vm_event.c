/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop against a hypervisor that puts any request on the ring: any version, reason, vCPU, flags and registers. Each
 * request gets one response, with our version, its vCPU, and its PAUSED flag, and frees its slot of the ring; responses
 * carry only flags that Xen can honour; and in the end every vCPU is back in its view with single stepping off.
 */
#include <fcntl.h>

#include "check.h"
#include "input.h"
#include "vmi_loop.h"
#include "world.h"

#define PAUSED VM_EVENT_FLAG_VCPU_PAUSED
#define STEP (VM_EVENT_FLAG_ALTERNATE_P2M | VM_EVENT_FLAG_TOGGLE_SINGLESTEP)
#define RESTRICTED_VIEW 1
#define RING_SLOTS 8
#define PATIENCE 100 /* turns without a response until a vCPU counts as forgotten */

struct hv_domain {
  struct world world;
  struct vmi_loop loop;
  _Alignas(4096) uint8_t ring_page[4096];
  vm_event_front_ring_t front;
  int event_fd;
  struct input input;
  vm_event_request_t outstanding[RING_SLOTS];
  unsigned count;  /* of outstanding */
  uint32_t number; /* of the last request */
  unsigned patience;
  bool stepping[WORLD_VCPUS];
  unsigned view[WORLD_VCPUS];
  bool ended;
};

static void fill_info(struct hv_info *out) {
  *out = (struct hv_info){
      .vcpus = WORLD_VCPUS, .maxphyaddr = 40, .frames = FAKE_FRAMES, .restricted_view = RESTRICTED_VIEW};
}

static void info(const struct hv_domain *domain, struct hv_info *out) {
  (void)domain;
  fill_info(out);
}

static void *ring(struct hv_domain *domain) {
  return domain->ring_page;
}

static int event_fd(const struct hv_domain *domain) {
  return domain->event_fd;
}

static void put(struct hv_domain *domain, const vm_event_request_t *request) {
  vm_event_request_t *numbered = &domain->outstanding[domain->count++];
  *numbered = *request;
  numbered->u.mem_access._pad = ++domain->number;
  *RING_GET_REQUEST(&domain->front, domain->front.req_prod_pvt) = *numbered;
  domain->front.req_prod_pvt++;
  RING_PUSH_REQUESTS(&domain->front);
}

/* Everything but what an instruction may change is as the request had it. */
static bool registers_fit(const vm_event_request_t *request, const vm_event_response_t *response) {
  struct vm_event_regs_x86 expected = request->data.regs.x86;
  const struct vm_event_regs_x86 *actual = &response->data.regs.x86;
  memcpy(&expected, actual, 16 * sizeof(uint64_t));
  expected.rip = actual->rip;
  expected.rflags = actual->rflags;
  return memcmp(&expected, actual, sizeof expected) == 0;
}

/* Every request bears a number in a field that the loop does not read and echoes. */
static bool answers(const vm_event_request_t *request, const vm_event_response_t *response) {
  if (request->vcpu_id != response->vcpu_id || request->reason != response->reason)
    return false;
  return !((request->flags ^ response->flags) & PAUSED) && memcmp(&request->u, &response->u, sizeof request->u) == 0;
}

static void follow_vcpu(struct hv_domain *domain, const vm_event_response_t *response) {
  uint32_t vcpu = response->vcpu_id;
  CHECK(vcpu < WORLD_VCPUS || response->flags == PAUSED || response->flags == 0);
  if (response->flags & VM_EVENT_FLAG_TOGGLE_SINGLESTEP)
    domain->stepping[vcpu] = !domain->stepping[vcpu];
  if (response->flags & VM_EVENT_FLAG_ALTERNATE_P2M)
    domain->view[vcpu] = response->altp2m_idx;
}

static void check_response(struct hv_domain *domain, const vm_event_response_t *response) {
  const uint32_t known = PAUSED | STEP | VM_EVENT_FLAG_SET_REGISTERS;
  unsigned i = 0;
  while (i < domain->count && !answers(&domain->outstanding[i], response))
    i++;
  CHECK(i < domain->count); /* an answer to something that was asked, and not answered before */
  CHECK(response->version == VM_EVENT_INTERFACE_VERSION);
  CHECK((response->flags & ~known) == 0);
  CHECK((response->flags & STEP) == 0 || (response->flags & STEP) == STEP);
  CHECK(!(response->flags & VM_EVENT_FLAG_SET_REGISTERS) || registers_fit(&domain->outstanding[i], response));
  follow_vcpu(domain, response);
  domain->outstanding[i] = domain->outstanding[--domain->count];
  domain->patience = PATIENCE;
}

static bool take_responses(struct hv_domain *domain) {
  bool any = false;
  while (domain->front.sring->rsp_prod != domain->front.rsp_cons) {
    vm_event_response_t response = *RING_GET_RESPONSE(&domain->front, domain->front.rsp_cons);
    domain->front.rsp_cons++;
    check_response(domain, &response);
    any = true;
  }
  return any;
}

/* A request that Xen would make, then fields of it overwritten. */
static void choose_request(struct hv_domain *domain, vm_event_request_t *request) {
  struct input *input = &domain->input;
  uint8_t how = input_u8(input);
  uint32_t offset = input_u16(input) & 0xFFF;
  memset(request, 0, sizeof *request);
  request->version = VM_EVENT_INTERFACE_VERSION;
  request->flags = PAUSED | VM_EVENT_FLAG_ALTERNATE_P2M;
  request->reason = how & 2 ? VM_EVENT_REASON_SINGLESTEP : VM_EVENT_REASON_MEM_ACCESS;
  request->vcpu_id = how & 1;
  request->altp2m_idx = RESTRICTED_VIEW;
  request->u.mem_access.gfn = FAKE_TABLE;
  request->u.mem_access.offset = offset;
  request->u.mem_access.gla = FAKE_TABLE_GVA + offset;
  request->u.mem_access.flags = MEM_ACCESS_R | MEM_ACCESS_W | MEM_ACCESS_GLA_VALID | MEM_ACCESS_FAULT_WITH_GLA;
  request->data.regs.x86 = (struct vm_event_regs_x86){
      .rip = FAKE_CODE_GVA, .rflags = 2, .cr0 = 0x80010001, .cr3 = FAKE_PML4 * FAKE_PAGE, .msr_efer = 0xD00};
  request->data.regs.x86.cs.ar = 0xA9B;
  if (how & 4)
    request->reason = input_u8(input);
  if (how & 8)
    request->version = input_u8(input);
  if (how & 16)
    request->flags = input_u16(input);
  if (how & 32)
    request->vcpu_id = how & 64 ? input_u32(input) : input_u8(input) % 4;
  if (how & 128) {
    size_t from = input_u16(input) % (sizeof *request - 16);
    input_bytes(input, (uint8_t *)request + from, 16);
  }
}

/* Java is there and answers what lies in its stream, soundly or not; or it is not. */
static void run_java(struct hv_domain *domain) {
  struct world *world = &domain->world;
  struct input *input = &domain->input;
  const struct pt_record_head *head;
  if (!pt_attached(world->monitor)) {
    world_attach(world);
    fake_java_ready(&world->java);
    return;
  }
  while ((head = fake_java_take(&world->java)) != NULL) {
    struct pt_exit_record exit;
    memcpy(&exit, head, sizeof exit);
    fake_java_consumed(&world->java);
    if (exit.head.kind != PT_RECORD_EXIT)
      continue;
    uint8_t how = input_u8(input);
    struct pt_decision *decision = fake_java_decision(&world->java, exit.head.vcpu);
    fake_java_decide(&world->java, &exit, how & 7, how >> 3 & 15, decision);
    decision->mask = how & 128 ? input_u32(input) : 0;
    fake_java_publish(&world->java, decision, exit.head.sequence);
  }
}

static void next_operation(struct hv_domain *domain) {
  vm_event_request_t request;
  uint8_t operation = input_u8(&domain->input);
  unsigned requests = operation >> 4 & 3;
  switch (operation & 3) {
    case 0:
      run_java(domain);
      break;
    case 1:
      pt_detach_jvm(domain->world.monitor);
      break;
    default:
      break;
  }
  for (unsigned i = 0; i <= requests && !RING_FULL(&domain->front); i++) {
    choose_request(domain, &request);
    put(domain, &request);
  }
}

/* What has come is carried out: a vCPU that was told to step reports it. Then every request must be answered. */
static void wind_down(struct hv_domain *domain) {
  bool stepping = false;
  pt_detach_jvm(domain->world.monitor);
  for (uint32_t vcpu = 0; vcpu < WORLD_VCPUS && !RING_FULL(&domain->front); vcpu++) {
    vm_event_request_t request = {
        .version = VM_EVENT_INTERFACE_VERSION, .flags = PAUSED, .reason = VM_EVENT_REASON_SINGLESTEP, .vcpu_id = vcpu};
    if (!domain->stepping[vcpu])
      continue;
    stepping = true;
    put(domain, &request);
  }
  CHECK(stepping || domain->count == 0 || --domain->patience > 0);
  domain->ended = !stepping && domain->count == 0;
}

/* Called by the loop after responses, and when it has nothing to do. */
static void advance(struct hv_domain *domain) {
  if (take_responses(domain) && domain->count > 0)
    return;
  if (input_more(&domain->input) && !RING_FULL(&domain->front))
    next_operation(domain);
  else
    wind_down(domain);
}

static void acknowledge(struct hv_domain *domain) {
  advance(domain);
}

static int notify(struct hv_domain *domain) {
  advance(domain);
  return 0;
}

static enum hv_domain_state state(struct hv_domain *domain) {
  return domain->ended ? HV_DOMAIN_ENDED : HV_DOMAIN_RUNNING;
}

static int resume(struct hv_domain *domain) {
  (void)domain;
  return 0;
}

static const struct hv_backend backend = {.name = "fuzz",
                                          .info = info,
                                          .ring = ring,
                                          .event_fd = event_fd,
                                          .acknowledge = acknowledge,
                                          .notify = notify,
                                          .state = state,
                                          .resume = resume};

static void open_domain(struct hv_domain *domain, struct input input) {
  struct pt_options options;
  memset(domain, 0, sizeof *domain);
  domain->input = input;
  domain->patience = PATIENCE;
  for (unsigned vcpu = 0; vcpu < WORLD_VCPUS; vcpu++)
    domain->view[vcpu] = RESTRICTED_VIEW;
  XEN_FRONT_RING_INIT(&domain->front, (vm_event_sring_t *)(void *)domain->ring_page, sizeof domain->ring_page);
  world_options(&domain->world, &options);
  world_open(&domain->world, &options);
  world_attach(&domain->world);
  world_begin(&domain->world, FAKE_TABLE);
  domain->loop.hv = &backend;
  domain->loop.domain = domain;
  fill_info(&domain->loop.info);
  domain->loop.monitor = domain->world.monitor;
  domain->loop.signal_fd = -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct hv_domain *domain;
  static int always_readable; /* the loop never sleeps */
  if (!domain) {
    domain = aligned_alloc(FAKE_PAGE, (sizeof *domain + FAKE_PAGE - 1) & ~(size_t)(FAKE_PAGE - 1));
    CHECK(domain);
    always_readable = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  }
  open_domain(domain, (struct input){data, size});
  domain->event_fd = always_readable;
  vmi_loop_run(&domain->loop);
  CHECK(domain->count == 0);
  for (unsigned vcpu = 0; vcpu < WORLD_VCPUS; vcpu++)
    CHECK(!domain->stepping[vcpu] && domain->view[vcpu] == RESTRICTED_VIEW);
  world_close(&domain->world);
  return 0;
}
