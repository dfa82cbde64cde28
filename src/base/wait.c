/*
 * base/wait.c
 *	  What a backend waits for, as pg_stat_activity shows it.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/wait.h"

uint32
gc_wait_event(GcWait wait)
{
	static const char *const names[] = {
		[GC_WAIT_HTTP] = "GcFdwHttp",
		[GC_WAIT_QUOTA] = "GcFdwRateLimit",
		[GC_WAIT_BACKOFF] = "GcFdwRetryBackoff",
		[GC_WAIT_TOKEN] = "GcFdwToken",
		[GC_WAIT_LAG] = "GcFdwReadLag",
		[GC_WAIT_WORKER] = "GcFdwWorker",
		[GC_WAIT_IMPORT] = "GcFdwImport",
		[GC_WAIT_LAUNCH] = "GcFdwLauncher",
	};
	static uint32 events[lengthof(names)];

	if (events[wait] == 0)
		events[wait] = gc_compat_wait_event(names[wait]);
	return events[wait];
}
