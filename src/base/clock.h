/*
 * base/clock.h
 *	  A clock that only goes forward, for waits and deadlines.
 *
 * Not the time of day: when an administrator or NTP sets that back by an hour,
 * no quota may be closed for an hour.  One clock for all processes of a
 * machine, so its moments can be kept in shared memory (but not on disk).
 */
#ifndef GC_BASE_CLOCK_H
#define GC_BASE_CLOCK_H

#include "postgres.h"

#include <time.h>

#include "datatype/timestamp.h"
#include "utils/timestamp.h"

/* A moment, in microseconds; 0 is none. */
typedef int64 GcTime;

static inline GcTime
gc_clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * USECS_PER_SEC + now.tv_nsec / 1000;
}

/* The time of day of a moment, as things are now. */
static inline TimestampTz
gc_clock_of_day(GcTime moment)
{
	return GetCurrentTimestamp() + (moment - gc_clock_now());
}

#endif /* GC_BASE_CLOCK_H */
