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
#include "storage/latch.h"

/* Databases with something due; what finds no room is found by the launcher's own rounds. */
#define DUE_DATABASES 64

/* Between two looks of who waits where nothing wakes him. */
#define POLL_MS 50

typedef struct Due
{
	Oid database;
	TimestampTz at;
} Due;

typedef struct Wake
{
	GcSharedHead head;
	ConditionVariable changed;
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

/* By then the transaction is over for everybody else, too.  Nothing may throw. */
static void
on_xact(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT && to_wake)
		ConditionVariableBroadcast(&to_wake->changed);
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		to_wake = NULL;
}

void
gc_import_wake_init(void)
{
	RegisterXactCallback(on_xact, NULL);
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

/* Its place; DUE_DATABASES: there is none.  The part is locked. */
static int
find_due(const Wake *wake, Oid database)
{
	int i = 0;

	while (i < wake->due_count && wake->due[i].database != database)
		i++;
	return i;
}

void
gc_import_set_due(Oid database, TimestampTz due)
{
	Wake *wake;
	int i;

	if (!gc_shared_is_shared())
		return;
	wake = wake_get();
	gc_shared_lock(&gc_import_wake_part, LW_EXCLUSIVE);
	i = find_due(wake, database);
	if (i < wake->due_count)
		wake->due[i].at = Min(wake->due[i].at, due);
	else if (i < DUE_DATABASES)
	{
		wake->due[i] = (Due){database, due};
		wake->due_count++;
	}
	gc_shared_unlock(&gc_import_wake_part);
}

bool
gc_import_take_due(Oid database, TimestampTz now)
{
	Wake *wake = wake_get();
	bool due;
	int i;

	gc_shared_lock(&gc_import_wake_part, LW_EXCLUSIVE);
	i = find_due(wake, database);
	due = i < wake->due_count && wake->due[i].at <= now;
	if (due)
		wake->due[i] = wake->due[--wake->due_count];
	gc_shared_unlock(&gc_import_wake_part);
	return due;
}
