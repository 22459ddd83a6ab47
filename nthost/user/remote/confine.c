// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "nthost/user/remote/confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nthost/loader/loader.h"
#include "nthost/os/os.h"
#include "nthost/user/remote/filter.h"

enum { NOBODY = 65534, FILES_MAX = 1024 };

static int limit(int resource, rlim_t most)
{
    const struct rlimit both = {most, most};
    return setrlimit(resource, &both) == 0 ? 0 : -errno;
}

static int set_limits(void)
{
    int error = limit(RLIMIT_CORE, 0);
    error = error != 0 ? error : limit(RLIMIT_FSIZE, 0);
    error = error != 0 ? error : limit(RLIMIT_MEMLOCK, 0);
    error = error != 0 ? error : limit(RLIMIT_NOFILE, FILES_MAX);
    // AddressSanitizer's shadow is terabytes of it.
    return error != 0 || os_has_asan() ? error : limit(RLIMIT_AS, (rlim_t)4 << 30);
}

static int drop_user(void)
{
    if (geteuid() != 0) {
        return 0;
    }
    // A user namespace may know no such user: then root of that namespace is who it is.
    if (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
        setresuid(NOBODY, NOBODY, NOBODY) != 0) {
        return errno == EINVAL ? 0 : -errno;
    }
    return 0;
}

// Where the system has it: no file can be opened any more, by whatever way.
static void close_file_system(void)
{
    const struct landlock_ruleset_attr all = {.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
    long rules = syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
    if (rules >= 0) {
        (void)syscall(SYS_landlock_restrict_self, rules, 0);
        (void)close((int)rules);
    }
}

int confine(const char *folder)
{
    int error = folder[0] != '\0' ? loader_keep_files(folder) : 0;
    error = error != 0 ? error : set_limits();
    error = error != 0 ? error : drop_user();
    if (error == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        error = -errno;
    }
    if (error != 0) {
        return error;
    }
    close_file_system();
    return filter_calls();
}
