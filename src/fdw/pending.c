/*
 * fdw/pending.c
 *	  Contacts that wait for COMMIT: deliver 'commit' (DESIGN 4.5).
 */
#include "postgres.h"

#include "fdw/pending_parts.h"

#include "access/tupdesc.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/memutils.h"

/* Where the file ended, and what it held, when a subtransaction began to write. */
typedef struct Level
{
	SubTransactionId id;
	GcPendingPlace end;
	int count;		   /* of these */
	GcWaiting *counts; /* of each GcPending that was there */
} Level;

/* The transaction's; NULL: nothing waits. */
static GcPendingSpool *spool = NULL;

/* ---- what waits ---- */

static void
spool_begin(void)
{
	MemoryContext cxt =
		AllocSetContextCreate(TopTransactionContext, "gc_fdw pending", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller_cxt = MemoryContextSwitchTo(cxt);
	GcPendingSpool *made = palloc0(sizeof(GcPendingSpool));

	made->cxt = cxt;
	made->file = gc_pending_file_create();
	MemoryContextSwitchTo(caller_cxt);
	spool = made;
}

static bool
is_same(const GcPending *pending, Oid user_id, Oid relid, const GcTargetSettings *settings)
{
	const GcTargetSettings *own = &pending->settings;

	return pending->user_id == user_id && pending->relid == relid &&
		   own->verb == settings->verb && strcmp(own->operation, settings->operation) == 0 &&
		   strcmp(own->by_role, settings->by_role) == 0 &&
		   own->freshness_us == settings->freshness_us &&
		   own->batch_rows == settings->batch_rows &&
		   own->batch_bytes == settings->batch_bytes &&
		   own->buffer_memory == settings->buffer_memory &&
		   own->flags.priority == settings->flags.priority &&
		   own->flags.clear_system_data == settings->flags.clear_system_data &&
		   own->flags.do_not_queue == settings->flags.do_not_queue;
}

/* Does the table go on without rows in the same way, and has it the same columns? */
static bool
is_alike(const GcRelation *a, const GcRelation *b)
{
	return a->column_count == b->column_count &&
		   gc_reject_goes_on(a) == gc_reject_goes_on(b) &&
		   gc_reject_max(a) == gc_reject_max(b) && strcmp(a->label, b->label) == 0;
}

/* Of a table that is renamed or altered in between, another one. */
static GcPending *
find(Oid user_id, const GcRelation *rel, const GcTargetSettings *settings)
{
	ListCell *lc;

	foreach (lc, spool->pending)
	{
		GcPending *pending = lfirst(lc);

		if (is_same(pending, user_id, rel->relid, settings) && pending->conn->valid &&
			is_alike(pending->rel, rel))
			return pending;
	}
	return NULL;
}

/*
 * The table may be gone at COMMIT, and its row type with it: rows are records then.  In
 * the current context.
 */
static TupleDesc
record_desc(TupleDesc tupdesc)
{
	TupleDesc copy = CreateTupleDescCopy(tupdesc);

	copy->tdtypeid = RECORDOID;
	copy->tdtypmod = -1;
	return BlessTupleDesc(copy);
}

GcPending *
gc_pending_open(Oid user_id, Relation relation, const GcTargetSettings *settings)
{
	GcStat stat = {0};
	MemoryContext caller_cxt;
	GcPending *pending;

	if (spool == NULL)
		spool_begin();
	pending = find(user_id, gc_relation_load(relation), settings);
	if (pending)
		return pending;
	caller_cxt = MemoryContextSwitchTo(spool->cxt);
	pending = palloc0(sizeof(GcPending));
	pending->number = list_length(spool->pending);
	pending->user_id = user_id;
	pending->settings = *settings;
	pending->settings.operation = pstrdup(settings->operation);
	pending->settings.by_role = pstrdup(settings->by_role);
	/* Of a statement that is over by then nobody counts the rows any more. */
	pending->settings.counted = false;
	pending->rel = gc_relation_load(relation);
	pending->rel->tupdesc = record_desc(RelationGetDescr(relation));
	pending->relid = pending->rel->relid;
	pending->conn = gc_connection_get(user_id, pending->rel->server_id);
	/* The statement has just held its table against it, so this asks nobody. */
	pending->list =
		gc_list_get(pending->conn, &stat, pending->rel->list_id, pending->rel->list_name);
	spool->pending = lappend(spool->pending, pending);
	MemoryContextSwitchTo(caller_cxt);
	return pending;
}

int64
gc_pending_count(const GcList *list)
{
	int64 rows = 0;
	ListCell *lc;

	foreach (lc, spool ? spool->pending : NIL)
	{
		const GcPending *pending = lfirst(lc);

		if (strcmp(pending->list->id, list->id) == 0)
			rows += pending->count.rows;
	}
	return rows;
}

int64
gc_pending_untold(const GcList *list)
{
	bool told = false;
	ListCell *lc;

	foreach (lc, spool ? spool->pending : NIL)
	{
		GcPending *pending = lfirst(lc);

		if (strcmp(pending->list->id, list->id) != 0)
			continue;
		told |= pending->told;
		pending->told |= pending->count.rows > 0;
	}
	return told ? 0 : gc_pending_count(list);
}

/* The current subtransaction writes: what was there before is remembered. */
static void
note_level(void)
{
	SubTransactionId id = GetCurrentSubTransactionId();
	MemoryContext caller_cxt;
	Level *level;
	ListCell *lc;

	if (spool->levels != NIL && ((Level *) llast(spool->levels))->id == id)
		return;
	caller_cxt = MemoryContextSwitchTo(spool->cxt);
	level = palloc(sizeof(Level));
	*level = (Level){.id = id,
					 .end = gc_pending_file_end(spool->file),
					 .count = list_length(spool->pending)};
	level->counts = palloc(sizeof(GcWaiting) * Max(level->count, 1));
	foreach (lc, spool->pending)
		level->counts[foreach_current_index(lc)] = ((GcPending *) lfirst(lc))->count;
	spool->levels = lappend(spool->levels, level);
	MemoryContextSwitchTo(caller_cxt);
}

void
gc_pending_row(GcPending *pending, const GcRow *row)
{
	note_level();
	gc_pending_file_put_row(spool->file, pending->number, row);
	pending->count.rows++;
}

void
gc_pending_patch(GcPending *pending, const char *id, const GcPatch *patch)
{
	note_level();
	gc_pending_file_put_patch(spool->file, pending->number, id, patch);
	pending->count.rows++;
}

void
gc_pending_reject(GcPending *pending, const GcProblem *problem, const char *id,
				  const char *row_data)
{
	note_level();
	gc_pending_file_put_reject(spool->file, pending->number, problem, id, row_data);
	pending->count.rejects++;
}

static bool
something_waits(void)
{
	ListCell *lc;

	foreach (lc, spool ? spool->pending : NIL)
		if (gc_pending_waits(lfirst(lc)))
			return true;
	return false;
}

/* Nothing waits any more. */
static void
spool_end(void)
{
	gc_pending_file_close(spool->file);
	MemoryContextDelete(spool->cxt);
	spool = NULL;
}

static void
on_xact(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			if (something_waits())
				gc_pending_send(spool);
			if (spool)
				spool_end();
			break;
		case XACT_EVENT_PRE_PREPARE:
			if (something_waits())
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that has contacts to send")));
			if (spool)
				spool_end();
			break;
		case XACT_EVENT_ABORT:
			/* Its memory and file go with the transaction. */
			spool = NULL;
			break;
		default:
			break;
	}
}

