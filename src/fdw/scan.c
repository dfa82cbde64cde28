/*
 * fdw/scan.c
 *	  SELECT: the scan callbacks.
 */
#include "postgres.h"

#include "api/pager.h"
#include "base/compat.h"
#include "base/option.h"
#include "base/progress.h"
#include "fdw/decode.h"
#include "fdw/explain.h"
#include "fdw/plan.h"
#include "fdw/scan.h"
#include "fdw/spool.h"
#include "fdw/statement.h"

#include "commands/explain.h"
#include "executor/executor.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/*
 * Lifetimes: this struct and the connection live in scan_cxt, a child of the
 * query's context; walk_cxt holds one walk over the pages and is reset for a
 * rescan; row_cxt holds the values of one row.
 */
typedef struct GcScanState
{
	GcRelation *rel;
	Oid user_id;
	Bitmapset *columns; /* attnums to fetch */
	int page_size;
	bool reads_all; /* nothing above will stop it early */
	GcStat stat;
	GcProgress *progress;
	int64 rows;		   /* read in this walk */
	int64 rows_booked; /* … of these, counted in the statistics */
	MemoryContext scan_cxt;
	MemoryContext walk_cxt;
	MemoryContext row_cxt;
	GcConnection *conn; /* NULL until the first row is asked for */
	GcList *list;		/* NULL for objects without a list */
	GcDecoder *decoder;
	GcPager *pager; /* NULL: no walk has begun */
	GcSpool *spool; /* all rows, where the statement writes the same list; else NULL */
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
	ListCell *lc;

	scan->rel = gc_relation_load(node->ss.ss_currentRelation);
	scan->user_id = gc_compat_scan_user(plan, estate);
	scan->page_size =
		gc_option_int(scan->rel->options, scan->rel->server_options, "fetch_size");
	/* Not a column, but keeps the set from being NULL, which would mean all of them. */
	scan->columns = bms_make_singleton(0);
	foreach (lc, list_nth(plan->fdw_private, GcScanPrivateColumns))
		scan->columns = bms_add_member(scan->columns, lfirst_int(lc));
	scan->scan_cxt = scan_cxt;
	scan->walk_cxt = AllocSetContextCreate(scan_cxt, "gc_fdw walk", ALLOCSET_DEFAULT_SIZES);
	scan->row_cxt = AllocSetContextCreate(scan_cxt, "gc_fdw row", ALLOCSET_DEFAULT_SIZES);
	scan->reads_all = linitial_int(list_nth(plan->fdw_private, GcScanPrivateReadsAll));
	scan->stat.spent = gc_statement_spent(estate);
	node->fdw_state = scan;
	MemoryContextSwitchTo(caller_cxt);
}

static void
forget_list(void *arg)
{
	gc_list_forget(((GcScanState *) arg)->list);
}

/* The first requests of a scan: the list, if it is not known yet. */
static void
scan_connect(GcScanState *scan)
{
	GcRelation *rel = scan->rel;
	MemoryContext caller_cxt = MemoryContextSwitchTo(scan->scan_cxt);

	scan->conn = gc_connection_get(scan->user_id, rel->server_id);
	if (rel->resource->has_list)
	{
		scan->list = gc_list_get(scan->conn, &scan->stat, rel->list_id, rel->list_name);
		gc_relation_check(rel, scan->list);
	}
	scan->decoder = gc_decoder_create(rel, scan->list, scan->columns);
	MemoryContextSwitchTo(caller_cxt);
}

static void
scan_begin_walk(GcScanState *scan)
{
	MemoryContext caller_cxt;

	if (scan->conn == NULL)
		scan_connect(scan);
	caller_cxt = MemoryContextSwitchTo(scan->walk_cxt);
	scan->pager = gc_pager_open(gc_calls_open(scan->conn, &scan->stat), scan->rel->resource,
								scan->list ? scan->list->id : NULL, scan->page_size,
								scan->conn->max_in_flight, scan->rel->label);
	if (scan->list)
		gc_pager_on_missing(scan->pager, forget_list, scan);
	if (scan->reads_all)
		gc_pager_read_all(scan->pager);
	scan->progress = gc_progress_begin(
		&scan->conn->owner, scan->list ? scan->list->name : scan->rel->label, "SELECT");
	scan->rows = scan->rows_booked = 0;
	MemoryContextSwitchTo(caller_cxt);
}

/* Books what was read since the last time. */
static void
scan_book(GcScanState *scan)
{
	gc_stat_rows(&scan->conn->owner, 0, scan->rows - scan->rows_booked);
	scan->rows_booked = scan->rows;
	gc_progress_update(scan->progress, scan->rows, gc_pager_total(scan->pager),
					   scan->stat.requests, scan->stat.quota_wait_us);
}

/* All pages are read: what was seen is of use to the planner, or worth a warning. */
static void
scan_end_walk(GcScanState *scan)
{
	int64 first;

	scan_book(scan);
	gc_plan_note_rows(scan->rel->relid, gc_pager_total(scan->pager));
	if (gc_pager_drifted(scan->pager, &first))
		ereport(WARNING, (errmsg("%s changed while it was read", scan->rel->label),
						  errdetail("It had " INT64_FORMAT " rows at first and " INT64_FORMAT
									" at last: some may be missing, or there twice.",
									first, gc_pager_total(scan->pager))));
}

/* The next row from the pages; false at the end. */
static bool
scan_row(GcScanState *scan, TupleTableSlot *slot)
{
	MemoryContext caller_cxt;
	GcJson *json;

	MemoryContextReset(scan->row_cxt);
	caller_cxt = MemoryContextSwitchTo(scan->row_cxt);
	json = gc_pager_next(scan->pager);
	if (json == NULL)
		scan_end_walk(scan);
	else if (!gc_decoder_row(scan->decoder, json, slot->tts_values, slot->tts_isnull))
		gc_pager_throw(scan->pager,
					   psprintf("An entity is not a JSON object: %s.", json->error));
	else
		ExecStoreVirtualTuple(slot);
	if (json && ++scan->rows % scan->page_size == 0)
		scan_book(scan);
	MemoryContextSwitchTo(caller_cxt);
	return json != NULL;
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

	if (scan->pager == NULL && scan->spool == NULL)
	{
		scan_begin_walk(scan);
		if (gc_spool_needed(node->ss.ps.state, scan->rel, scan->list, scan->conn))
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

	scan->pager = NULL;
	MemoryContextReset(scan->walk_cxt);
	if (scan->spool)
		gc_spool_rewind(scan->spool);
}

static void
gcEndForeignScan(ForeignScanState *node)
{
	GcScanState *scan = node->fdw_state;

	/* Also runs after EXPLAIN without ANALYZE, and not at all after an error. */
	if (scan && scan->pager && scan->rows > scan->rows_booked)
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

	gc_explain_scan(es, scan->rel, scan->list ? scan->list->id : NULL, scan->page_size);
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
