/* SPDX-License-Identifier: Apache-2.0 */
#include "region.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory_order.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010 /* linux/fcntl.h, since 5.1 */
#endif

static int create_file(const char *name, size_t bytes) {
  int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0)
    return -errno;
  if (fchmod(fd, 0600) < 0 || ftruncate(fd, (off_t)bytes) < 0) {
    int error = -errno;
    close(fd);
    return error;
  }
  return fd;
}

static int map_file(int fd, size_t bytes, int protection, void **out) {
  void *address = mmap(NULL, bytes, protection, MAP_SHARED | MAP_POPULATE, fd, 0);
  if (address == MAP_FAILED)
    return -errno;
  *out = address;
  return 0;
}

int pt_stream_create(struct pt_stream_region *region, unsigned vcpus, unsigned maxphyaddr, uint64_t deadline_ns) {
  void *address = NULL;
  int fd = create_file("ptarmigan-stream", PT_STREAM_BYTES);
  if (fd < 0)
    return fd;
  int error = map_file(fd, PT_STREAM_BYTES, PROT_READ | PROT_WRITE, &address);
  if (error < 0)
    goto fail;
  if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0) {
    error = -errno;
    munmap(address, PT_STREAM_BYTES);
    goto fail;
  }
  struct pt_stream_header *header = address;
  header->header_bytes = PT_HEADER_BYTES;
  header->slot_bytes = PT_SLOT_BYTES;
  header->slot_count = PT_SLOT_COUNT;
  header->vcpus = vcpus;
  header->maxphyaddr = maxphyaddr;
  header->deadline_ns = deadline_ns;
  header->version = PT_ABI_VERSION;
  pt_store_release(&header->magic, PT_ABI_MAGIC);
  region->fd = fd;
  region->header = header;
  region->slots = (uint8_t *)address + PT_HEADER_BYTES;
  return 0;
fail:
  close(fd);
  return error;
}

void pt_stream_destroy(struct pt_stream_region *region) {
  munmap(region->header, PT_STREAM_BYTES);
  close(region->fd);
}

int pt_notebook_create(void) {
  int fd = create_file("ptarmigan-notebook", PT_NOTEBOOK_BYTES);
  if (fd >= 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
    int error = -errno;
    close(fd);
    return error;
  }
  return fd;
}

static int write_decisions_header(int fd, uint32_t generation, uint64_t consumed) {
  struct pt_decisions_header header = {
      .magic = PT_ABI_MAGIC,
      .version = PT_ABI_VERSION,
      .header_bytes = PT_HEADER_BYTES,
      .decision_bytes = PT_DECISION_BYTES,
      .decision_count = PT_MAX_VCPUS,
      .command_bytes = PT_COMMAND_BYTES,
      .command_count = PT_COMMAND_COUNT,
      .generation = generation,
      .consumed = consumed,
  };
  ssize_t written = pwrite(fd, &header, sizeof header, 0);
  if (written < 0)
    return -errno;
  return written == (ssize_t)sizeof header ? 0 : -EIO;
}

int pt_decisions_create(struct pt_decisions_region *region, uint32_t generation, uint64_t consumed) {
  void *address = NULL;
  int fd = create_file("ptarmigan-decisions", PT_DECISIONS_BYTES);
  if (fd < 0)
    return fd;
  int error = write_decisions_header(fd, generation, consumed);
  if (error < 0)
    goto fail;
  if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
    error = -errno;
    goto fail;
  }
  error = map_file(fd, PT_DECISIONS_BYTES, PROT_READ, &address);
  if (error < 0)
    goto fail;
  region->fd = fd;
  region->header = address;
  region->decisions = (const uint8_t *)address + PT_HEADER_BYTES;
  region->commands = (const uint8_t *)address + PT_COMMANDS_OFFSET;
  return 0;
fail:
  close(fd);
  return error;
}

void pt_decisions_destroy(struct pt_decisions_region *region) {
  munmap((void *)(uintptr_t)region->header, PT_DECISIONS_BYTES);
  close(region->fd);
}
