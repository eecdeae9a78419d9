// Makes a program meet faults: loaded before it (LD_PRELOAD), it counts the calls by which the program changes
// files under one folder, and at a chosen one kills the program or has the call fail. Unlike `strace -e inject`,
// which counts each thread by itself, it counts over the whole process, needs no right to trace, and costs nothing.
//
//   FAULT_PROGRAM  name of the program that is meant; the programs that it starts are left alone
//   FAULT_UNDER    folder whose files count; its absolute path, links resolved
//   FAULT_ONLY     a part of the path that a file must have to count for the fault (default: any)
//   FAULT_LOG      file that gets a line for each call, "12 write /…", and one for the fault, "! 3 write /…"
//   FAULT_KIND     kill  SIGKILL before the call
//                  torn  SIGKILL after half of a write
//                  int   SIGINT before the call
//                  full  from this call on, whatever takes room fails with ENOSPC
//                  io    the call fails once with EIO
//                  sync  the next sync fails once with EIO
//                  hang  the call takes an hour, as on a network disk that has gone
//                  hang-open  opening a file for reading whose path has FAULT_ONLY, wherever it is, takes an hour
//                  clock the wall clock jumps by FAULT_CLOCK here, instead of at the start
//   FAULT_AT       which call, counted from 1; 0, the default, injects nothing
//   FAULT_CLOCK    seconds that the wall clock is off by
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const char *under, *only, *kind;
static long at, clock_offset;
static int log_fd = -1;
static atomic_long seen, counter;
static atomic_int is_injected;
static atomic_long clock_shift;

__attribute__((constructor)) static void begin(void) {
    const char *program = getenv("FAULT_PROGRAM");
    if (!program || strcmp(program, program_invocation_short_name) != 0) return;
    const char *text = getenv("FAULT_CLOCK");
    clock_offset = text ? atol(text) : 0;
    text = getenv("FAULT_KIND");
    if (!text || strcmp(text, "clock") != 0) clock_shift = clock_offset;
    under = getenv("FAULT_UNDER");
    only = getenv("FAULT_ONLY");
    kind = getenv("FAULT_KIND");
    text = getenv("FAULT_AT");
    at = text && kind ? atol(text) : 0;
    const char *path = getenv("FAULT_LOG");
    if (path) log_fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

// MARK: Faults

enum { TAKES_ROOM = 1, WRITES = 2, SYNCS = 4 };

static void note(const char *mark, long number, const char *call, const char *path) {
    if (log_fd < 0) return;
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%s%ld %s %s\n", mark, number, call, path);
    if (length > 0) syscall(SYS_write, log_fd, line, (size_t)length);
}

static void hang(void) {
    struct timespec hour = {3600, 0};
    while (nanosleep(&hour, &hour) != 0) {}
}

// Counts a call. 0: make it; -1: make half of it and call `die`; else the error that it ends with.
static int fault(const char *call, const char *path, int traits) {
    if (!under || !path) return 0;
    size_t length = strlen(under);
    if (strncmp(path, under, length) != 0 || path[length] != '/') return 0;
    note("", atomic_fetch_add(&seen, 1) + 1, call, path);
    if (at == 0 || strcmp(kind, "hang-open") == 0 || (only && !strstr(path + length, only))) return 0;
    long number = atomic_fetch_add(&counter, 1) + 1;
    if (number < at) return 0;

    if (strcmp(kind, "full") == 0) {
        if (!(traits & TAKES_ROOM)) return 0;
        if (!atomic_exchange(&is_injected, 1)) note("! ", number, call, path);
        return ENOSPC;
    }
    if (strcmp(kind, "torn") == 0 && !(traits & WRITES)) return 0;
    if (strcmp(kind, "sync") == 0 && !(traits & SYNCS)) return 0;
    if (atomic_exchange(&is_injected, 1)) return 0;
    note("! ", number, call, path);
    if (strcmp(kind, "kill") == 0) kill(getpid(), SIGKILL);
    if (strcmp(kind, "int") == 0) kill(getpid(), SIGINT);
    if (strcmp(kind, "clock") == 0) clock_shift = clock_offset;
    if (strcmp(kind, "hang") == 0) hang();
    if (strcmp(kind, "torn") == 0) return -1;
    return strcmp(kind, "io") == 0 || strcmp(kind, "sync") == 0 ? EIO : 0;
}

static int fault_fd(const char *call, int fd, int traits) {
    if (!under) return 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fault(call, path, traits);
}

// The path of a name below an open folder.
static const char *below(int folder, const char *name, char *path) {
    if (folder == AT_FDCWD || name[0] == '/') return name;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return name;
    snprintf(path + length, (size_t)(PATH_MAX - length), "/%s", name);
    return path;
}

static long die(void) {
    kill(getpid(), SIGKILL);
    return -1;
}

// MARK: Calls

#define REAL(result, name, ...) \
    static result (*real)(__VA_ARGS__); \
    if (!real) real = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)
