/*
 * worker/imports.c
 *	  Workers that send imports (DESIGN 4.6).
 *
 * A worker takes a place, of which there are gc_fdw.max_workers, and then one import
 * after another whose list nobody else is sending to, oldest first.  Whoever submits an
 * import starts one; if all places are taken, or the list is, it has nothing to do and
 * leaves: those who hold them look again when they have let go.
 */
#include "postgres.h"

#include "base/wait.h"
#include "store/import_end.h"
#include "store/import_lock.h"
#include "store/import_wake.h"
#include "store/imports.h"
#include "worker/imports.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
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

/* This process has imports to see to. */
static bool serving = false;

static void (*run_import)(int64 id) = NULL;
static bool (*run_task)(void) = NULL;

void
gc_imports_init(void (*run)(int64 id), bool (*task)(void))
{
	run_import = run;
	run_task = task;
}

static void
wait_for(TransactionId xid)
{
	if (!TransactionIdIsValid(xid))
		return;
	StartTransactionCommand();
	XactLockTableWait(xid, NULL, NULL, XLTW_None);
	CommitTransactionCommand();
}

/* The oldest import that can be sent, whose list is ours now; NULL: there is none.  In "cxt". */
static GcImport *
take_next(MemoryContext cxt)
{
	GcImport *found = NULL;
	ListCell *lc;

	StartTransactionCommand();
	MemoryContextSwitchTo(cxt);
	foreach (lc, gc_import_waiting())
	{
		GcImport *import = gc_import_read(*(int64 *) lfirst(lc));

		if (import && gc_lock_list(import->list_id))
		{
			found = import;
			break;
		}
	}
	CommitTransactionCommand();
	MemoryContextSwitchTo(TopMemoryContext);
	return found;
}

/* Sends all that can be sent; false: there was nothing. */
static bool
send_waiting(MemoryContext cxt)
{
	bool any = false;
	GcImport *import;

	while ((import = take_next(cxt)) != NULL)
	{
		any = true;
		run_import(import->id);
		gc_unlock_list(import->list_id);
		MemoryContextReset(cxt);
		CHECK_FOR_INTERRUPTS();
	}
	return any;
}

/* ---- what is done after imports ---- */

/* Does all that is due; when there is more, DT_NOEND if there is none. */
static TimestampTz
do_tasks(void)
{
	TimestampTz next;

	while (run_task())
		CHECK_FOR_INTERRUPTS();
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
			CHECK_FOR_INTERRUPTS();
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
	if (serving)
		gc_import_set_due(MyDatabaseId,
						  TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													  code == 0 ? FAILED_MS : STOPPED_MS));
}

void
gc_imports_serve(TransactionId xid)
{
	MemoryContext cxt =
		AllocSetContextCreate(TopMemoryContext, "gc_fdw imports", ALLOCSET_DEFAULT_SIZES);
	bool any;

	serving = true;
	before_shmem_exit(leave_rest, (Datum) 0);
	wait_for(xid);
	/* Before imports, which may take hours, and without a place, which they need. */
	(void) do_tasks();
	/* Who came meanwhile and found no place is served by whoever gives one up. */
	do
	{
		int place = gc_lock_place(gc_max_workers);

		if (place < 0)
			break;
		any = send_waiting(cxt);
		gc_unlock_place(place);
	} while (any);
	MemoryContextDelete(cxt);
	drop_payloads();
	serve_tasks();
	tell_launcher();
	serving = false;
}
