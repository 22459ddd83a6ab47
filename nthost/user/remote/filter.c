// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "nthost/user/remote/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

// clone() and tgkill() are looked at more closely. What opens, connects, starts programs or reaches other
// processes is not here.
static const uint16_t allowed[] = {
    SYS_read,
    SYS_pread64,
    SYS_lseek,

    SYS_write,
    SYS_writev,
    SYS_close,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_sendto,
    SYS_sendmsg,
    SYS_poll,
    SYS_ppoll,
    SYS_mmap,
    SYS_munmap,
    SYS_mprotect,
    SYS_mremap,
    SYS_madvise,
    SYS_mincore,
    SYS_brk,
    SYS_futex,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_set_tid_address,
    SYS_arch_prctl,
    SYS_membarrier,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_rt_sigtimedwait,
    SYS_sigaltstack,
    SYS_clock_gettime,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_sched_getparam,
    SYS_sched_getscheduler,
    SYS_getpid,
    SYS_gettid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getrandom,
    SYS_getrlimit,
    SYS_restart_syscall,
    SYS_exit,
    SYS_exit_group,
    SYS_uname,
    SYS_sysinfo,
};
enum {
    ALLOWED = sizeof allowed / sizeof allowed[0],
    FIXED = 16,
    THREAD_FLAGS = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD
};

#define LOAD(field)           BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), yes, no)
#define ANSWER(action)        BPF_STMT(BPF_RET | BPF_K, action)
#define REFUSE(error)         ANSWER(SECCOMP_RET_ERRNO | (error))

// The low half of an argument; the C library passes no more than that here.
#define LOAD_ARGUMENT(index) LOAD(args[index])

static size_t write_filter(struct sock_filter *code)
{
    const struct sock_filter head[] = {
        LOAD(arch),
        EQUAL(AUDIT_ARCH_X86_64, 1, 0),
        ANSWER(SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
        EQUAL(SYS_clone3, 0, 1), // its flags lie in memory: the C library then takes clone()
        REFUSE(ENOSYS),
        EQUAL(SYS_clone, 0, 4),
        LOAD_ARGUMENT(0),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, THREAD_FLAGS),
        EQUAL(THREAD_FLAGS, 0, 5),
        ANSWER(SECCOMP_RET_ALLOW),
        EQUAL(SYS_tgkill, 0, 4), // abort() and pthread_kill(), in this process only
        LOAD_ARGUMENT(0),
        EQUAL(getpid(), 0, 1),
        ANSWER(SECCOMP_RET_ALLOW),
        REFUSE(EPERM),
    };
    size_t length = 0;
    _Static_assert(sizeof head == FIXED * sizeof head[0], "the room for it");
    for (; length < FIXED; length++) {
        code[length] = head[length];
    }
    for (size_t i = 0; i < ALLOWED; i++) {
        code[length++] = (struct sock_filter)EQUAL(allowed[i], (uint8_t)(ALLOWED - i), 0);
    }
    code[length++] = (struct sock_filter)REFUSE(EPERM);
    code[length++] = (struct sock_filter)ANSWER(SECCOMP_RET_ALLOW);
    return length;
}

int filter_calls(void)
{
    struct sock_filter code[FIXED + ALLOWED + 2];
    const struct sock_fprog program = {.len = (unsigned short)write_filter(code), .filter = code};
    long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    if (result > 0) {
        return -EBUSY; // a thread that could not be had
    }
    return result == 0 || errno == ENOSYS || errno == EINVAL ? 0 : -errno;
}
