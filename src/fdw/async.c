/*
 * fdw/async.c
 *	  Scans below an Append, read side by side: the asynchronous callbacks.
 *
 * The executor asks every scan for a row; one that has none answers "pending",
 * and its requests go on.  When no row is left to give, the executor makes a wait
 * set, lets each pending scan add a descriptor, waits without a timeout, and
 * calls those whose descriptor is readable.
 *
 * A session has one descriptor for all its transfers, its loop's (net/loop.h), and
 * a wait set takes a descriptor once.  So the first of our scans that is asked
 * before a wait sees to all of them: it lets them go on as far as they can, and adds
 * the descriptor, whose alarm is set to the first moment at which one of them could go on
 * (the end of a backoff, a place in the quota's line).  When the descriptor is
 * readable, that one is called, and lets all go on again.  The latch, by which the
 * quota's line and interrupts come, is the executor's to watch: it asks before each wait.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/option.h"
#include "fdw/async.h"
#include "fdw/relation.h"
#include "fdw/scan.h"
#include "net/loop.h"

#include "executor/execAsync.h"
#include "executor/executor.h"
#include "executor/instrument.h"

/* Where a wait would not be woken by a cancel, it ends after so long, to look for one. */
#define DEAF_WAIT_US (100 * INT64CONST(1000))

static void gcForeignAsyncNotify(AsyncRequest *areq);

static bool
gcIsForeignPathAsyncCapable(ForeignPath *path)
{
	GcRelation *rel = path->path.parent->fdw_private;

	/*
	 * The executor's wait set has the postmaster in it, which single-user mode has not.
	 * A count has no second row to be had while the first is waited for.
	 */
	return IsUnderPostmaster && IS_SIMPLE_REL(path->path.parent) &&
		   gc_option_bool(rel->options, rel->server_options, "async_capable");
}

/* Answers a request with a row if one is there, or with the end if it is certain. */
static void
answer(AsyncRequest *areq)
{
	ForeignScanState *node = castNode(ForeignScanState, areq->requestee);
	/* Its time and rows are counted around the callbacks. */
	TupleTableSlot *slot = node->ss.ps.ExecProcNodeReal(&node->ss.ps);

	if (TupIsNull(slot) && !gc_scan_is_over(node))
		ExecAsyncRequestPending(areq);
	else
		ExecAsyncRequestDone(areq, slot);
}

/* Is it a scan of ours that waits? */
static bool
is_pending(const AsyncRequest *areq)
{
	ForeignScanState *node = (ForeignScanState *) areq->requestee;

	return areq->callback_pending && IsA(node, ForeignScanState) &&
		   node->fdwroutine->ForeignAsyncNotify == gcForeignAsyncNotify;
}

/* Answers a pending request by ourselves, whom nobody has called for it. */
static void
answer_unasked(AsyncRequest *areq)
{
	Instrumentation *instrument = areq->requestee->instrument;

	areq->callback_pending = false;
	answer(areq);
	ExecAsyncResponse(areq);
	if (areq->request_complete && instrument)
		InstrUpdateTupleCount(instrument, TupIsNull(areq->result) ? 0 : 1);
}

/* Lets all pending scans of an Append go on as far as they can; true if one need not wait any more. */
static bool
answer_pending(AppendState *append)
{
	bool any = false;
	uint64 settled;

	/* What one of them does may move the transfers of those before it, with no word to them. */
	do
	{
		settled = gc_loop_settled();
		for (int i = -1; (i = bms_next_member(append->as_asyncplans, i)) >= 0;)
		{
			AsyncRequest *areq = append->as_asyncrequests[i];

			if (!is_pending(areq))
				continue;
			answer_unasked(areq);
			any |= areq->request_complete;
		}
	} while (gc_loop_settled() != settled);
	return any;
}

static void
gcForeignAsyncRequest(AsyncRequest *areq)
{
	answer(areq);
}

static void
gcForeignAsyncConfigureWait(AsyncRequest *areq)
{
	AppendState *append = castNode(AppendState, areq->requestor);
	GcScanAsync *mine = gc_scan_async((ForeignScanState *) areq->requestee);

	if (mine->seen_to)
	{
		mine->seen_to = false;
		return;
	}
	gc_loop_poll();
	if (answer_pending(append))
		gc_loop_alarm(gc_clock_now()); /* it waits all the same, if only for others */
	if (!GC_COMPAT_APPEND_SEES_LATCH)
		gc_loop_alarm(gc_clock_now() + DEAF_WAIT_US);
	/* Those behind this one are asked next, in this order. */
	for (int i = areq->request_index; (i = bms_next_member(append->as_asyncplans, i)) >= 0;)
	{
		AsyncRequest *other = append->as_asyncrequests[i];

		if (is_pending(other))
			gc_scan_async((ForeignScanState *) other->requestee)->seen_to = true;
	}
	AddWaitEventToSet(append->as_eventset, WL_SOCKET_READABLE,
					  gc_loop_lend(append->as_syncdone), NULL, areq);
}

static void
gcForeignAsyncNotify(AsyncRequest *areq)
{
	gc_loop_poll();
	(void) answer_pending(castNode(AppendState, areq->requestor));
	answer(areq);
}

void
gc_async_routine(FdwRoutine *routine)
{
	routine->IsForeignPathAsyncCapable = gcIsForeignPathAsyncCapable;
	routine->ForeignAsyncRequest = gcForeignAsyncRequest;
	routine->ForeignAsyncConfigureWait = gcForeignAsyncConfigureWait;
	routine->ForeignAsyncNotify = gcForeignAsyncNotify;
}
