/* SPDX-License-Identifier: Apache-2.0 */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* With any arguments. */
static const int allowed[] = {
    /* to wait and to tell the time */
    SCMP_SYS(ppoll), SCMP_SYS(poll), SCMP_SYS(restart_syscall), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep), SCMP_SYS(sched_yield), SCMP_SYS(futex), SCMP_SYS(sched_getaffinity),
    /* on descriptors that are open */
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fstat),
    SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(recvmsg), SCMP_SYS(recvfrom),
    /* a new generation's memory, and the heap */
    SCMP_SYS(memfd_create), SCMP_SYS(ftruncate), SCMP_SYS(fchmod), SCMP_SYS(pwrite64), SCMP_SYS(munmap), SCMP_SYS(brk),
    SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(getrandom),
    /* to end, and be the last to do so */
    SCMP_SYS(wait4), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction), SCMP_SYS(getpid), SCMP_SYS(gettid)};

static const int deadly[] = {
    /* start a program or a process */
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(clone), SCMP_SYS(clone3),
    /* be another user, or free of this one's limits */
    SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid),
    SCMP_SYS(setresgid), SCMP_SYS(setfsuid), SCMP_SYS(setfsgid), SCMP_SYS(setgroups), SCMP_SYS(capset),
    SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(chroot), SCMP_SYS(pivot_root), SCMP_SYS(mount), SCMP_SYS(umount2),
    /* reach into another process */
    SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(process_madvise),
    SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp),
    /* change the kernel, or make calls that no filter sees */
    SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load), SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup), SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(reboot)};

/* With these arguments only. */
static const struct {
  int call;
  struct scmp_arg_cmp argument;
} bounded[] = {
    {SCMP_SYS(mmap), {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
    {SCMP_SYS(mprotect), {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
    {SCMP_SYS(fcntl), {1, SCMP_CMP_EQ, F_ADD_SEALS, 0}},
    {SCMP_SYS(newfstatat), {3, SCMP_CMP_EQ, AT_EMPTY_PATH, 0}}, /* fstat() */
};

bool confine_supported(void) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;
#else
  return true;
#endif
}

static int add_each(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count) {
  int error = 0;
  for (size_t i = 0; error == 0 && i < count; i++)
    error = seccomp_rule_add(filter, action, calls[i], 0);
  return error;
}

static int add_rules(scmp_filter_ctx filter, const int *more) {
  /* abort() */
  int error =
      seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
  if (error == 0)
    error = add_each(filter, SCMP_ACT_ALLOW, allowed, LENGTH(allowed));
  for (size_t i = 0; error == 0 && i < LENGTH(bounded); i++)
    error = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, bounded[i].call, 1, &bounded[i].argument);
  if (error == 0)
    error = add_each(filter, SCMP_ACT_KILL_PROCESS, deadly, LENGTH(deadly));
  for (; error == 0 && more && *more >= 0; more++)
    error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, *more, 0);
  return error;
}

int confine(const int *more) {
  if (!confine_supported())
    return 0;
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (!filter)
    return -ENOMEM;
  int error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
  if (error == 0)
    error = add_rules(filter, more);
  if (error == 0)
    error = seccomp_load(filter);
  seccomp_release(filter);
  return error;
}
