/*
 * fdw/pending.c
 *	  Contacts that wait for COMMIT: deliver 'commit' (DESIGN 4.5).
 */
#include "postgres.h"

#include "base/seen.h"
#include "fdw/left_out.h"
#include "fdw/merge.h"
#include "fdw/pending.h"
#include "fdw/pending_file.h"
#include "fdw/refresh.h"
#include "fdw/reject.h"

#include "access/tupdesc.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timeout.h"

int gc_commit_timeout = 0;

/* What waits of it. */
typedef struct Waiting
{
	int64 rows;	   /* to be sent */
	int64 rejects; /* that are not: gc_fdw.rejected_rows has them then */
} Waiting;

struct GcPending
{
	uint32 number; /* among the transaction's */
	Oid user_id;
	Oid relid;
	GcTargetSettings settings;
	GcRelation *rel; /* with a tuple descriptor of its own */
	GcConnection *conn;
	GcList *list;
	Waiting count;
	bool told; /* gc_pending_untold() has said how many */
	/* At COMMIT: */
	GcTarget *target;
	GcRefresh *refresh; /* UPDATE */
	GcRejecter *rejecter;
};

/* Where the file ended, and what it held, when a subtransaction began to write. */
typedef struct Level
{
	SubTransactionId id;
	GcPendingPlace end;
	int count;		 /* of these */
	Waiting *counts; /* of each GcPending that was there */
} Level;

/* Of the transaction; NULL: nothing waits. */
typedef struct Spool
{
	MemoryContext cxt; /* all of this */
	GcPendingFile *file;
	List *pending; /* GcPending *, by number */
	List *levels;  /* Level *, outermost first */
} Spool;

static Spool *spool = NULL;

/* ---- what waits ---- */

