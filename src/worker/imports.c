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

#include "store/import_lock.h"
#include "store/imports.h"
#include "worker/imports.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"

int gc_max_workers = 4;

static void (*run_import)(int64 id) = NULL;

void
gc_imports_init(void (*run)(int64 id))
{
	run_import = run;
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

void
gc_imports_serve(TransactionId xid)
{
	MemoryContext cxt =
		AllocSetContextCreate(TopMemoryContext, "gc_fdw imports", ALLOCSET_DEFAULT_SIZES);
	bool any;

	wait_for(xid);
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
}
