/*
 * fdw/scan.c
 *	  SELECT: the scan callbacks.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/option.h"
#include "base/progress.h"
#include "fdw/cost.h"
#include "fdw/explain.h"
#include "fdw/filter.h"
#include "fdw/kept.h"
#include "fdw/pending.h"
#include "fdw/plan.h"
#include "fdw/scan.h"
#include "fdw/sift.h"
#include "fdw/size.h"
#include "fdw/sort.h"
#include "fdw/source.h"
#include "fdw/spool.h"
#include "fdw/statement.h"

#include "commands/explain.h"
#include "executor/executor.h"
#include "lib/ilist.h"
#include "nodes/nodeFuncs.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/*
 * Lifetimes: this struct and the connection live in scan_cxt, a child of the
 * query's context; walk_cxt holds one walk over the rows and is reset for a
 * rescan; row_cxt holds the values of one row.
 */
typedef struct GcScanState
{
	dlist_node node; /* in scans */
	ForeignScanState *executor;
	GcSourceRequest
		request; /* what is to be read; conn is NULL until the first row is asked for */
	GcScanPlan plan;
	const GcSourceOps *ops; /* by which way */
	GcFilter *filter;		/* NULL: nothing that the platform checks */
	GcSort *sort;			/* NULL: rows come in no order */
	int fetch_size;			/* rows of a page, unless fewer are wanted */
	bool rewinds;			/* it may be asked for the same rows again */
	bool may_export;		/* a search that is too long becomes an export */
	bool ended;				/* the source has no more */
	Oid user_id;
	GcStat stat;
	GcProgress *progress;
	int64 rows;		   /* read in this walk */
	int64 rows_booked; /* … of these, counted in the statistics */
	MemoryContext scan_cxt;
	MemoryContext walk_cxt;
	MemoryContext row_cxt;
	GcSource *source; /* NULL: no walk has begun */
	GcSpool *spool;	  /* rows that were read, where they are read ahead or kept; else NULL */
	GcScanAsync async;
	GcKept *kept; /* of what the statement is going to change; or NULL */
	MemoryContextCallback on_reset;
} GcScanState;

/* All that there are, of any statement. */
static dlist_head scans = DLIST_STATIC_INIT(scans);

static const GcSourceOps *
source_of(GcScanMethod method)
{
	switch (method)
	{
		case GC_SCAN_IDS:
			return &gc_source_ids;
		case GC_SCAN_EXPORT:
			return &gc_source_export;
		case GC_SCAN_COUNT:
			return &gc_source_counter;
		default:
			return &gc_source_search;
	}
}

/* Where no row that comes will be dropped, a page has no more than are wanted. */
static int
page_size(const GcScanState *scan)
{
	int wanted = scan->plan.method == GC_SCAN_COUNT ? 1 : scan->plan.limit;

	return wanted > 0 && scan->request.exact ? Min(wanted, scan->fetch_size)
											 : scan->fetch_size;
}

static void
scan_reset(void *arg)
{
	dlist_delete(&((GcScanState *) arg)->node);
}

/* The qual is still the plan's, which EXPLAIN shows, but the executor does not check it. */
static void
leave_out_qual(ForeignScanState *node, int qual)
{
	List *others = list_delete_nth_cell(list_copy(node->ss.ps.plan->qual), qual);

	node->ss.ps.qual = ExecInitQual(others, &node->ss.ps);
}

/* What the scan asks for, as the plan has it. */
static void
read_request(GcScanState *scan, ForeignScanState *node)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	GcSourceRequest *request = &scan->request;
	ListCell *lc;

	request->rel = gc_relation_load(
		gc_compat_range_table_relation(node->ss.ps.state, gc_compat_scan_relation(plan)));
	request->stat = &scan->stat;
	request->exact = scan->plan.exact;
	request->sorts = gc_sort_json(request->rel, scan->plan.sorts);
	request->fallback = outerPlanState(node);
	scan->fetch_size =
		gc_option_int(request->rel->options, request->rel->server_options, "fetch_size");
	request->page_size = page_size(scan);
	/* Not a column, but keeps the set from being NULL, which would mean all of them. */
	request->columns = bms_make_singleton(0);
	foreach (lc, scan->plan.columns)
		request->columns = bms_add_member(request->columns, lfirst_int(lc));
	request->id_is_key = scan->plan.identity_is_key;
	request->id_is_array = scan->plan.identity_is_array;
	request->ids_checked = scan->plan.identity_qual >= 0;
	request->sift = gc_sift_create(node, request->rel, request->columns);
}