static void
spool_begin(void)
{
	MemoryContext cxt =
		AllocSetContextCreate(TopTransactionContext, "gc_fdw pending", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller_cxt = MemoryContextSwitchTo(cxt);
	Spool *made = palloc0(sizeof(Spool));

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
	level->counts = palloc(sizeof(Waiting) * Max(level->count, 1));
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

/* ---- COMMIT ---- */

static TimeoutId commit_timer = MAX_TIMEOUTS;
static volatile sig_atomic_t timed_out = false;

/* In a signal handler: as if somebody had cancelled. */
static void
on_timeout(void)
{
	timed_out = true;
	QueryCancelPending = true;
	InterruptPending = true;
	SetLatch(MyLatch);
}

static bool
waits(const GcPending *pending)
{
	return pending->count.rows > 0 || pending->count.rejects > 0;
}

static void
open_target(EState *estate, GcPending *pending)
{
	pending->target = gc_deliver_open(estate, pending->conn, pending->rel, pending->list,
									  &pending->settings);
	if (pending->settings.verb == GC_VERB_UPDATE)
		pending->refresh =
			gc_refresh_create(pending->target, GC_VERB_UPDATE, pending->rel, pending->list,
							  gc_merger_create(pending->list), pending->conn->max_in_flight);
	pending->rejecter = gc_reject_open(estate, pending->rel, pending->list, pending->target,
									   &pending->settings);
	if (pending->settings.verb == GC_VERB_INSERT)
		gc_left_out_watch(pending->target, pending->rel, pending->list);
	/* All of them count as not sent until they are. */
	gc_deliver_taken(pending->target, pending->count.rows);
}

/* Hands the record at hand on to its target. */
static void
replay(GcPending *pending, GcPendingKind kind, const char *id)
{
	MemoryContext caller_cxt;
	GcPatch patch;
	GcRow row;

	if (kind == GC_PENDING_ROW)
	{
		gc_pending_file_get_row(spool->file, &row);
		row.taken = true;
		gc_deliver_row(pending->target, &row);
		return;
	}
	/* The refresh takes it once more. */
	gc_deliver_taken(pending->target, -1);
	caller_cxt = MemoryContextSwitchTo(gc_refresh_context(pending->refresh));
	gc_pending_file_get_patch(spool->file, &patch);
	gc_refresh_add(pending->refresh, pstrdup(id), &patch, NULL);
	MemoryContextSwitchTo(caller_cxt);
}

/*
 * A contact that is updated is read again before; so what the transaction did to it
 * earlier has to be there by then.  Everything goes out, and ids are noted anew.
 */
static void
keep_order(EState *estate, GcSeen **seen, const GcPending *pending, const char *id)
{
	char *key = psprintf("%s %s", pending->list->id, id);

	if (gc_seen_note(*seen, key, strlen(key)))
	{
		gc_deliver_drain(estate);
		gc_seen_free(*seen);
		*seen = gc_seen_create(0);
		(void) gc_seen_note(*seen, key, strlen(key));
	}
	pfree(key);
}

/* Rows that are not sent go before all that are: they may be too many. */
static void
reject_all(void)
{
	MemoryContext row_cxt = AllocSetContextCreate(CurrentMemoryContext, "gc_fdw rejected row",
												  ALLOCSET_DEFAULT_SIZES);
	uint32 number;
	GcPendingKind kind;
	const char *id;
	const char *row_data;
	GcProblem problem;

	gc_pending_file_rewind(spool->file);
	while (gc_pending_file_next(spool->file, &number, &kind, &id))
	{
		GcPending *pending = list_nth(spool->pending, number);
		MemoryContext caller_cxt;

		CHECK_FOR_INTERRUPTS();
		if (kind != GC_PENDING_REJECT)
			continue;
		gc_pending_file_get_reject(spool->file, &problem, &row_data);
		caller_cxt = MemoryContextSwitchTo(row_cxt);
		gc_reject_text(pending->rejecter, &problem, id, row_data, NULL);
		MemoryContextSwitchTo(caller_cxt);
		MemoryContextReset(row_cxt);
	}
	MemoryContextDelete(row_cxt);
}

static bool
has_rejects(void)
{
	ListCell *lc;

	foreach (lc, spool->pending)
		if (((GcPending *) lfirst(lc))->count.rejects > 0)
			return true;
	return false;
}

/* Does something before it go to the same list, but by another connection? */
static bool
has_rival(const GcPending *pending)
{
	ListCell *lc;

	foreach (lc, spool->pending)
	{
		const GcPending *other = lfirst(lc);

		if (other == pending)
			break;
		if (other->target && other->conn != pending->conn &&
			strcmp(other->list->id, pending->list->id) == 0)
			return true;
	}
	return false;
}

/*
 * A writer keeps the order of what it writes.  What is read again comes between, and
 * there is one writer for each connection: another role's, or that after an ALTER SERVER.
 */
static bool
order_is_ours(void)
{
	ListCell *lc;

	foreach (lc, spool->pending)
	{
		const GcPending *pending = lfirst(lc);

		if (pending->target && (pending->refresh || has_rival(pending)))
			return true;
	}
	return false;
}

/* It goes with the transaction, which a procedure that calls COMMIT outlives. */
static EState *
create_state(void)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(spool->cxt);
	EState *estate = CreateExecutorState();

	MemoryContextSwitchTo(caller_cxt);
	return estate;
}

static void
send_all(void)
{
	EState *estate = create_state();
	MemoryContext caller_cxt = MemoryContextSwitchTo(estate->es_query_cxt);
	GcSeen *seen = NULL;
	ListCell *lc;
	uint32 number;
	GcPendingKind kind;
	const char *id;

	foreach (lc, spool->pending)
		if (waits(lfirst(lc)))
			open_target(estate, lfirst(lc));
	if (has_rejects())
		reject_all();
	if (order_is_ours())
		seen = gc_seen_create(0);
	gc_pending_file_rewind(spool->file);
	while (gc_pending_file_next(spool->file, &number, &kind, &id))
	{
		GcPending *pending = list_nth(spool->pending, number);

		CHECK_FOR_INTERRUPTS();
		if (kind == GC_PENDING_REJECT)
			continue;
		if (seen)
			keep_order(estate, &seen, pending, id);
		replay(pending, kind, id);
	}
	gc_deliver_drain(estate);
	gc_reject_finish(estate);
	MemoryContextSwitchTo(caller_cxt);
	FreeExecutorState(estate);
}

/* The timer's cancel, with its own words. */
static void
rethrow(MemoryContext cxt)
{
	ErrorData *error;

	MemoryContextSwitchTo(cxt);
	error = CopyErrorData();
	if (!timed_out || error->sqlerrcode != ERRCODE_QUERY_CANCELED)
		PG_RE_THROW();
	FlushErrorState();
	ereport(ERROR, (errcode(ERRCODE_QUERY_CANCELED),
					errmsg("canceling COMMIT due to gc_fdw.commit_timeout"),
					error->detail ? errdetail_internal("%s", error->detail) : 0,
					errhint("What the WARNING counts as sent is with the platform.")));
}

/* Sends what waits, within gc_fdw.commit_timeout. */
static void
send_at_commit(void)
{
	MemoryContext cxt = CurrentMemoryContext;

	timed_out = false;
	if (gc_commit_timeout > 0)
	{
		if (commit_timer == MAX_TIMEOUTS)
			commit_timer = RegisterTimeout(USER_TIMEOUT, on_timeout);
		enable_timeout_after(commit_timer, gc_commit_timeout);
	}
	PG_TRY();
	{
		send_all();
	}
	PG_CATCH();
	{
		if (gc_commit_timeout > 0)
			disable_timeout(commit_timer, false);
		rethrow(cxt);
	}
	PG_END_TRY();
	if (gc_commit_timeout > 0)
		disable_timeout(commit_timer, false);
}

static bool
something_waits(void)
{
	ListCell *lc;

	foreach (lc, spool ? spool->pending : NIL)
		if (waits(lfirst(lc)))
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
				send_at_commit();
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

		((GcPending *) lfirst(lc))->count = i < level->count ? level->counts[i] : (Waiting){0};
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
