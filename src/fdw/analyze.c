/*
 * fdw/analyze.c
 *	  ANALYZE: a sample of a table's rows, for the planner's statistics.
 *
 * What is read by pages gives a bounded number of them, chosen at random over
 * all there are.  An export is read to its end, since it cannot be asked for in
 * part, and the sample is taken of the rows as they come by.
 */
#include "postgres.h"

#include <math.h>

#include "base/compat.h"
#include "base/option.h"
#include "base/progress.h"
#include "fdw/analyze.h"
#include "fdw/cost.h"
#include "fdw/size.h"
#include "fdw/source.h"

#include "access/htup_details.h"
#include "common/pg_prng.h"
#include "optimizer/plancat.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/sampling.h"

/*
 * The server asks for 300 rows for each value of a statistics target, 30,000 by
 * default.  A page of a hundred stands for a thousand of these, so that ANALYZE
 * takes a tenth of what a usual quota allows in a minute; and in the same
 * measure everywhere, so that the tables of a tree get their share of its sample.
 */
#define TARGET_PER_PAGE 1000
#define MOST_PAGES		100

/* Rows of a "block", for the place that a row is said to stand at. */
#define ROWS_PER_BLOCK 100

/*
 * Lifetimes: this struct and what is read with it live in cxt, which ends with
 * ANALYZE's look at the table; the tuples live in the caller's context.
 */
typedef struct Sample
{
	GcSourceRequest request;
	bool by_export;
	GcStat stat;
	int64 spent;
	MemoryContext cxt;
	HeapTuple *rows;
	int count;
	int target; /* at most so many rows */
	ReservoirStateData reservoir;
	double seen; /* rows that have come by */
	double skip; /* so many of the next ones are left out; -1: to be drawn */
} Sample;

/* The columns that ANALYZE looks at: all but those whose statistics target is 0. */
static Bitmapset *
analyzed_columns(Relation relation)
{
	TupleDesc tupdesc = RelationGetDescr(relation);
	/* Statistics of expressions and of several columns may be of any of them. */
	bool all = RelationGetStatExtList(relation) != NIL;
	/* Not a column, but keeps the set from being NULL, which would mean all of them. */
	Bitmapset *columns = bms_make_singleton(0);

	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, i);

		if (!attribute->attisdropped && (all || gc_compat_is_analyzed(attribute)))
			columns = bms_add_member(columns, attribute->attnum);
	}
	return columns;
}

/* What is to be read, in a context of its own; no request yet. */
static Sample *
sample_open(Relation relation)
{
	MemoryContext cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw analyze", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller_cxt = MemoryContextSwitchTo(cxt);
	Sample *sample = palloc0(sizeof(Sample));
	GcSourceRequest *request = &sample->request;
	bool by_search;
	bool by_export;

	sample->cxt = cxt;
	sample->stat.spent = &sample->spent;
	request->rel = gc_relation_load(relation);
	request->stat = &sample->stat;
	request->columns = analyzed_columns(relation);
	request->page_size =
		gc_option_int(request->rel->options, request->rel->server_options, "fetch_size");
	/* A few pages are cheaper than any export. */
	gc_source_ways(request->rel, request->columns,
				   "ANALYZE by ALTER COLUMN ... SET STATISTICS 0", &by_search, &by_export);
	sample->by_export = !by_search;
	MemoryContextSwitchTo(caller_cxt);
	return sample;
}

/* How many rows there are, or may be. */
static double
table_rows(Sample *sample, Relation relation)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(sample->cxt);
	double rows;

	gc_source_connect(&sample->request, relation->rd_rel->relowner);
	rows = sample->by_export ? gc_cost_table_rows(sample->request.rel)
							 : gc_source_count(&sample->request, NULL);
	MemoryContextSwitchTo(caller_cxt);
	return rows;
}

/* The pages that so many rows would fill here: by them the tables of a tree share its sample. */
static BlockNumber
pages_of(Relation relation, double rows)
{
	double width = MAXALIGN(get_rel_data_width(relation, NULL)) +
				   MAXALIGN(SizeofHeapTupleHeader) + sizeof(ItemIdData);

	/* One at least: a table without any is not looked at. */
	return Max(1, ceil(rows * width / BLCKSZ));
}

/* ---- the sample ---- */