static void
gcBeginForeignScan(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	EState *estate = node->ss.ps.state;
	MemoryContext scan_cxt =
		AllocSetContextCreate(estate->es_query_cxt, "gc_fdw scan", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller_cxt = MemoryContextSwitchTo(scan_cxt);
	GcScanState *scan = palloc0(sizeof(GcScanState));

	gc_scan_plan_read(plan->fdw_private, &scan->plan);
	read_request(scan, node);
	scan->ops = source_of(scan->plan.method);
	if (scan->request.ids_checked)
		leave_out_qual(node, scan->plan.identity_qual);
	if (plan->fdw_exprs != NIL || scan->plan.conditions != NIL)
		scan->filter =
			gc_filter_create(&node->ss.ps, scan->request.rel, scan->plan.conditions,
							 plan->fdw_exprs, scan->plan.identity, scan->plan.exact);
	scan->rewinds = (eflags & EXEC_FLAG_REWIND) != 0;
	scan->user_id = gc_compat_scan_user(plan, estate);
	scan->stat.spent = gc_statement_spent(estate);
	scan->scan_cxt = scan_cxt;
	scan->walk_cxt = AllocSetContextCreate(scan_cxt, "gc_fdw walk", ALLOCSET_DEFAULT_SIZES);
	scan->row_cxt = AllocSetContextCreate(scan_cxt, "gc_fdw row", ALLOCSET_DEFAULT_SIZES);
	scan->executor = node;
	scan->on_reset.func = scan_reset;
	scan->on_reset.arg = scan;
	MemoryContextRegisterResetCallback(scan_cxt, &scan->on_reset);
	dlist_push_tail(&scans, &scan->node);
	node->fdw_state = scan;
	MemoryContextSwitchTo(caller_cxt);
}

/* Requests that max_requests leaves to the statement. */
static int64
requests_left(GcScanState *scan)
{
	int limit = gc_calls_limit(scan->request.conn->max_requests);

	return limit > 0 ? limit - *scan->stat.spent : PG_INT64_MAX;
}

/* Rows that wait for COMMIT are not with the platform yet. */
static void
warn_of_pending(const GcSourceRequest *request)
{
	int64 rows = request->list ? gc_pending_untold(request->list) : 0;

	if (rows > 0)
		ereport(WARNING,
				(errmsg("%s is read without what this transaction writes to it",
						request->rel->label),
				 errdetail("Contacts that are sent at COMMIT: " INT64_FORMAT ".", rows)));
}

static void
scan_begin_walk(GcScanState *scan)
{
	GcSourceRequest *request = &scan->request;
	MemoryContext caller_cxt = MemoryContextSwitchTo(scan->scan_cxt);

	if (request->conn == NULL)
	{
		request->began = gc_clock_now();
		gc_source_connect(request, scan->user_id);
		if (request->list && gc_size_known(request->rel) < 0)
			gc_size_note(request->rel, request->list->size);
		warn_of_pending(request);
	}
	scan->may_export =
		scan->plan.export_from > 0 && requests_left(scan) > GC_COST_EXPORT_REQUESTS;
	/* A search that becomes an export has no need to be refused. */
	request->reads_all = scan->plan.reads_all && !scan->may_export;
	MemoryContextSwitchTo(scan->walk_cxt);
	/* An earlier walk may have gone over to an export; this one may be short. */
	scan->ops = source_of(scan->plan.method);
	request->exact = scan->plan.exact;
	request->nothing = scan->filter && !gc_filter_apply(scan->filter, request);
	request->page_size = page_size(scan);
	scan->sort = scan->plan.sorts ? gc_sort_create(request->rel, scan->plan.sorts) : NULL;
	scan->source = scan->ops->open(request);
	scan->progress =
		gc_progress_begin(&request->conn->owner,
						  request->list ? request->list->name : request->rel->label, "SELECT");
	scan->rows = scan->rows_booked = 0;
	MemoryContextSwitchTo(caller_cxt);
}

/* Books what was read since the last time. */
static void
scan_book(GcScanState *scan)
{
	gc_stat_rows(&scan->request.conn->owner, 0, scan->rows - scan->rows_booked);
	scan->rows_booked = scan->rows;
	gc_progress_update(scan->progress, scan->rows, scan->ops->total(scan->source),
					   scan->stat.requests, scan->stat.quota_wait_us);
}

/* All rows are read: what was seen is of use to the planner, or worth a warning. */
static void
scan_end_walk(GcScanState *scan)
{
	scan_book(scan);
	if (scan->ops != &gc_source_ids && scan->request.criteria == NULL)
		gc_size_note(scan->request.rel, scan->ops->total(scan->source));
	scan->ops->finish(scan->source);
}

/*
 * Is the search, of which the first page is there, far longer than it was taken
 * for, or longer than is allowed?  Then a file is asked for instead.
 */
static bool
is_too_long(GcScanState *scan)
{
	int64 pages = scan->ops->total(scan->source) / scan->request.page_size;
	int64 allowance = requests_left(scan);

	return scan->may_export && scan->ops == &gc_source_search && scan->rows == 0 &&
		   (pages > 2 * (int64) scan->plan.export_from || pages > allowance);
}

/* The next row from the source, which may become another one at the first. */
static GcNext
scan_next(GcScanState *scan, bool wait, TupleTableSlot *slot)
{
	GcNext next = scan->ops->next(scan->source, wait, slot->tts_values, slot->tts_isnull);

	if (next == GC_NEXT_ROW && is_too_long(scan))
	{
		MemoryContext caller_cxt = MemoryContextSwitchTo(scan->walk_cxt);

		scan->ops = &gc_source_export;
		scan->source = scan->ops->open(&scan->request);
		MemoryContextSwitchTo(caller_cxt);
		next = scan->ops->next(scan->source, wait, slot->tts_values, slot->tts_isnull);
	}
	return next;
}

/* Keeps the row that was just read for the statement that changes it; where. */
static int64
scan_keep_row(GcScanState *scan)
{
	GcSourceRow row;

	if (scan->kept == NULL)
		return 0;
	scan->ops->identify(scan->source, &row);
	return gc_kept_put(scan->kept, &row);
}

/*
 * The next row from the source, and where it is kept; false at the end, or if it is
 * not there and not to be waited for.
 */
static bool
scan_row(GcScanState *scan, bool wait, TupleTableSlot *slot, int64 *place)
{
	MemoryContext caller_cxt;
	GcNext next;

	/* That there are none is a row of a count. */
	if ((scan->request.nothing && scan->ops != &gc_source_counter) || scan->ended)
		return false;
	MemoryContextReset(scan->row_cxt);
	caller_cxt = MemoryContextSwitchTo(scan->row_cxt);
	next = scan_next(scan, wait, slot);
	scan->ended = next == GC_NEXT_END;
	if (scan->ended)
		scan_end_walk(scan);
	else if (next == GC_NEXT_ROW)
	{
		if (scan->sort)
			gc_sort_check(scan->sort, slot->tts_values, slot->tts_isnull);
		*place = scan_keep_row(scan);
		ExecStoreVirtualTuple(slot);
		if (++scan->rows % scan->request.page_size == 0)
			scan_book(scan);
	}
	MemoryContextSwitchTo(caller_cxt);
	return next == GC_NEXT_ROW;
}

/* Keeps rows, to give them again without a request. */
static void
scan_keep(GcScanState *scan, TupleTableSlot *slot)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(scan->scan_cxt);

	scan->spool = gc_spool_create(slot->tts_tupleDescriptor);
	MemoryContextSwitchTo(caller_cxt);
}

