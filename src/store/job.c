/*
 * store/job.c
 *	  Work for a background worker (worker/worker.c).
 */
#include "postgres.h"

#include "store/import_wake.h"
#include "store/job.h"

#include "access/xact.h"
#include "miscadmin.h"

StaticAssertDecl(sizeof(GcJob) <= BGW_EXTRALEN, "a job does not fit into bgw_extra");

/* The transaction has something for a worker that sends imports. */
static bool at_commit = false;

static bool
start(const GcJob *job, bool notify, BackgroundWorkerHandle **handle)
{
	BackgroundWorker worker = {
		.bgw_name = "gc_fdw worker",
		.bgw_type = "gc_fdw worker",
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = BGW_NEVER_RESTART,
		.bgw_library_name = "gc_fdw",
		.bgw_function_name = "gc_fdw_worker_main",
		.bgw_notify_pid = notify ? MyProcPid : 0,
	};

	memcpy(worker.bgw_extra, job, sizeof(*job));
	return RegisterDynamicBackgroundWorker(&worker, handle);
}

bool
gc_job_start(GcJobKind kind, dsm_segment *segment, bool notify,
			 BackgroundWorkerHandle **handle)
{
	GcJob job = {kind, MyDatabaseId, dsm_segment_handle(segment)};

	return start(&job, notify, handle);
}

static bool
start_imports(Oid database, TransactionId xid)
{
	GcJob job = {.kind = GC_JOB_IMPORTS, .database = database, .xid = xid};

	return start(&job, false, NULL);
}

bool
gc_job_start_imports(Oid database)
{
	return start_imports(database, InvalidTransactionId);
}

void
gc_job_imports_at_commit(void)
{
	at_commit = true;
}

/*
 * The worker waits for the transaction to end, and leaves if there is nothing to send: a
 * start can fail, which after the commit would be too late.
 */
static void
on_xact(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_PREPARE && at_commit)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("cannot PREPARE a transaction that has submitted an import"),
						errdetail("Nobody would send it at COMMIT PREPARED.")));
	if (event == XACT_EVENT_PRE_COMMIT && at_commit &&
		!start_imports(MyDatabaseId, GetTopTransactionId()))
	{
		gc_import_set_due_at_commit();
		ereport(NOTICE, (errmsg("no background worker could be started for an import"),
						 errhint("You may need to increase \"max_worker_processes\".")));
	}
	if (event != XACT_EVENT_PARALLEL_PRE_COMMIT && event != XACT_EVENT_PRE_PREPARE)
		at_commit = false;
}

void
gc_job_init(void)
{
	RegisterXactCallback(on_xact, NULL);
}

GcJob
gc_job_mine(void)
{
	GcJob job;

	memcpy(&job, MyBgworkerEntry->bgw_extra, sizeof(job));
	return job;
}
