/*
 * base/wait.h
 *	  What a backend waits for, as pg_stat_activity shows it.
 *
 * Custom wait events from PostgreSQL 17 on; "Extension" before.
 */
#ifndef GC_BASE_WAIT_H
#define GC_BASE_WAIT_H

#include "postgres.h"

typedef enum GcWait
{
	GC_WAIT_HTTP,	 /* GcFdwHttp: an answer */
	GC_WAIT_QUOTA,	 /* GcFdwRateLimit: its turn */
	GC_WAIT_BACKOFF, /* GcFdwRetryBackoff: the next attempt */
	GC_WAIT_TOKEN,	 /* GcFdwToken: an access token */
	GC_WAIT_LAG,	 /* GcFdwReadLag: for a search to show what was written */
	GC_WAIT_WORKER,	 /* GcFdwWorker: a background worker, for rejected rows */
	GC_WAIT_IMPORT,	 /* GcFdwImport: the end of an import */
	GC_WAIT_LAUNCH,	 /* GcFdwLauncher: for something to be due */
} GcWait;

/* The event, as the server's wait functions take it. */
extern uint32 gc_wait_event(GcWait wait);

#endif /* GC_BASE_WAIT_H */