/*
 * The first row is asked for: all are read now, kept as they come, or neither.
 * What is read now is waited for, in an asynchronous scan too: an Append asks all
 * of those before it gives its first row, after which the statement writes.
 */
static void
scan_start(GcScanState *scan, EState *estate, TupleTableSlot *slot)
{
	GcSourceRequest *request = &scan->request;
	int64 place = 0;

	if (scan->plan.keep != GC_KEEP_NOTHING && scan->kept == NULL)
		scan->kept = gc_kept_create(estate, ((Scan *) scan->executor->ss.ps.plan)->scanrelid,
									scan->plan.keep == GC_KEEP_RAW);
	scan_begin_walk(scan);
	if (gc_spool_needed(estate, request->rel, request->list, request->conn))
	{
		scan_keep(scan, slot);
		while (scan_row(scan, true, slot, &place))
		{
			gc_spool_put(scan->spool, slot, place);
			ExecClearTuple(slot);
		}
	}
	else if (scan->rewinds)
		scan_keep(scan, slot);
}

static TupleTableSlot *
gcIterateForeignScan(ForeignScanState *node)
{
	GcScanState *scan = node->fdw_state;
	TupleTableSlot *slot = ExecClearTuple(node->ss.ss_ScanTupleSlot);
	bool wait = !node->ss.ps.async_capable;
	EState *estate = node->ss.ps.state;
	int64 place = 0;

	if (scan->source == NULL)
		scan_start(scan, estate, slot);
	/* An empty slot means end of scan, or of what is there already: gc_scan_is_over() tells. */
	if (scan->spool == NULL)
		(void) scan_row(scan, wait, slot, &place);
	else if (!gc_spool_get(scan->spool, slot, &place) && scan_row(scan, wait, slot, &place))
		gc_spool_put(scan->spool, slot, place);
	if (scan->kept && !TupIsNull(slot))
		gc_kept_set_tid(&slot->tts_tid, place);
	return slot;
}

/*
 * Does what it asks for depend on a row of another table?  A sub-select that nobody has
 * needed yet, and that depends on nothing itself, gives its value when it is asked.
 */
