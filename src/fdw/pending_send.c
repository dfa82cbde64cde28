/*
 * fdw/pending_send.c
 *	  Contacts that wait for COMMIT: sends them then (DESIGN 4.5).
 */
#include "postgres.h"

#include "base/seen.h"
#include "fdw/left_out.h"
#include "fdw/merge.h"
#include "fdw/pending_parts.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timeout.h"

int gc_commit_timeout = 0;

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
replay(GcPendingSpool *spool, GcPending *pending, GcPendingKind kind, const char *id)
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
reject_all(GcPendingSpool *spool)
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
has_rejects(const GcPendingSpool *spool)
{
	ListCell *lc;

	foreach (lc, spool->pending)
		if (((GcPending *) lfirst(lc))->count.rejects > 0)
			return true;
	return false;
}

/* Does something before it go to the same list, but by another connection? */
static bool
has_rival(const GcPendingSpool *spool, const GcPending *pending)
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
order_is_ours(const GcPendingSpool *spool)
{
	ListCell *lc;

	foreach (lc, spool->pending)
	{
		const GcPending *pending = lfirst(lc);

		if (pending->target && (pending->refresh || has_rival(spool, pending)))
			return true;
	}
	return false;
}

/* It goes with the transaction, which a procedure that calls COMMIT outlives. */
static EState *
create_state(const GcPendingSpool *spool)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(spool->cxt);
	EState *estate = CreateExecutorState();

	MemoryContextSwitchTo(caller_cxt);
	return estate;
}

static void
send_all(GcPendingSpool *spool)
{
	EState *estate = create_state(spool);
	MemoryContext caller_cxt = MemoryContextSwitchTo(estate->es_query_cxt);
	GcSeen *seen = NULL;
	ListCell *lc;
	uint32 number;
	GcPendingKind kind;
	const char *id;

	foreach (lc, spool->pending)
		if (gc_pending_waits(lfirst(lc)))
			open_target(estate, lfirst(lc));
	if (has_rejects(spool))
		reject_all(spool);
	if (order_is_ours(spool))
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
		replay(spool, pending, kind, id);
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

void
gc_pending_send(GcPendingSpool *spool)
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
		send_all(spool);
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
	/* It came when all was done; whoever is next is not meant. */
	if (timed_out)
		QueryCancelPending = false;
}
