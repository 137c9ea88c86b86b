#include "contain/syscalls.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CALL(name) SCMP_SYS(name)

/* Learned from all specs under strace, and from what libc does in their place on other versions. A call that this
 * machine's kernel does not have is passed over. */
static const int allowed[] = {
    /* sockets and events */
    CALL(accept4), CALL(accept), CALL(connect), CALL(getpeername), CALL(getsockname), CALL(getsockopt),
    CALL(recvfrom), CALL(recvmsg), CALL(sendmsg), CALL(sendmmsg), CALL(recvmmsg), CALL(sendto), CALL(setsockopt),
    CALL(shutdown), CALL(epoll_create1), CALL(epoll_create), CALL(epoll_ctl), CALL(epoll_pwait), CALL(epoll_pwait2),
    CALL(epoll_wait), CALL(eventfd2), CALL(poll), CALL(ppoll), CALL(select), CALL(pselect6), CALL(pipe2),
    /* descriptors and files; which files is files.h's to say */
    CALL(close), CALL(dup), CALL(dup2), CALL(dup3), CALL(fcntl), CALL(fdatasync), CALL(fstat), CALL(fstatfs), CALL(fsync),
    CALL(ftruncate), CALL(getdents64), CALL(inotify_add_watch), CALL(inotify_init1), CALL(inotify_rm_watch), CALL(lseek),
    CALL(lstat), CALL(newfstatat), CALL(open), CALL(openat), CALL(pread64), CALL(pwrite64), CALL(read), CALL(readlink),
    CALL(readlinkat), CALL(readv), CALL(stat), CALL(statx), CALL(write), CALL(writev), CALL(access), CALL(faccessat),
    CALL(faccessat2), CALL(getcwd), CALL(sendfile), CALL(splice),
    /* memory */
    CALL(brk), CALL(madvise), CALL(mincore), CALL(mremap), CALL(munmap), CALL(membarrier),
    /* threads and time */
    CALL(clock_getres), CALL(clock_gettime), CALL(clock_nanosleep), CALL(exit), CALL(exit_group), CALL(futex),
    CALL(futex_waitv), CALL(get_robust_list), CALL(gettid), CALL(gettimeofday), CALL(nanosleep), CALL(restart_syscall),
    CALL(rseq), CALL(sched_getaffinity), CALL(sched_yield), CALL(set_robust_list), CALL(set_tid_address), CALL(time),
    CALL(times), CALL(timerfd_create), CALL(timerfd_settime), CALL(getcpu), CALL(arch_prctl),
    /* signals to itself */
    CALL(alarm), CALL(rt_sigaction), CALL(rt_sigpending), CALL(rt_sigprocmask), CALL(rt_sigreturn), CALL(rt_sigsuspend),
    CALL(rt_sigtimedwait), CALL(sigaltstack), CALL(pause),
    /* who and where it is */
    CALL(getegid), CALL(geteuid), CALL(getgid), CALL(getpgrp), CALL(getpid), CALL(getppid), CALL(getrandom),
    CALL(getresgid), CALL(getresuid), CALL(getrlimit), CALL(getrusage), CALL(getuid), CALL(sysinfo), CALL(umask),
    CALL(uname),
};