static bool
depends_on_row(Node *node, void *arg)
{
	EState *estate = arg;

	if (node == NULL)
		return false;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC)
	{
		SubPlanState *select = estate->es_param_exec_vals[((Param *) node)->paramid].execPlan;

		return select == NULL || !bms_is_empty(select->planstate->plan->extParam);
	}
	return expression_tree_walker(node, depends_on_row, arg);
}

static bool
can_read_ahead(const GcScanState *scan, EState *estate)
{
	PlanState *node = &scan->executor->ss.ps;

	return node->state == estate && scan->source == NULL && !scan->plan.stands_by &&
		   !depends_on_row((Node *) ((ForeignScan *) node->plan)->fdw_exprs, estate);
}

void
gc_scan_read_ahead(EState *estate)
{
	List *ahead = NIL;
	dlist_iter iter;
	ListCell *lc;

	/* Scans of partitions share a sub-select, and the first one has it run: find all of them before. */
	dlist_foreach (iter, &scans)
		if (can_read_ahead(dlist_container(GcScanState, node, iter.cur), estate))
			ahead = lappend(ahead, dlist_container(GcScanState, node, iter.cur));
	foreach (lc, ahead)
	{
		GcScanState *scan = lfirst(lc);

		/* The sub-select of one may have been the scan of another. */
		if (scan->source == NULL)
			scan_start(scan, estate, ExecClearTuple(scan->executor->ss.ss_ScanTupleSlot));
	}
	list_free(ahead);
}

bool
gc_scan_is_over(ForeignScanState *node)
{
	GcScanState *scan = node->fdw_state;

	return scan->request.nothing || scan->ended;
}

GcScanAsync *
gc_scan_async(ForeignScanState *node)
{
	return &((GcScanState *) node->fdw_state)->async;
}

static void
gcReScanForeignScan(ForeignScanState *node)
{
	GcScanState *scan = node->fdw_state;

	/* Nothing that it depends on has changed: the same rows again. */
	if (scan->spool && node->ss.ps.chgParam == NULL)
	{
		gc_spool_rewind(scan->spool);
		return;
	}
	if (scan->spool)
		gc_spool_end(scan->spool);
	scan->spool = NULL;
	scan->source = NULL;
	scan->ended = false;
	MemoryContextReset(scan->walk_cxt);
}

/*
 * A row of a table is what it was.  A count has none that could be tested again:
 * where it stands in a sub-select of a row that is tested anew, it counts anew.
 * (The server's later minor releases do not ask there.)
 */
static bool
gcRecheckForeignScan(ForeignScanState *node, TupleTableSlot *slot)
{
	return ((ForeignScan *) node->ss.ps.plan)->scan.scanrelid > 0 ||
		   !TupIsNull(gcIterateForeignScan(node));
}

static void
gcEndForeignScan(ForeignScanState *node)
{
	GcScanState *scan = node->fdw_state;

	/* Also runs after EXPLAIN without ANALYZE, and not at all after an error. */
	if (scan && scan->source && scan->rows > scan->rows_booked)
		scan_book(scan);
	if (scan && scan->spool)
		gc_spool_end(scan->spool);
	if (scan && scan->kept)
		gc_kept_end(scan->kept);
	if (scan)
		MemoryContextDelete(scan->scan_cxt);
	node->fdw_state = NULL;
}

/* Of what stood by in vain there is nothing to tell; but formats for programs have each field. */
static bool
has_run(const ForeignScanState *node, const ExplainState *es)
{
	const GcScanState *scan = node->fdw_state;
	const Instrumentation *instrument = node->ss.ps.instrument;

	return scan->stat.requests > 0 || instrument == NULL || instrument->nloops > 0 ||
		   es->format != EXPLAIN_FORMAT_TEXT;
}

static void
gcExplainForeignScan(ForeignScanState *node, ExplainState *es)
{
	GcScanState *scan = node->fdw_state;

	gc_explain_scan(es, &scan->request, scan->ops,
					scan->filter ? gc_filter_show(scan->filter, scan->request.list) : NULL);
	if (es->costs)
		gc_explain_requests(es, scan->plan.requests,
							gc_cost_seconds(scan->user_id, scan->request.rel,
											scan->plan.requests,
											scan->plan.method == GC_SCAN_EXPORT));
	if (es->analyze && has_run(node, es))
		gc_explain_stat(es, &scan->stat);
}

void
gc_scan_routine(FdwRoutine *routine)
{
	routine->BeginForeignScan = gcBeginForeignScan;
	routine->IterateForeignScan = gcIterateForeignScan;
	routine->ReScanForeignScan = gcReScanForeignScan;
	routine->RecheckForeignScan = gcRecheckForeignScan;
	routine->EndForeignScan = gcEndForeignScan;
	routine->ExplainForeignScan = gcExplainForeignScan;
}
