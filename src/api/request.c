/*
 * api/request.c
 *	  Sets of calls: all of a statement's move while it waits for any.
 */
#include "postgres.h"

#include "api/call.h"
#include "api/request.h"
#include "base/clock.h"
#include "net/loop.h"

#include "access/xact.h"
#include "lib/ilist.h"
#include "utils/memutils.h"

int gc_max_requests = 0;

static dlist_head open_sets = DLIST_STATIC_INIT(open_sets);

/* ---- what a statement may ask for ---- */

GcConnection *
gc_calls_connection(const GcCalls *calls)
{
	return calls->conn;
}

int
gc_calls_limit(int server_max)
{
	if (gc_max_requests > 0 && (server_max == 0 || gc_max_requests < server_max))
		return gc_max_requests;
	return server_max;
}

int64
gc_calls_allowance(const GcCalls *calls)
{
	int64 max = gc_calls_limit(calls->conn->max_requests);

	if (calls->stat->spent == NULL)
		return -1;
	return max == 0 ? -1 : Max(max - *calls->stat->spent, 0);
}

void
gc_calls_refuse(const GcCalls *calls, int64 needed, const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED), errmsg_internal("%s", what),
					errdetail_plural(
						"It would take " INT64_FORMAT " more request, of which max_requests "
						"allows " INT64_FORMAT ".",
						"It would take " INT64_FORMAT " more requests, of which max_requests "
						"allows " INT64_FORMAT ".",
						needed, needed, gc_calls_allowance(calls)),
					errhint("%s", GC_MAX_REQUESTS_HINT)));
}

/* ---- moving on ---- */

/*
 * Moves all calls; true if one of those that were pending ended.  Sets the next
 * deadline.  To launch one may take a while (a new token), in which others end
 * unnoticed, so there is another round then.
 */
static bool
calls_advance(GcCalls *calls, GcTime *until)
{
	bool ended = false;
	bool launched;

	do
	{
		GcTime now = gc_clock_now();
		dlist_iter iter;

		*until = 0;
		launched = false;
		for (int i = 0; i < CALL_CLASSES; i++)
			calls->lines[i].refused = false;
		dlist_foreach (iter, &calls->list)
		{
			GcCall *call = dlist_container(GcCall, node, iter.cur);
			bool waiting = call->state == CALL_WAITING;
			GcTime next;

			if (call->state == CALL_ENDED)
				continue;
			next = gc_call_advance(call, now);
			launched |= waiting && call->state == CALL_FLYING;
			if (call->state == CALL_ENDED)
				ended = true;
			else if (next != 0 && (*until == 0 || next < *until))
				*until = next;
		}
	} while (launched && !ended);
	return ended;
}

/* ---- what was made a moment ago ---- */

typedef struct Young
{
	char *path;
	GcTime until;
} Young;

void
gc_calls_expect(GcConnection *conn, const char *path, int64 age)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(conn->cxt);
	GcTime now = gc_clock_now();
	ListCell *lc;
	Young *young;

	foreach (lc, conn->young)
	{
		young = lfirst(lc);
		if (young->until > now && strcmp(young->path, path) != 0)
			continue;
		conn->young = foreach_delete_current(conn->young, lc);
		pfree(young->path);
		pfree(young);
	}
	if (age < GC_YOUNG_US)
	{
		young = palloc(sizeof(Young));
		*young = (Young){pstrdup(path), now + GC_YOUNG_US - age};
		conn->young = lappend(conn->young, young);
	}
	MemoryContextSwitchTo(caller_cxt);
}

bool
gc_call_is_young(const GcCall *call)
{
	ListCell *lc;

	foreach (lc, call->calls->conn->young)
	{
		Young *young = lfirst(lc);
		size_t len = strlen(young->path);

		if (young->until > gc_clock_now() && strncmp(call->spec.path, young->path, len) == 0 &&
			call->spec.path[len] == '/')
			return true;
	}
	return false;
}

/* ---- waiting ---- */

/* What the set waits for, if it has to. */
static GcWait
calls_wait(GcCalls *calls)
{
	dlist_iter iter;

	dlist_foreach (iter, &calls->list)
		if (dlist_container(GcCall, node, iter.cur)->state == CALL_FLYING)
			return GC_WAIT_HTTP;
	for (int i = 0; i < CALL_CLASSES; i++)
		if (calls->lines[i].refused)
			return GC_WAIT_QUOTA;
	return GC_WAIT_BACKOFF;
}

/* Books that the backend slept, with nothing else to do than to wait for the set. */
static void
book_sleep(GcCalls *calls, GcWait wait, int64 slept)
{
	calls->stat->wait_us += slept;
	if (wait == GC_WAIT_HTTP)
		return;
	calls->stat->quota_wait_us += slept;
	gc_stat_quota_wait(&calls->conn->owner, slept);
}

void
gc_calls_wait_any(GcCalls *calls)
{
	GcTime until;

	calls->at_work = true;
	while (!calls_advance(calls, &until))
	{
		GcWait wait = calls_wait(calls);
		GcTime from = gc_clock_now();

		gc_loop_wait(until, wait);
		book_sleep(calls, wait, gc_clock_now() - from);
	}
	calls->at_work = false;
}

