/*
 * fdw/source_count.c
 *	  How many rows there are: one row, from the total of a page of one.
 */
#include "postgres.h"

#include "fdw/source.h"

#include "executor/executor.h"

typedef struct CountSource
{
	GcSource base;
	int64 total; /* of the listing; -1: nobody was asked */
	bool done;
} CountSource;

static GcSource *
count_open(const GcSourceRequest *request)
{
	CountSource *source = palloc0(sizeof(CountSource));

	source->base.ops = &gc_source_counter;
	source->base.request = request;
	source->total = -1;
	return &source->base;
}

/* By the plan below, which reads the rows and checks each. */
static int64
count_below(PlanState *below)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(below->state->es_query_cxt);
	TupleTableSlot *slot = ExecProcNode(below);
	bool is_null;
	int64 count = DatumGetInt64(slot_getattr(slot, 1, &is_null));

	MemoryContextSwitchTo(caller_cxt);
	return count;
}

/* Always waits: it is never asked below an asynchronous Append. */
static GcNext
count_next(GcSource *base, bool wait, Datum *values, bool *nulls)
{
	CountSource *source = (CountSource *) base;
	const GcSourceRequest *request = base->request;
	int64 count = 0;

	if (source->done)
		return GC_NEXT_END;
	source->done = true;
	if (!request->nothing && request->exact)
		count = source->total = gc_source_count(request, request->criteria);
	else if (!request->nothing)
		count = count_below(request->fallback);
	values[0] = Int64GetDatum(count);
	nulls[0] = false;
	return GC_NEXT_ROW;
}

static int64
count_total(GcSource *base)
{
	return ((CountSource *) base)->total;
}

static void
count_finish(GcSource *base)
{
}

const GcSourceOps gc_source_counter = {.name = "count",
									   .open = count_open,
									   .next = count_next,
									   .total = count_total,
									   .finish = count_finish};
