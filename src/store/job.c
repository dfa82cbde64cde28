/*
 * store/job.c
 *	  Work for a background worker (worker/worker.c).
 */
#include "postgres.h"

#include "store/job.h"

#include "miscadmin.h"

StaticAssertDecl(sizeof(GcJob) <= BGW_EXTRALEN, "a job does not fit into bgw_extra");

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

bool
gc_job_start_imports(Oid database, TransactionId xid)
{
	GcJob job = {.kind = GC_JOB_IMPORTS, .database = database, .xid = xid};

	return start(&job, false, NULL);
}

GcJob
gc_job_mine(void)
{
	GcJob job;

	memcpy(&job, MyBgworkerEntry->bgw_extra, sizeof(job));
	return job;
}