#define FAIL_IF(expression) \
    do { \
        int code = (expression); \
        if (code > 0) { errno = code; return -1; } \
    } while (0)

#define WRITE(name, ...) \
    int code = fault_fd(#name, fd, TAKES_ROOM | WRITES); \
    if (code > 0) { errno = code; return -1; } \
    if (code < 0) { real(fd, bytes, count / 2, ##__VA_ARGS__); return die(); } \
    return real(fd, bytes, count, ##__VA_ARGS__)

ssize_t write(int fd, const void *bytes, size_t count) {
    REAL(ssize_t, write, int, const void *, size_t);
    WRITE(write);
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    WRITE(pwrite, offset);
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
    WRITE(pwrite, offset);
}

// A file without a name is asked for by several bits, of which one alone asks for a folder.
#define MAKES(flags) ((flags) & O_CREAT || ((flags) & O_TMPFILE) == O_TMPFILE)

#define TAKE_MODE \
    mode_t mode = 0; \
    if (MAKES(flags)) { \
        va_list list; \
        va_start(list, flags); \
        mode = va_arg(list, mode_t); \
        va_end(list); \
    }

#define OPEN(name) \
    TAKE_MODE \
    if (MAKES(flags)) { \
        FAIL_IF(fault("create", path, TAKES_ROOM)); \
    } else if (kind && strcmp(kind, "hang-open") == 0 && strstr(path, only) && !atomic_exchange(&is_injected, 1)) { \
        note("! ", 0, "open", path); \
        hang(); \
    } \
    REAL(int, name, const char *, int, mode_t); \
    return real(path, flags, mode)

int open(const char *path, int flags, ...) { OPEN(open); }
int open64(const char *path, int flags, ...) { OPEN(open64); }

#define SYNC(name) \
    FAIL_IF(fault_fd("sync", fd, SYNCS)); \
    REAL(int, name, int); \
    return real(fd)

int fsync(int fd) { SYNC(fsync); }
int fdatasync(int fd) { SYNC(fdatasync); }

int ftruncate(int fd, off_t length) {
    FAIL_IF(fault_fd("truncate", fd, 0));
    REAL(int, ftruncate, int, off_t);
    return real(fd, length);
}
int ftruncate64(int fd, off64_t length) {
    FAIL_IF(fault_fd("truncate", fd, 0));
    REAL(int, ftruncate64, int, off64_t);
    return real(fd, length);
}
int rename(const char *from, const char *to) {
    FAIL_IF(fault("rename", to, 0));
    REAL(int, rename, const char *, const char *);
    return real(from, to);
}
int unlink(const char *path) {
    FAIL_IF(fault("unlink", path, 0));
    REAL(int, unlink, const char *);
    return real(path);
}
int rmdir(const char *path) {
    FAIL_IF(fault("rmdir", path, 0));
    REAL(int, rmdir, const char *);
    return real(path);
}
int mkdir(const char *path, mode_t mode) {
    FAIL_IF(fault("mkdir", path, TAKES_ROOM));
    REAL(int, mkdir, const char *, mode_t);
    return real(path, mode);
}


// The same below an open folder.
#define OPENAT(name) \
    TAKE_MODE \
    if (MAKES(flags)) { \
        char whole[PATH_MAX]; \
        FAIL_IF(fault("create", below(folder, path, whole), TAKES_ROOM)); \
    } \
    REAL(int, name, int, const char *, int, mode_t); \
    return real(folder, path, flags, mode)

int openat(int folder, const char *path, int flags, ...) { OPENAT(openat); }
int openat64(int folder, const char *path, int flags, ...) { OPENAT(openat64); }

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    char whole[PATH_MAX];
    FAIL_IF(fault("rename", below(to_folder, to, whole), 0));
    REAL(int, renameat, int, const char *, int, const char *);
    return real(from_folder, from, to_folder, to);
}
int unlinkat(int folder, const char *path, int flags) {
    char whole[PATH_MAX];
    FAIL_IF(fault(flags & AT_REMOVEDIR ? "rmdir" : "unlink", below(folder, path, whole), 0));
    REAL(int, unlinkat, int, const char *, int);
    return real(folder, path, flags);
}
int mkdirat(int folder, const char *path, mode_t mode) {
    char whole[PATH_MAX];
    FAIL_IF(fault("mkdir", below(folder, path, whole), TAKES_ROOM));
    REAL(int, mkdirat, int, const char *, mode_t);
    return real(folder, path, mode);
}

// MARK: Clock

int clock_gettime(clockid_t clock, struct timespec *now) {
    REAL(int, clock_gettime, clockid_t, struct timespec *);
    int code = real(clock, now);
    if (code == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += clock_shift;
    return code;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    REAL(int, gettimeofday, struct timeval *, void *);
    int code = real(now, zone);
    if (code == 0) now->tv_sec += clock_shift;
    return code;
}
time_t time(time_t *now) {
    struct timespec value;
    clock_gettime(CLOCK_REALTIME, &value);
    if (now) *now = value.tv_sec;
    return value.tv_sec;
}
