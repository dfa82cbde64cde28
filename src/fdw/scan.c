/*
 * fdw/scan.c
 *	  SELECT: the scan callbacks.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/option.h"
#include "base/progress.h"
#include "fdw/explain.h"
#include "fdw/plan.h"
#include "fdw/scan.h"
#include "fdw/source.h"
#include "fdw/spool.h"
#include "fdw/statement.h"

#include "commands/explain.h"
#include "executor/executor.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/*
 * Lifetimes: this struct and the connection live in scan_cxt, a child of the
 * query's context; walk_cxt holds one walk over the rows and is reset for a
 * rescan; row_cxt holds the values of one row.
 */
typedef struct GcScanState
{
	GcSourceRequest
		request; /* what is to be read; conn is NULL until the first row is asked for */
	const GcSourceOps *ops; /* by which way */
	Oid user_id;
	GcStat stat;
	GcProgress *progress;
	int64 rows;		   /* read in this walk */
	int64 rows_booked; /* … of these, counted in the statistics */
	MemoryContext scan_cxt;
	MemoryContext walk_cxt;
	MemoryContext row_cxt;
	GcSource *source; /* NULL: no walk has begun */
	GcSpool *spool;	  /* all rows, where the statement writes the same list; else NULL */
} GcScanState;

static void
gcBeginForeignScan(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	EState *estate = node->ss.ps.state;
	MemoryContext scan_cxt =
		AllocSetContextCreate(estate->es_query_cxt, "gc_fdw scan", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller_cxt = MemoryContextSwitchTo(scan_cxt);
	GcScanState *scan = palloc0(sizeof(GcScanState));
	GcSourceRequest *request = &scan->request;
	ListCell *lc;

	request->rel = gc_relation_load(node->ss.ss_currentRelation);
	request->stat = &scan->stat;
	request->page_size =
		gc_option_int(request->rel->options, request->rel->server_options, "fetch_size");
	/* Not a column, but keeps the set from being NULL, which would mean all of them. */
	request->columns = bms_make_singleton(0);
	foreach (lc, list_nth(plan->fdw_private, GcScanPrivateColumns))
		request->columns = bms_add_member(request->columns, lfirst_int(lc));
	request->reads_all = linitial_int(list_nth(plan->fdw_private, GcScanPrivateReadsAll));
	scan->ops = &gc_source_search;
	scan->user_id = gc_compat_scan_user(plan, estate);
	scan->stat.spent = gc_statement_spent(estate);
	scan->scan_cxt = scan_cxt;
	scan->walk_cxt = AllocSetContextCreate(scan_cxt, "gc_fdw walk", ALLOCSET_DEFAULT_SIZES);
	scan->row_cxt = AllocSetContextCreate(scan_cxt, "gc_fdw row", ALLOCSET_DEFAULT_SIZES);
	node->fdw_state = scan;
	MemoryContextSwitchTo(caller_cxt);
}

/* The first requests of a scan: the list, if it is not known yet. */
static void
scan_connect(GcScanState *scan)
{
	GcSourceRequest *request = &scan->request;
	GcRelation *rel = request->rel;
	MemoryContext caller_cxt = MemoryContextSwitchTo(scan->scan_cxt);

	request->conn = gc_connection_get(scan->user_id, rel->server_id);
	if (rel->resource->has_list)
	{
		request->list = gc_list_get(request->conn, &scan->stat, rel->list_id, rel->list_name);
		gc_relation_check(rel, request->list);
	}
	MemoryContextSwitchTo(caller_cxt);
}

static void
scan_begin_walk(GcScanState *scan)
{
	GcSourceRequest *request = &scan->request;
	MemoryContext caller_cxt;

	if (request->conn == NULL)
		scan_connect(scan);
	caller_cxt = MemoryContextSwitchTo(scan->walk_cxt);
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
	gc_plan_note_rows(scan->request.rel->relid, scan->ops->total(scan->source));
	scan->ops->finish(scan->source);
}

/* The next row from the source; false at the end. */
static bool
scan_row(GcScanState *scan, TupleTableSlot *slot)
{
	MemoryContext caller_cxt;
	bool found;

	MemoryContextReset(scan->row_cxt);
	caller_cxt = MemoryContextSwitchTo(scan->row_cxt);
	found = scan->ops->next(scan->source, slot->tts_values, slot->tts_isnull);
	if (!found)
		scan_end_walk(scan);
	else
	{
		ExecStoreVirtualTuple(slot);
		if (++scan->rows % scan->request.page_size == 0)
			scan_book(scan);
	}
	MemoryContextSwitchTo(caller_cxt);
	return found;
}

/* Reads all rows before the first one is handed out. */
static void
scan_spool(GcScanState *scan, TupleTableSlot *slot)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(scan->scan_cxt);

	scan->spool = gc_spool_create(slot->tts_tupleDescriptor);
	MemoryContextSwitchTo(caller_cxt);
	while (scan_row(scan, slot))
	{
		gc_spool_put(scan->spool, slot);
		ExecClearTuple(slot);
	}
}

static TupleTableSlot *
gcIterateForeignScan(ForeignScanState *node)
{
	GcScanState *scan = node->fdw_state;
	TupleTableSlot *slot = ExecClearTuple(node->ss.ss_ScanTupleSlot);

	if (scan->source == NULL && scan->spool == NULL)
	{
		GcSourceRequest *request = &scan->request;

		scan_begin_walk(scan);
		if (gc_spool_needed(node->ss.ps.state, request->rel, request->list, request->conn))
			scan_spool(scan, slot);
	}
	/* An empty slot means end of scan. */
	if (scan->spool)
		(void) gc_spool_get(scan->spool, slot);
	else
		(void) scan_row(scan, slot);
	return slot;
}

static void
gcReScanForeignScan(ForeignScanState *node)
{
	GcScanState *scan = node->fdw_state;

	scan->source = NULL;
	MemoryContextReset(scan->walk_cxt);
	if (scan->spool)
		gc_spool_rewind(scan->spool);
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
	if (scan)
		MemoryContextDelete(scan->scan_cxt);
	node->fdw_state = NULL;
}

static void
gcExplainForeignScan(ForeignScanState *node, ExplainState *es)
{
	GcScanState *scan = node->fdw_state;

	gc_explain_scan(es, scan->request.rel, scan->request.list ? scan->request.list->id : NULL,
					scan->request.page_size);
	if (es->analyze)
		gc_explain_stat(es, &scan->stat);
}

void
gc_scan_routine(FdwRoutine *routine)
{
	routine->BeginForeignScan = gcBeginForeignScan;
	routine->IterateForeignScan = gcIterateForeignScan;
	routine->ReScanForeignScan = gcReScanForeignScan;
	routine->EndForeignScan = gcEndForeignScan;
	routine->ExplainForeignScan = gcExplainForeignScan;
}
