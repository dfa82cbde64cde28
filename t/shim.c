/*
 * t/shim.c
 *	  What a test cannot have otherwise: a name server that does not answer, and a
 *	  time of day that jumps.
 *
 * Loaded into a server by LD_PRELOAD.  Names that end in ".stall.test" are looked
 * up for as long as there is a file of the name that GC_SHIM_STALL gives; the time
 * of day is off by the seconds that the file named by GC_SHIM_CLOCK holds, as a
 * native 64-bit number.  That file is mapped, so whoever writes to it moves the time
 * at once.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
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
