/* Counts the calls by which a process changes files under one folder, and at the Nth of them kills
 * the process, tears the write, or lets it fail.
 *
 *     cc -shared -fPIC -O1 -o preload.so preload.c -ldl
 *     LD_PRELOAD=./preload.so python …      then, through ctypes: fault_arm(folder, n, mode, log)
 *
 * mode 0 count alone           1 kill before the call      2 kill after it
 *      3 half of a write, kill 4 ENOSPC from N on          5 EIO once
 * Closing a file changes nothing that is not on its way already: it is not counted.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { COUNT, BEFORE, AFTER, TORN, NO_SPACE, BROKEN };

static char folder[PATH_MAX];
static long target, count;
static int mode, log_file = -1;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

void fault_arm(const char *under, long n, int how, int log)
{
	strncpy(folder, under, sizeof folder - 1);
	target = n;
	mode = how;
	log_file = log;
	count = 0;
}

static int within(const char *path) { return *folder && !strncmp(path, folder, strlen(folder)); }

/* The absolute path of `path`, which is relative to the open folder `at`. */
static const char *absolute(int at, const char *path, char *buffer)
{
	char link[64];
	ssize_t length;

	if (*path == '/')
		return path;
	if (at == AT_FDCWD)
		strcpy(link, "/proc/self/cwd");
	else
		snprintf(link, sizeof link, "/proc/self/fd/%d", at);
	length = readlink(link, buffer, PATH_MAX - 1);
	if (length < 0)
		return "";
	if (*path)
		snprintf(buffer + length, PATH_MAX - length, "/%s", path);
	else
		buffer[length] = 0;
	return buffer;
}

static int is_ours(int at, const char *path)
{
	char buffer[PATH_MAX];
	return *folder && within(absolute(at, path, buffer));
}

static void die(void)
{
	kill(getpid(), SIGKILL);
	pause();
}

/* Count a call; what is to become of it. */
static int hit(const char *call, int at, const char *path)
{
	char buffer[PATH_MAX], line[PATH_MAX + 64];
	long number = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);

	if (log_file >= 0) {
		int length = snprintf(line, sizeof line, "%ld %s %s\n", number, call,
				      absolute(at, path, buffer));
		if (REAL(write)(log_file, line, length) != length)
			log_file = -1;
	}
	if (mode == NO_SPACE && number >= target)
		return NO_SPACE;
	if (number != target)
		return COUNT;
	if (mode == BEFORE)
		die();
	return mode;
}

static void after(int fate)
{
	if (fate == AFTER || fate == TORN)
		die();
}

#define FAILS(fate) ((fate) == NO_SPACE ? (errno = ENOSPC) : (fate) == BROKEN ? (errno = EIO) : 0)

/* Opening is counted where it makes or empties a file. */
#define CHANGES(flags) ((flags) & (O_CREAT | O_TRUNC))

#define OPEN_AT(name, at, real, ...)                                                               \
	{                                                                                          \
		mode_t permissions = 0;                                                            \
		int fate = COUNT, file;                                                            \
		if (flags & O_CREAT) {                                                             \
			va_list more;                                                              \
			va_start(more, flags);                                                     \
			permissions = va_arg(more, mode_t);                                        \
			va_end(more);                                                              \
		}                                                                                  \
		if (CHANGES(flags) && is_ours(at, path)) {                                         \
			fate = hit("open", at, path);                                              \
			if (FAILS(fate))                                                           \
				return -1;                                                         \
		}                                                                                  \
		file = real(__VA_ARGS__, flags, permissions);                                      \
		after(fate);                                                                       \
		return file;                                                                       \
	}

int open(const char *path, int flags, ...) OPEN_AT(open, AT_FDCWD, REAL(open), path)
int open64(const char *path, int flags, ...) OPEN_AT(open64, AT_FDCWD, REAL(open64), path)
int openat(int at, const char *path, int flags, ...) OPEN_AT(openat, at, REAL(openat), at, path)
int openat64(int at, const char *path, int flags, ...) OPEN_AT(openat64, at, REAL(openat64), at, path)

ssize_t write(int file, const void *bytes, size_t size)
{
	int fate;
	ssize_t written;
	if (!is_ours(file, ""))
		return REAL(write)(file, bytes, size);
	fate = hit("write", file, "");
	if (FAILS(fate))
		return -1;
	written = REAL(write)(file, bytes, fate == TORN ? size / 2 : size);
	after(fate);
	return written;
}

ssize_t writev(int file, const struct iovec *parts, int number)
{
	int fate;
	ssize_t written;
	if (!is_ours(file, ""))
		return REAL(writev)(file, parts, number);
	fate = hit("writev", file, "");
	if (FAILS(fate))
		return -1;
	written = REAL(writev)(file, parts, fate == TORN ? number / 2 : number);
	after(fate);
	return written;
}

#define PWRITE(name, offset_type)                                                                  \
	ssize_t name(int file, const void *bytes, size_t size, offset_type offset)                 \
	{                                                                                          \
		int fate;                                                                          \
		ssize_t written;                                                                   \
		if (!is_ours(file, ""))                                                            \
			return REAL(name)(file, bytes, size, offset);                              \
		fate = hit("pwrite", file, "");                                                    \
		if (FAILS(fate))                                                                   \
			return -1;                                                                 \
		written = REAL(name)(file, bytes, fate == TORN ? size / 2 : size, offset);         \
		after(fate);                                                                       \
		return written;                                                                    \
	}
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

/* A call that gives 0 or −1, counted where it changes `path` at the open folder `at`. */
#define CALL(name, at, path, declared, ...)                                                        \
	int name declared                                                                          \
	{                                                                                          \
		int fate, result;                                                                  \
		if (!is_ours(at, path))                                                            \
			return REAL(name)(__VA_ARGS__);                                            \
		fate = hit(#name, at, path);                                                       \
		if (FAILS(fate))                                                                   \
			return -1;                                                                 \
		result = REAL(name)(__VA_ARGS__);                                                  \
		after(fate);                                                                       \
		return result;                                                                     \
	}

CALL(fsync, file, "", (int file), file)
CALL(fdatasync, file, "", (int file), file)
CALL(ftruncate, file, "", (int file, off_t size), file, size)
CALL(ftruncate64, file, "", (int file, off64_t size), file, size)
CALL(rename, AT_FDCWD, to, (const char *from, const char *to), from, to)
CALL(renameat, at, to, (int from_at, const char *from, int at, const char *to), from_at, from, at, to)
CALL(link, AT_FDCWD, to, (const char *from, const char *to), from, to)
CALL(symlink, AT_FDCWD, path, (const char *told, const char *path), told, path)
CALL(unlink, AT_FDCWD, path, (const char *path), path)
CALL(unlinkat, at, path, (int at, const char *path, int flags), at, path, flags)
CALL(rmdir, AT_FDCWD, path, (const char *path), path)
CALL(mkdir, AT_FDCWD, path, (const char *path, mode_t permissions), path, permissions)
CALL(mkdirat, at, path, (int at, const char *path, mode_t permissions), at, path, permissions)
