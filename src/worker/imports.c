/*
 * worker/imports.c
 *	  Workers that send imports (DESIGN 4.6).
 *
 * A worker takes a place, of which there are gc_fdw.max_workers, and then one import
 * after another whose list nobody else is sending to, oldest first.  Whoever submits an
 * import starts one, and it starts another one where there is more to do.  If all places
 * are taken, or the list is, it has nothing to do and leaves: those who hold them look again
 * when they have let go, and those of other databases tell the launcher.
 */
#include "postgres.h"

#include "base/wait.h"
#include "store/import_end.h"
#include "store/import_lock.h"
#include "store/import_wake.h"
#include "store/imports.h"
#include "store/job.h"
#include "worker/imports.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

int gc_max_workers = 4;

/* A worker stays for a task that is to be tried again so soon: in seconds … */
#define STAY_FOR 60

/* … and looks so often for what others have left, in milliseconds. */
#define LOOK_MS 10000

/* After a worker that was ended with work left, or could not go on. */
#define STOPPED_MS 10000
#define FAILED_MS  60000

/* This process has imports of that database to see to; InvalidOid: not any more. */
static Oid serving = InvalidOid;

/* It has started another one, to help. */
static bool has_help = false;

static void (*run_import)(int64 id) = NULL;
static bool (*run_task)(void) = NULL;

void
gc_imports_init(void (*run)(int64 id), bool (*task)(void))
{
	run_import = run;
	run_task = task;
}

/* What an administrator has changed holds from the next import, or task, on. */
static void
see_to_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
}

/* It may take its time: its COMMIT may be what sends a spool. */
static void
wait_for(TransactionId xid)
{
	if (!TransactionIdIsValid(xid))
		return;
	StartTransactionCommand();
	(void) set_config_option("lock_timeout", "0", PGC_SUSET, PGC_S_SESSION, GUC_ACTION_LOCAL,
							 true, 0, false);
	XactLockTableWait(xid, NULL, NULL, XLTW_None);
	CommitTransactionCommand();
}

/* ---- imports ---- */

/* More than one list is waited for: other workers may have a place. */
static void
get_help(const List *waiting, const GcImportWaiting *taken)
{
	ListCell *lc;

	foreach (lc, waiting)
	{
		const GcImportWaiting *other = lfirst(lc);

		if (!has_help && strcmp(other->list_id, taken->list_id) != 0)
			has_help = gc_job_start_imports(MyDatabaseId);
	}
}

/*
 * The oldest import that can be sent, whose list is ours now; NULL: there is none.  In "cxt".
 * "taken": there are some whose lists others have.
 */
static GcImportWaiting *
try_next(MemoryContext cxt, bool *taken)
{
	GcImportWaiting *found = NULL;
	List *waiting;
	ListCell *lc;

	*taken = false;
	StartTransactionCommand();
	MemoryContextSwitchTo(cxt);
	waiting = gc_import_waiting();
	foreach (lc, waiting)
	{
		GcImportWaiting *import = lfirst(lc);

		if (gc_lock_list(import->list_id))
		{
			found = import;
			break;
		}
		*taken = true;
	}
	if (found)
		get_help(waiting, found);
	CommitTransactionCommand();
	MemoryContextSwitchTo(TopMemoryContext);
	return found;
}

/* The same; whoever has a list tells when he lets go of it, if he knows by then. */
static GcImportWaiting *
take_next(MemoryContext cxt)
{
	bool taken;
	GcImportWaiting *found = try_next(cxt, &taken);

	if (found || !taken)
		return found;
	gc_import_want(GC_WANT_LIST);
	return try_next(cxt, &taken);
}

static void
let_go(const GcImportWaiting *import)
{
	gc_unlock_list(import->list_id);
	gc_import_freed(GC_WANT_LIST);
}

