/*
 * store/import_wake.c
 *	  Who waits for imports is told of their ends; the launcher, of what is due.
 */
#include "postgres.h"

#include "base/wait.h"
#include "store/import_wake.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/condition_variable.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/timestamp.h"

/* Databases with something due; what finds no room is found by the launcher's own rounds. */
#define DUE_DATABASES 64

/* Between two looks of who waits where nothing wakes him. */
#define POLL_MS 50

typedef struct Due
{
	Oid database;
	TimestampTz at; /* DT_NOEND: at none that is known */
	bool wants[GC_WANTS];
} Due;

typedef struct Wake
{
	GcSharedHead head;
	ConditionVariable changed;
	Latch *launcher; /* NULL: there is none */
	int due_count;
	Due due[DUE_DATABASES];
} Wake;

static Size
wake_size(void)
{
	return sizeof(Wake);
}

static void
wake_setup(void *memory)
{
	ConditionVariableInit(&((Wake *) memory)->changed);
}

GcSharedPart gc_import_wake_part = {"gc_fdw imports", wake_size, wake_setup, NULL};

/* What is to be woken when the transaction is committed; NULL: nobody. */
static Wake *to_wake = NULL;

/* The same, for a worker that could not be started for it. */
static Wake *to_start = NULL;

static Wake *
wake_get(void)
{
	return gc_shared_get(&gc_import_wake_part);
}

/* ---- ends ---- */

void
gc_import_changed(void)
{
	if (gc_shared_is_shared())
		to_wake = wake_get();
}

void
gc_import_wait_begin(void)
{
	if (gc_shared_is_shared())
		ConditionVariablePrepareToSleep(&wake_get()->changed);
}

void
gc_import_wait(long timeout_ms)
{
	CHECK_FOR_INTERRUPTS();
	if (gc_shared_is_shared())
	{
		(void) ConditionVariableTimedSleep(&wake_get()->changed, timeout_ms,
										   gc_wait_event(GC_WAIT_IMPORT));
		return;
	}
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 Min(timeout_ms, POLL_MS), gc_wait_event(GC_WAIT_IMPORT));
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

void
gc_import_wait_end(void)
{
	(void) ConditionVariableCancelSleep();
}

/* ---- what is due ---- */

/* Its entry; NULL: there is none.  The part is locked. */
static Due *
find_due(Wake *wake, Oid database)
{
	for (int i = 0; i < wake->due_count; i++)
		if (wake->due[i].database == database)
			return &wake->due[i];
	return NULL;
}

/* The same, made if need be; NULL: there is no room. */
static Due *
make_due(Wake *wake, Oid database)
{
	Due *due = find_due(wake, database);

	if (due == NULL && wake->due_count < DUE_DATABASES)
	{
		due = &wake->due[wake->due_count++];
		*due = (Due){.database = database, .at = DT_NOEND};
	}
	return due;
}

/* A latch may be set by anybody, at any time. */
static void
wake_launcher(const Wake *wake)
{
	Latch *launcher = wake->launcher;

	if (launcher)
		SetLatch(launcher);
}

void
gc_import_set_due(Oid database, TimestampTz at)
{
	Wake *wake;
	Due *due;

	if (!gc_shared_is_shared())
		return;
	wake = wake_get();
	gc_shared_lock(&gc_import_wake_part, LW_EXCLUSIVE);
	due = make_due(wake, database);
	if (due)
		due->at = Min(due->at, at);
	wake_launcher(wake);
	gc_shared_unlock(&gc_import_wake_part);
}

void
gc_import_set_due_at_commit(void)
{
	if (gc_shared_is_shared())
		to_start = wake_get();
}

void
gc_import_want(GcImportWant what)
{
	Wake *wake;
	Due *due;

	if (!gc_shared_is_shared())
		return;
	wake = wake_get();
	gc_shared_lock(&gc_import_wake_part, LW_EXCLUSIVE);
	due = make_due(wake, MyDatabaseId);
	if (due)
		due->wants[what] = true;
	gc_shared_unlock(&gc_import_wake_part);
}

void
gc_import_freed(GcImportWant what)
{
	Wake *wake;
	bool any = false;

	if (!gc_shared_is_shared())
		return;
	wake = wake_get();
	gc_shared_lock(&gc_import_wake_part, LW_EXCLUSIVE);
	for (int i = 0; i < wake->due_count; i++)
		if (wake->due[i].wants[what])
		{
			wake->due[i].wants[what] = false;
			wake->due[i].at = Min(wake->due[i].at, GetCurrentTimestamp());
			any = true;
		}
	if (any)
		wake_launcher(wake);
	gc_shared_unlock(&gc_import_wake_part);
}

/* ---- the launcher ---- */

static void
set_launcher(Latch *latch)
{
	Wake *wake = wake_get();

	gc_shared_lock(&gc_import_wake_part, LW_EXCLUSIVE);
	wake->launcher = latch;
	gc_shared_unlock(&gc_import_wake_part);
}

static void
launcher_ends(int code, Datum arg)
{
	set_launcher(NULL);
}

void
gc_import_launcher_begin(void)
{
	before_shmem_exit(launcher_ends, (Datum) 0);
	set_launcher(MyLatch);
}

TimestampTz
gc_import_take_due(Oid database, TimestampTz now)
{
	Wake *wake = wake_get();
	TimestampTz at = DT_NOEND;
	Due *due;

	gc_shared_lock(&gc_import_wake_part, LW_EXCLUSIVE);
	due = find_due(wake, database);
	if (due)
		at = due->at;
	if (due && at <= now)
		*due = wake->due[--wake->due_count];
	gc_shared_unlock(&gc_import_wake_part);
	return at;
}

void
gc_import_forget_due(void)
{
	Wake *wake = wake_get();

	gc_shared_lock(&gc_import_wake_part, LW_EXCLUSIVE);
	wake->due_count = 0;
	gc_shared_unlock(&gc_import_wake_part);
}

/* ---- the end of the transaction ---- */

/* By then it is over for everybody else, too.  Nothing may throw. */
static void
on_xact(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT && to_wake)
		ConditionVariableBroadcast(&to_wake->changed);
	if (event == XACT_EVENT_COMMIT && to_start)
		gc_import_set_due(MyDatabaseId, GetCurrentTimestamp());
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		to_wake = to_start = NULL;
}

void
gc_import_wake_init(void)
{
	RegisterXactCallback(on_xact, NULL);
}
