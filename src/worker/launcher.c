/*
 * worker/launcher.c
 *	  Starts workers for imports that nobody else starts one for (DESIGN 4.6).
 *
 * One process, with shared_preload_libraries.  It looks every ten seconds, in shared
 * memory alone, for databases of gc_fdw.databases in which something is due: an import
 * to be tried again, or one that a worker has left behind.  All of them are served when
 * it starts, which adopts what a crash left, and every five minutes.
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

#define LOOK_MS	 10000
#define ROUND_MS (5 * 60 * 1000)

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

/* Starts a worker in the database if that is due; "round": in any case. */
static void
serve(const char *name, bool round)
{
	TimestampTz now = GetCurrentTimestamp();
	Oid database;

	StartTransactionCommand();
	database = find_database(name);
	CommitTransactionCommand();
	if (!OidIsValid(database))
		return;
	if ((gc_import_take_due(database, now) || round) && !gc_job_start_imports(database))
		gc_import_set_due(database, now);
}

/* False: there is no database to serve. */
static bool
serve_all(MemoryContext cxt, bool round)
{
	List *names;
	ListCell *lc;

	MemoryContextSwitchTo(cxt);
	(void) SplitIdentifierString(pstrdup(gc_launcher_databases), ',', &names);
	foreach (lc, names)
		serve(lfirst(lc), round);
	MemoryContextSwitchTo(TopMemoryContext);
	MemoryContextReset(cxt);
	return names != NIL;
}

static void
sleep_until_due(bool any)
{
	int events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (any ? WL_TIMEOUT : 0);

	(void) WaitLatch(MyLatch, events, any ? LOOK_MS : -1L, gc_wait_event(GC_WAIT_LAUNCH));
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
	cxt = AllocSetContextCreate(TopMemoryContext, "gc_fdw launcher", ALLOCSET_DEFAULT_SIZES);
	for (;;)
	{
		bool round = TimestampDifferenceExceeds(last_round, GetCurrentTimestamp(), ROUND_MS);

		if (round)
			last_round = GetCurrentTimestamp();
		sleep_until_due(serve_all(cxt, round));
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
