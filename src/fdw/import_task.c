/*
 * fdw/import_task.c
 *	  What is done when an import has ended: its campaign, its webhook.
 *
 * A task is taken for a while, which is committed, then done in a transaction that ends
 * with what became of it.  Whoever dies meanwhile leaves it to the next one: a webhook is
 * told at least once, and a campaign is looked at before it is changed.
 */
#include "postgres.h"

#include "api/campaign_restart.h"
#include "fdw/import_task.h"
#include "fdw/webhook.h"
#include "store/import_end.h"
#include "store/imports.h"

#include "access/xact.h"
#include "common/pg_prng.h"
#include "foreign/foreign.h"
#include "utils/acl.h"
#include "utils/memutils.h"

/*
 * In seconds.  Longer than a webhook takes; a campaign that waits longer, for the quota, is
 * looked at twice.
 */
#define LEASE 60

/* From one attempt to the next: 1 s, doubling, up to an hour, a random half of it less. */
#define MAX_PAUSE	 3600.0
#define MAX_ATTEMPTS 24

static void
restart_campaign(GcConnection *conn, const GcImport *import)
{
	GcStat stat = {0};
	int64 spent = 0;
	GcCalls *calls;

	stat.spent = &spent;
	calls = gc_calls_open(conn, &stat);
	gc_campaign_restart(calls, import->campaign_id, import->list_id);
	gc_calls_close(calls);
}

static void
do_task(const GcTask *task)
{
	const GcImport *import = gc_import_read(task->import_id);
	GcConnection *conn;

	if (import == NULL)
		return;
	conn = gc_connection_get(get_role_oid(import->run_as, false),
							 GetForeignServerByName(import->server, false)->serverid);
	if (strcmp(task->name, "campaign") == 0)
		restart_campaign(conn, import);
	else
		gc_webhook_send(conn, import);
	gc_task_done(task);
}

static double
pause_after(int attempts)
{
	double pause = Min(MAX_PAUSE, (double) (INT64CONST(1) << Min(attempts - 1, 20)));

	if (attempts >= MAX_ATTEMPTS)
		return -1;
	return pause * (0.5 + pg_prng_double(&pg_global_prng_state) / 2);
}

/* What went wrong is the reason that is shown. */
static void
note_failure(const GcTask *task, MemoryContext cxt)
{
	ErrorData *error;

	MemoryContextSwitchTo(cxt);
	error = CopyErrorData();
	FlushErrorState();
	AbortOutOfAnyTransaction();
	ereport(LOG,
			(errcode(error->sqlerrcode), errmsg("gc_fdw worker: import " INT64_FORMAT ": %s",
												task->import_id, error->message)));
	StartTransactionCommand();
	gc_task_failed(task,
				   error->detail ? psprintf("%s: %s", error->message, error->detail)
								 : error->message,
				   pause_after(task->attempts));
	CommitTransactionCommand();
}

static GcTask *
take(MemoryContext cxt)
{
	GcTask *task;

	StartTransactionCommand();
	MemoryContextSwitchTo(cxt);
	task = gc_task_take(LEASE);
	CommitTransactionCommand();
	return task;
}

bool
gc_import_task_run(void)
{
	MemoryContext cxt =
		AllocSetContextCreate(TopMemoryContext, "gc_fdw import task", ALLOCSET_DEFAULT_SIZES);
	GcTask *task = take(cxt);
	bool found = task != NULL;

	if (task)
	{
		PG_TRY();
		{
			StartTransactionCommand();
			do_task(task);
			CommitTransactionCommand();
		}
		PG_CATCH();
		{
			note_failure(task, cxt);
		}
		PG_END_TRY();
	}
	MemoryContextSwitchTo(TopMemoryContext);
	MemoryContextDelete(cxt);
	return found;
}