void
gc_call_wait(GcCall *call)
{
	while (call->state != CALL_ENDED)
		gc_calls_wait_any(call->calls);
}

bool
gc_call_try(GcCall *call, bool wait)
{
	GcCalls *calls = call->calls;
	GcTime until;

	if (wait)
		gc_call_wait(call);
	if (call->state == CALL_ENDED)
		return true;
	book_sleep(calls, calls->away_for, gc_loop_return(&calls->away));
	calls->at_work = true;
	while (calls_advance(calls, &until))
		;
	calls->at_work = false;
	if (call->state == CALL_ENDED)
		return true;
	calls->away_for = calls_wait(calls);
	gc_loop_leave(&calls->away, until);
	return false;
}

bool
gc_calls_sleep(GcCalls *calls, GcTime until, GcWait wait_for, bool wait)
{
	GcTime from = gc_clock_now();
	GcTime now = from;
	int64 slept = gc_loop_return(&calls->away);

	for (; wait && now < until; now = gc_clock_now())
		gc_loop_wait(until, wait_for);
	slept += now - from;
	calls->stat->wait_us += slept;
	if (wait_for == GC_WAIT_LAG)
		calls->stat->lag_us += slept;
	if (now >= until)
		return true;
	gc_loop_leave(&calls->away, until);
	return false;
}

/* Runs when the call's memory goes, for whatever reason; its exchange went just before. */
static void
call_reset(void *arg)
{
	GcCall *call = arg;

	dlist_delete(&call->node);
	gc_call_leave_line(call);
}

void
gc_call_free(GcCall *call)
{
	MemoryContextDelete(call->cxt);
}

/* Cancels everything, the newest first; the set stays, empty.  Throws nothing. */
static void
calls_cancel(GcCalls *calls)
{
	while (!dlist_is_empty(&calls->list))
		gc_call_free(dlist_container(GcCall, node, dlist_tail_node(&calls->list)));
}

static void
calls_reset(void *arg)
{
	GcCalls *calls = arg;

	if (calls->open)
		dlist_delete(&calls->node);
	calls->open = false;
}

GcCalls *
gc_calls_open(GcConnection *conn, GcStat *stat)
{
	GcCalls *calls = palloc0(sizeof(GcCalls));

	calls->conn = conn;
	calls->stat = stat;
	calls->cxt = CurrentMemoryContext;
	dlist_init(&calls->list);
	dlist_push_tail(&open_sets, &calls->node);
	calls->open = true;
	calls->on_reset.func = calls_reset;
	calls->on_reset.arg = calls;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &calls->on_reset);
	return calls;
}

void
gc_calls_close(GcCalls *calls)
{
	calls_cancel(calls);
	calls_reset(calls);
}

GcCall *
gc_call_start(GcCalls *calls, const GcCallSpec *spec)
{
	MemoryContext cxt = AllocSetContextCreate(calls->cxt, "gc_fdw call", ALLOCSET_SMALL_SIZES);
	GcCall *call = MemoryContextAllocZero(cxt, sizeof(GcCall));

	call->cxt = cxt;
	call->attempt_cxt = AllocSetContextCreate(cxt, "gc_fdw attempt", ALLOCSET_SMALL_SIZES);
	call->calls = calls;
	call->spec = *spec;
	if (call->spec.stat == NULL)
		call->spec.stat = calls->stat;
	call->spec.path = MemoryContextStrdup(cxt, spec->path);
	call->retry.call_class = spec->call_class;
	call->retry.in_doubt = spec->doubted;
	call->doubted = spec->doubted != 0;
	call->retry.started = gc_clock_now();
	dlist_push_tail(&calls->list, &call->node);
	call->on_reset.func = call_reset;
	call->on_reset.arg = call;
	MemoryContextRegisterResetCallback(cxt, &call->on_reset);
	calls->at_work = true;
	gc_call_begin(call);
	calls->at_work = false;
	return call;
}

/* ---- transactions ---- */

static void
on_xact(XactEvent event, void *arg)
{
	dlist_iter iter;

	if (event != XACT_EVENT_ABORT && event != XACT_EVENT_PARALLEL_ABORT)
		return;
	dlist_foreach (iter, &open_sets)
		calls_cancel(dlist_container(GcCalls, node, iter.cur));
}

/*
 * A set may outlive the subtransaction in which it failed: that of a cursor from
 * before the savepoint, which nobody can fetch from any more, but which is there
 * until the transaction ends.  Others, which go on, line up again.
 */
static void
on_subxact(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	dlist_iter iter;

	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	dlist_foreach (iter, &open_sets)
	{
		GcCalls *calls = dlist_container(GcCalls, node, iter.cur);

		if (calls->at_work)
			calls_cancel(calls);
		calls->at_work = false;
		for (int i = 0; i < CALL_CLASSES; i++)
			gc_quota_leave(calls->conn->quota, &calls->lines[i].ticket);
	}
}

void
gc_calls_init(void)
{
	RegisterXactCallback(on_xact, NULL);
	RegisterSubXactCallback(on_subxact, NULL);
}
