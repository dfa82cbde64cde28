/*
 * worker/worker.c
 *	  The background worker: writes what must outlive somebody else's ROLLBACK, and sends imports.
 *
 * Started for one job (store/job.h), in one database, and gone when that is
 * done.  It runs as the bootstrap superuser, writes as the owner of the tables,
 * and runs no SQL of users.
 *
 * It can never take the server down: whatever goes wrong is logged and ends this
 * process, as a database or an extension that is gone meanwhile does.  SIGTERM
 * is a flag, which is served between rows and while it waits; the job's own exit
 * callback then says what was not written.
 */
#include "postgres.h"

#include "store/audit_entry.h"
#include "store/contact_audit.h"
#include "store/job.h"
#include "store/stream.h"
#include "worker/imports.h"

#include "access/xact.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/* Nobody waits for a lock for ever: workers are few. */
#define LOCK_TIMEOUT "1min"

#pragma GCC visibility push(default)
extern void gc_fdw_worker_main(Datum arg);
#pragma GCC visibility pop

/* Those that come in a segment. */
static const struct
{
	void (*take)(dsm_segment *segment);	   /* before there is a database */
	void (*receive)(dsm_segment *segment); /* in it */
} jobs[] = {
	[GC_JOB_AUDIT] = {gc_audit_entry_take, gc_audit_entry_receive},
	[GC_JOB_STREAM] = {gc_stream_take, gc_stream_receive},
	[GC_JOB_CHANGES] = {gc_contact_audit_take, gc_contact_audit_receive},
};

/* The job's segment; NULL: whoever made it has ended. */
static dsm_segment *
attach(const GcJob *job)
{
	dsm_segment *segment;

	CurrentResourceOwner = ResourceOwnerCreate(NULL, "gc_fdw worker");
	segment = dsm_attach(job->segment);
	if (segment)
		dsm_pin_mapping(segment);
	return segment;
}

/* Whatever the database has for its sessions. */
static void
set_defaults(void)
{
	SetConfigOption("lock_timeout", LOCK_TIMEOUT, PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_isolation", "read committed", PGC_SUSET,
					PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_read_only", "off", PGC_SUSET, PGC_S_OVERRIDE);
	/* An error is what an import is paused with. */
	SetConfigOption("exit_on_error", "off", PGC_SUSET, PGC_S_OVERRIDE);
	/* From 17 on. */
	if (GetConfigOption("transaction_timeout", true, false) != NULL)
		SetConfigOption("transaction_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
	/* That a part is about to be sent has to be known after a crash. */
	if (synchronous_commit == SYNCHRONOUS_COMMIT_OFF)
		SetConfigOption("synchronous_commit", "on", PGC_SUSET, PGC_S_OVERRIDE);
}

static bool
extension_exists(void)
{
	bool exists;

	StartTransactionCommand();
	exists = OidIsValid(get_extension_oid("gc_fdw", true));
	CommitTransactionCommand();
	return exists;
}

static void
log_error(void)
{
	ErrorData *error;

	MemoryContextSwitchTo(TopMemoryContext);
	error = CopyErrorData();
	FlushErrorState();
	AbortOutOfAnyTransaction();
	/* Not the detail: it may have the row, and that cells. */
	ereport(LOG, (errcode(error->sqlerrcode), errmsg("gc_fdw worker: %s", error->message)));
}

void
gc_fdw_worker_main(Datum arg)
{
	GcJob job = gc_job_mine();
	dsm_segment *segment = NULL;

	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	if (job.kind != GC_JOB_IMPORTS)
	{
		segment = attach(&job);
		if (segment == NULL)
			return;
		jobs[job.kind].take(segment);
	}
	else
		gc_imports_expect(job.database);
	BackgroundWorkerInitializeConnectionByOid(job.database, InvalidOid,
											  BGWORKER_BYPASS_ALLOWCONN);
	set_defaults();
	PG_TRY();
	{
		if (!extension_exists())
		{
			gc_imports_expect_none();
			ereport(job.kind == GC_JOB_IMPORTS ? DEBUG1 : LOG,
					(errmsg("gc_fdw worker: there is no extension gc_fdw any more")));
		}
		else if (job.kind == GC_JOB_IMPORTS)
			gc_imports_serve(job.xid);
		else
			jobs[job.kind].receive(segment);
	}
	PG_CATCH();
	{
		log_error();
	}
	PG_END_TRY();
}