/* Nothing that the program or its libraries ever do. */
static const int hostile[] = {
    CALL(execve), CALL(execveat), CALL(fork), CALL(vfork), CALL(ptrace), CALL(process_vm_readv), CALL(process_vm_writev),
    CALL(process_madvise), CALL(pidfd_getfd), CALL(pidfd_open), CALL(pidfd_send_signal), CALL(kcmp), CALL(mount),
    CALL(umount2), CALL(move_mount), CALL(open_tree), CALL(fsopen), CALL(fsmount), CALL(fspick), CALL(fsconfig),
    CALL(mount_setattr), CALL(pivot_root), CALL(chroot), CALL(unshare), CALL(setns), CALL(bpf), CALL(perf_event_open),
    CALL(userfaultfd), CALL(keyctl), CALL(add_key), CALL(request_key), CALL(init_module), CALL(finit_module),
    CALL(delete_module), CALL(kexec_load), CALL(kexec_file_load), CALL(reboot), CALL(swapon), CALL(swapoff), CALL(syslog),
    CALL(acct), CALL(sethostname), CALL(setdomainname), CALL(settimeofday), CALL(clock_settime), CALL(adjtimex),
    CALL(clock_adjtime), CALL(iopl), CALL(ioperm), CALL(modify_ldt), CALL(personality), CALL(setuid), CALL(setgid),
    CALL(setreuid), CALL(setregid), CALL(setresuid), CALL(setresgid), CALL(setgroups), CALL(setfsuid), CALL(setfsgid),
    CALL(capset), CALL(mknod), CALL(mknodat), CALL(chmod), CALL(fchmod), CALL(fchmodat), CALL(chown), CALL(fchown),
    CALL(lchown), CALL(fchownat), CALL(link), CALL(linkat), CALL(symlink), CALL(symlinkat), CALL(io_uring_setup),
    CALL(io_uring_enter), CALL(io_uring_register), CALL(memfd_create), CALL(memfd_secret), CALL(name_to_handle_at),
    CALL(open_by_handle_at), CALL(seccomp), CALL(listen), CALL(bind),
};

static int allow_all(scmp_filter_ctx filter)
{
    int result = 0;

    for (size_t i = 0; result == 0 && i < sizeof(allowed) / sizeof(*allowed); i++)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; result == 0 && i < sizeof(hostile) / sizeof(*hostile); i++)
        result = seccomp_rule_add(filter, SCMP_ACT_TRAP, hostile[i], 0);
    return result;
}

/* IPv4 and IPv6; other families fail as if the kernel did not have them. */
static int allow_families(scmp_filter_ctx filter)
{
    int result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), CALL(socket), 1,
                                  SCMP_A0(SCMP_CMP_LT, AF_INET));

    for (uint64_t family = AF_INET; result == 0 && family <= AF_INET6; family++)
        result = seccomp_rule_add(filter,
                                  family == AF_INET || family == AF_INET6 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EAFNOSUPPORT),
                                  CALL(socket), 1, SCMP_A0(SCMP_CMP_EQ, family));
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), CALL(socket), 1,
                                  SCMP_A0(SCMP_CMP_GT, AF_INET6));
    return result;
}

/* Memory is written or executed, and nothing becomes executable any more. */
static int allow_memory(scmp_filter_ctx filter)
{
    static const int calls[] = {CALL(mmap), CALL(mprotect), CALL(pkey_mprotect)};
    int result = 0;

    for (size_t i = 0; result == 0 && i < sizeof(calls) / sizeof(*calls); i++) {
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
        if (result == 0)
            result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), calls[i], 1,
                                      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
    }
    return result;
}

/* Threads, no processes. clone3 has its flags in memory, where a filter cannot look: it is not there (the filter's
 * default), and glibc takes clone. */
static int allow_threads(scmp_filter_ctx filter)
{
    int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(clone), 1,
                                  SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));

    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_TRAP, CALL(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    return result;
}

/* Calls of which only some uses are the program's: signals to itself, limits looked at, names of threads. */
static int allow_parts(scmp_filter_ctx filter)
{
    scmp_datum_t self = (scmp_datum_t)getpid();
    int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, self));

    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(kill), 1, SCMP_A0(SCMP_CMP_EQ, self));
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(prlimit64), 1, SCMP_A2(SCMP_CMP_EQ, 0));
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, FIONREAD));
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, SIOCOUTQ));
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, FIONBIO));
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, TCGETS));
    return result;
}

int syscalls_restrict(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int result;

    if (!filter)
        return -ENOMEM;
    result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (result == 0)
        result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (result == 0)
        result = allow_all(filter);
    if (result == 0)
        result = allow_families(filter);
    if (result == 0)
        result = allow_memory(filter);
    if (result == 0)
        result = allow_threads(filter);
    if (result == 0)
        result = allow_parts(filter);
    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    return result;
}