/* Sends all that can be sent. */
static void
send_waiting(MemoryContext cxt)
{
	GcImportWaiting *import;

	while ((import = take_next(cxt)) != NULL)
	{
		run_import(import->id);
		let_go(import);
		MemoryContextReset(cxt);
		see_to_interrupts();
	}
}

/* -1: all are taken, and whoever has one tells when he lets go of it. */
static int
take_place(void)
{
	int place = gc_lock_place(gc_max_workers);

	if (place >= 0)
		return place;
	gc_import_want(GC_WANT_PLACE);
	return gc_lock_place(gc_max_workers);
}

/* Is there anything that somebody has left to us, since we had the place? */
static bool
has_more(MemoryContext cxt)
{
	bool taken;
	GcImportWaiting *import = try_next(cxt, &taken);

	if (import)
		let_go(import);
	MemoryContextReset(cxt);
	return import != NULL;
}

static void
send_imports(void)
{
	MemoryContext cxt =
		AllocSetContextCreate(TopMemoryContext, "gc_fdw imports", ALLOCSET_DEFAULT_SIZES);

	do
	{
		int place = take_place();

		if (place < 0)
			break;
		send_waiting(cxt);
		gc_unlock_place(place);
		gc_import_freed(GC_WANT_PLACE);
	} while (has_more(cxt));
	MemoryContextDelete(cxt);
}

/* ---- what is done after imports ---- */

/* Does all that is due; when there is more, DT_NOEND if there is none. */
static TimestampTz
do_tasks(void)
{
	TimestampTz next;

	do
		see_to_interrupts();
	while (run_task());
	StartTransactionCommand();
	next = gc_task_next();
	CommitTransactionCommand();
	return next;
}

static bool
is_soon(TimestampTz moment)
{
	return moment != DT_NOEND &&
		   !TimestampDifferenceExceeds(GetCurrentTimestamp(), moment, STAY_FOR * 1000);
}

/*
 * One worker stays for what has failed and is tried again soon.  Later ones are for who comes
 * by: the next import's worker, the launcher, or resume_imports().
 */
static void
serve_tasks(void)
{
	TimestampTz next = do_tasks();

	while (is_soon(next) && gc_lock_tasks())
	{
		for (next = do_tasks(); is_soon(next); next = do_tasks())
		{
			long wait = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), next);

			(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
							 Min(wait + 1, LOOK_MS), gc_wait_event(GC_WAIT_BACKOFF));
			ResetLatch(MyLatch);
			see_to_interrupts();
		}
		gc_unlock_tasks();
		/* Somebody may have found it locked a moment ago. */
		next = do_tasks();
	}
}

static void
drop_payloads(void)
{
	StartTransactionCommand();
	gc_import_drop_payloads();
	CommitTransactionCommand();
}

/* A launcher, if there is one, starts a worker when something is to be tried again. */
static void
tell_launcher(void)
{
	TimestampTz import;
	TimestampTz task;

	StartTransactionCommand();
	import = gc_import_next_due();
	task = gc_task_next();
	CommitTransactionCommand();
	if (import != 0)
		gc_import_set_due(MyDatabaseId, import);
	if (task != DT_NOEND)
		gc_import_set_due(MyDatabaseId, task);
}

/* It ends with work left: somebody else is to take it up, but not in a circle. */
static void
leave_rest(int code, Datum arg)
{
	if (OidIsValid(serving))
		gc_import_set_due(serving,
						  TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													  code == 0 ? FAILED_MS : STOPPED_MS));
}

void
gc_imports_expect(Oid database)
{
	serving = database;
	before_shmem_exit(leave_rest, (Datum) 0);
}

void
gc_imports_expect_none(void)
{
	serving = InvalidOid;
}

void
gc_imports_serve(TransactionId xid)
{
	wait_for(xid);
	/* Before imports, which may take hours, and without a place, which they need. */
	(void) do_tasks();
	send_imports();
	drop_payloads();
	serve_tasks();
	tell_launcher();
	gc_imports_expect_none();
}