/* Which place the next row gets; -1: none. */
static int
next_place(Sample *sample)
{
	int place = -1;

	if (sample->count < sample->target)
		return sample->count++;
	if (sample->skip < 0)
		sample->skip = reservoir_get_next_S(&sample->reservoir, sample->seen, sample->target);
	if (sample->skip <= 0)
	{
		place = sample->target * sampler_random_fract(&sample->reservoir.randstate);
		heap_freetuple(sample->rows[place]);
	}
	sample->skip -= 1;
	return place;
}

static void
offer_row(Sample *sample, Datum *values, bool *nulls)
{
	int place = next_place(sample);
	BlockNumber block = sample->seen / ROWS_PER_BLOCK;
	HeapTuple tuple;

	if (place >= 0)
	{
		tuple = heap_form_tuple(sample->request.rel->tupdesc, values, nulls);
		ItemPointerSet(&tuple->t_self, block,
					   sample->seen - (double) block * ROWS_PER_BLOCK + 1);
		sample->rows[place] = tuple;
	}
	sample->seen += 1;
}

static int
compare_places(const void *a, const void *b)
{
	return ItemPointerCompare(&(*(const HeapTuple *) a)->t_self,
							  &(*(const HeapTuple *) b)->t_self);
}

/* Reads what there is to read, as the table's owner, like ANALYZE itself; the total. */
static double
sample_read(Sample *sample, Relation relation)
{
	GcSourceRequest *request = &sample->request;
	const GcSourceOps *ops = sample->by_export ? &gc_source_export : &gc_source_search;
	MemoryContext caller_cxt = MemoryContextSwitchTo(sample->cxt);
	MemoryContext row_cxt =
		AllocSetContextCreate(sample->cxt, "gc_fdw row", ALLOCSET_DEFAULT_SIZES);
	Datum *values = palloc(sizeof(Datum) * RelationGetNumberOfAttributes(relation));
	bool *nulls = palloc(sizeof(bool) * RelationGetNumberOfAttributes(relation));
	GcSource *source;
	GcProgress *progress;

	gc_source_connect(request, relation->rd_rel->relowner);
	source = ops->open(request);
	progress = gc_progress_begin(&request->conn->owner,
								 request->list ? request->list->name : request->rel->label,
								 "ANALYZE");
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(row_cxt);
		MemoryContextSwitchTo(row_cxt);
		if (ops->next(source, true, values, nulls) == GC_NEXT_END)
			break;
		MemoryContextSwitchTo(caller_cxt);
		offer_row(sample, values, nulls);
		if (fmod(sample->seen, request->page_size) == 0)
			gc_progress_update(progress, sample->seen, ops->total(source),
							   sample->stat.requests, sample->stat.quota_wait_us);
	}
	MemoryContextSwitchTo(caller_cxt);
	gc_stat_rows(&request->conn->owner, 0, sample->seen);
	return ops->total(source);
}

static int
gc_sample_rows(Relation relation, int elevel, HeapTuple *rows, int targrows, double *totalrows,
			   double *totaldeadrows)
{
	Sample *sample = sample_open(relation);
	int count;

	sample->rows = rows;
	sample->target = targrows;
	sample->skip = -1;
	reservoir_init_selection_state(&sample->reservoir, targrows);
	sample->request.reads_all = true;
	sample->request.sample_pages =
		Min((targrows + TARGET_PER_PAGE - 1) / TARGET_PER_PAGE, MOST_PAGES);
	*totalrows = sample_read(sample, relation);
	*totaldeadrows = 0;
	/* Rows that took another's place stand where it stood; the server wants their order. */
	qsort(rows, sample->count, sizeof(HeapTuple), compare_places);
	gc_size_note(sample->request.rel, *totalrows);
	ereport(
		elevel,
		(errmsg(
			"\"%s\": table contains %.0f rows, %d rows in sample, read by %s in " INT64_FORMAT
			" requests",
			RelationGetRelationName(relation), *totalrows, sample->count,
			sample->by_export ? "export" : "pages", sample->stat.requests)));
	count = sample->count;
	MemoryContextDelete(sample->cxt);
	return count;
}

static bool
gcAnalyzeForeignTable(Relation relation, AcquireSampleRowsFunc *func, BlockNumber *totalpages)
{
	Sample *sample = sample_open(relation);

	/* Nobody says how many rows there will be. */
	if (sample->request.rel->resource->expansion)
		return false;
	*totalpages = pages_of(relation, table_rows(sample, relation));
	*func = gc_sample_rows;
	MemoryContextDelete(sample->cxt);
	return true;
}

void
gc_analyze_routine(FdwRoutine *routine)
{
	routine->AnalyzeForeignTable = gcAnalyzeForeignTable;
}
