/*
 * store/job.h
 *	  Work for a background worker (worker/worker.c).
 *
 * A job comes in a segment of dynamic shared memory, or is to see to the imports of
 * the database.  Workers are dynamic ones, started when they are needed; there may
 * be none to be had (max_worker_processes), which is for the caller to bear.
 */
#ifndef GC_STORE_JOB_H
#define GC_STORE_JOB_H

#include "postgres.h"

#include "postmaster/bgworker.h"
#include "storage/dsm.h"

typedef enum GcJobKind
{
	GC_JOB_AUDIT,	/* store/audit_entry.h */
	GC_JOB_STREAM,	/* store/stream.h */
	GC_JOB_CHANGES, /* store/contact_audit.h */
	GC_JOB_IMPORTS, /* worker/imports.h */
} GcJobKind;

/* What the worker is told at its start. */
typedef struct GcJob
{
	GcJobKind kind;
	Oid database;
	dsm_handle segment; /* but for GC_JOB_IMPORTS */
	TransactionId xid;	/* GC_JOB_IMPORTS: it begins when that one has ended; 0: at once */
} GcJob;

/*
 * Starts a worker for a job in the current database.  False: there is no room
 * for one.  With "notify" this backend's latch is set when it starts and ends.
 * Does not throw, so it may be called while a transaction aborts.
 */
extern bool gc_job_start(GcJobKind kind, dsm_segment *segment, bool notify,
						 BackgroundWorkerHandle **handle);

/* The same for the imports of a database, at once. */
extern bool gc_job_start_imports(Oid database);

/*
 * When this transaction is committed a worker sees to the imports of the database.  With
 * none to be had a NOTICE says so, and others come to it later.
 */
extern void gc_job_imports_at_commit(void);

/* Registers the transaction callback; once, from _PG_init. */
extern void gc_job_init(void);

/* The job that this worker was started for. */
extern GcJob gc_job_mine(void);

#endif /* GC_STORE_JOB_H */
