/*
 * t/shim.c
 *	  What a test cannot have otherwise: a name server that does not answer, a
 *	  time of day that jumps, and a disk that is full.
 *
 * Loaded into a server by LD_PRELOAD.  Names that end in ".stall.test" are looked
 * up for as long as there is a file of the name that GC_SHIM_STALL gives; the time
 * of day is off by the seconds that the file named by GC_SHIM_CLOCK holds, as a
 * native 64-bit number.  That file is mapped, so whoever writes to it moves the time
 * at once.  No table grows for as long as there is a file of the name that
 * GC_SHIM_FULL gives.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define STALLED ".stall.test"

typedef int (*Lookup)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
			struct addrinfo **found)
{
	size_t len = name ? strlen(name) : 0;
	size_t end = strlen(STALLED);
	const char *path = getenv("GC_SHIM_STALL");

	if (len > end && strcmp(name + len - end, STALLED) == 0)
	{
		struct timespec pause = {.tv_nsec = 20 * 1000000};

		while (path && access(path, F_OK) == 0)
			(void) nanosleep(&pause, NULL);
		return EAI_AGAIN;
	}
	return ((Lookup) dlsym(RTLD_NEXT, "getaddrinfo"))(name, service, hints, found);
}

static volatile const int64_t *
map_offset(void)
{
	static const int64_t none = 0;
	const char *path = getenv("GC_SHIM_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *mapped = MAP_FAILED;

	if (fd >= 0)
	{
		mapped = mmap(NULL, sizeof(none), PROT_READ, MAP_SHARED, fd, 0);
		close(fd);
	}
	return mapped == MAP_FAILED ? &none : mapped;
}

static int64_t
offset(void)
{
	static volatile const int64_t *mapped;

	if (mapped == NULL)
		mapped = map_offset();
	return *mapped;
}

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	int rc = (int) syscall(SYS_clock_gettime, clock, now);

	if (rc == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec += offset();
	return rc;
}

int
gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec precise;
	int rc = clock_gettime(CLOCK_REALTIME, &precise);

	(void) zone;
	now->tv_sec = precise.tv_sec;
	now->tv_usec = precise.tv_nsec / 1000;
	return rc;
}

time_t
time(time_t *copy)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_REALTIME, &now);
	if (copy)
		*copy = now.tv_sec;
	return now.tv_sec;
}

/* Would a write up to there make a table's file larger, on a disk that is full? */
static int
is_full(int fd, off64_t end)
{
	const char *full = getenv("GC_SHIM_FULL");
	char link[64];
	char path[PATH_MAX];
	ssize_t len;
	struct stat64 file;

	if (full == NULL || access(full, F_OK) != 0 || fstat64(fd, &file) != 0 ||
		end <= file.st_size)
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	path[len < 0 ? 0 : len] = '\0';
	return strstr(path, "/base/") != NULL;
}

typedef ssize_t (*Write)(int, const void *, size_t, off64_t);
typedef ssize_t (*WriteVector)(int, const struct iovec *, int, off64_t);
typedef int (*Allocate)(int, off64_t, off64_t);

ssize_t
pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	if (is_full(fd, at + (off64_t) len))
	{
		errno = ENOSPC;
		return -1;
	}
	return ((Write) dlsym(RTLD_NEXT, "pwrite64"))(fd, bytes, len, at);
}

ssize_t
pwritev64(int fd, const struct iovec *pieces, int count, off64_t at)
{
	off64_t end = at;

	for (int i = 0; i < count; i++)
		end += (off64_t) pieces[i].iov_len;
	if (is_full(fd, end))
	{
		errno = ENOSPC;
		return -1;
	}
	return ((WriteVector) dlsym(RTLD_NEXT, "pwritev64"))(fd, pieces, count, at);
}

int
posix_fallocate64(int fd, off64_t at, off64_t len)
{
	if (is_full(fd, at + len))
		return ENOSPC;
	return ((Allocate) dlsym(RTLD_NEXT, "posix_fallocate64"))(fd, at, len);
}

/* The same under their other names: off_t has 64 bits where servers are tested. */
ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	return pwrite64(fd, bytes, len, at);
}

ssize_t
pwritev(int fd, const struct iovec *pieces, int count, off_t at)
{
	return pwritev64(fd, pieces, count, at);
}

int
posix_fallocate(int fd, off_t at, off_t len)
{
	return posix_fallocate64(fd, at, len);
}
