/*
 * worker/launcher.c
 *	  Starts workers for imports that nobody else starts one for (DESIGN 4.6).
 *
 * One process, with shared_preload_libraries.  It sleeps until something is due in one of
 * gc_fdw.databases: an import to be tried again, or one that a worker has left behind or
 * could not be had for.  All of them are served when it starts, which adopts what a
 * crash left, and every five minutes, in case that something was not told.
 */
#include "postgres.h"

#include "base/wait.h"
#include "store/import_wake.h"
#include "store/job.h"
#include "worker/launcher.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#define ROUND_MS (5 * 60 * 1000)

/* Where no worker could be started. */
#define AGAIN_MS 10000

char *gc_launcher_databases = "";

#pragma GCC visibility push(default)
extern void gc_fdw_launcher_main(Datum arg);
#pragma GCC visibility pop

bool
gc_launcher_check_databases(char **newval, void **extra, GucSource source)
{
	List *names;
	bool valid = SplitIdentifierString(pstrdup(*newval), ',', &names);

	if (!valid)
		GUC_check_errdetail("List syntax is invalid.");
	return valid;
}

/*
 * InvalidOid: there is none.  Without a database of its own a process may have no index to
 * look it up by, so all are read, as the launcher of autovacuum does.
 */
static Oid
find_database(const char *name)
{
	Relation rel = table_open(DatabaseRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	HeapTuple tuple;
	Oid found = InvalidOid;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_database database = (Form_pg_database) GETSTRUCT(tuple);

		if (strcmp(NameStr(database->datname), name) == 0)
			found = database->oid;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/* Starts a worker in the database if that is due; "round": in any case.  When one is next. */
static TimestampTz
serve(const char *name, bool round)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz due;
	Oid database;

	StartTransactionCommand();
	database = find_database(name);
	CommitTransactionCommand();
	if (!OidIsValid(database))
		return DT_NOEND;
	due = gc_import_take_due(database, now);
	if (due > now && !round)
		return due;
	if (gc_job_start_imports(database))
		return DT_NOEND;
	due = TimestampTzPlusMilliseconds(now, AGAIN_MS);
	gc_import_set_due(database, due);
	return due;
}

/* When to do it again. */
static TimestampTz
serve_all(MemoryContext cxt, bool round)
{
	TimestampTz next = DT_NOEND;
	List *names;
	ListCell *lc;

	MemoryContextSwitchTo(cxt);
	(void) SplitIdentifierString(pstrdup(gc_launcher_databases), ',', &names);
	if (round)
		gc_import_forget_due();
	foreach (lc, names)
	{
		TimestampTz due = serve(lfirst(lc), round);

		next = Min(next, due);
	}
	if (names != NIL)
		next = Min(next, TimestampTzPlusMilliseconds(GetCurrentTimestamp(), ROUND_MS));
	MemoryContextSwitchTo(TopMemoryContext);
	MemoryContextReset(cxt);
	return next;
}

static void
sleep_until(TimestampTz due)
{
	int events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH;
	long ms = -1;

	if (due != DT_NOEND)
	{
		events |= WL_TIMEOUT;
		ms = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), due) + 1;
	}
	(void) WaitLatch(MyLatch, events, ms, gc_wait_event(GC_WAIT_LAUNCH));
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

void
gc_fdw_launcher_main(Datum arg)
{
	MemoryContext cxt;
	TimestampTz last_round = 0;

	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	gc_import_launcher_begin();
	cxt = AllocSetContextCreate(TopMemoryContext, "gc_fdw launcher", ALLOCSET_DEFAULT_SIZES);
	for (;;)
	{
		bool round = TimestampDifferenceExceeds(last_round, GetCurrentTimestamp(), ROUND_MS);

		if (round)
			last_round = GetCurrentTimestamp();
		sleep_until(serve_all(cxt, round));
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
			last_round = 0;
		}
	}
}

void
gc_launcher_init(void)
{
	BackgroundWorker worker = {
		.bgw_name = "gc_fdw launcher",
		.bgw_type = "gc_fdw launcher",
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = 10,
		.bgw_library_name = "gc_fdw",
		.bgw_function_name = "gc_fdw_launcher_main",
	};

	if (process_shared_preload_libraries_in_progress)
		RegisterBackgroundWorker(&worker);
}