/* The innermost level is over. */
static void
level_drop(Level *level)
{
	spool->levels = list_delete_last(spool->levels);
	pfree(level->counts);
	pfree(level);
}

/* A savepoint is released: its level becomes its parent's, if that has none of its own. */
static void
level_to_parent(SubTransactionId parent)
{
	Level *level = llast(spool->levels);
	int count = list_length(spool->levels);

	if (count > 1 && ((Level *) list_nth(spool->levels, count - 2))->id == parent)
		level_drop(level);
	else
		level->id = parent;
}

/* A savepoint is rolled back: so is the file. */
static void
level_undo(void)
{
	Level *level = llast(spool->levels);
	ListCell *lc;

	foreach (lc, spool->pending)
	{
		int i = foreach_current_index(lc);

		((GcPending *) lfirst(lc))->count =
			i < level->count ? level->counts[i] : (GcWaiting){0};
	}
	gc_pending_file_cut(spool->file, level->end);
	level_drop(level);
}

static void
on_subxact(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (spool == NULL || spool->levels == NIL || ((Level *) llast(spool->levels))->id != mine)
		return;
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		level_to_parent(parent);
	else if (event == SUBXACT_EVENT_ABORT_SUB)
		level_undo();
}

void
gc_pending_init(void)
{
	RegisterXactCallback(on_xact, NULL);
	RegisterSubXactCallback(on_subxact, NULL);
}
