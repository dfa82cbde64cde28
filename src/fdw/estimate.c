/*
 * fdw/estimate.c
 *	  Rows that the platform says there are, for use_remote_estimate.
 */
#include "postgres.h"

#include "base/option.h"
#include "fdw/estimate.h"
#include "fdw/filter.h"
#include "fdw/pushdown.h"
#include "fdw/size.h"

#include "miscadmin.h"
#include "optimizer/restrictinfo.h"
#include "utils/memutils.h"

/* The conditions whose values are constants, as they go out; NULL: none of them can be said. */
static const char *
constant_criteria(PlannerInfo *root, RelOptInfo *baserel, GcRelation *rel, const GcList *list)
{
	List *exprs = NIL;
	List *conditions =
		gc_pushdown(root, rel, baserel->relid,
					extract_actual_clauses(baserel->baserestrictinfo, false), &exprs, NULL);

	return conditions ? gc_filter_constants(rel, conditions, exprs, list) : NULL;
}

void
gc_estimate_ask(PlannerInfo *root, RelOptInfo *baserel, GcRelation *rel)
{
	Oid user_id = OidIsValid(baserel->userid) ? baserel->userid : GetUserId();
	GcStat stat = {0};
	GcSourceRequest request = {.rel = rel, .stat = &stat};
	const char *criteria;
	MemoryContext cxt;
	MemoryContext caller_cxt;

	if (!gc_option_bool(rel->options, rel->server_options, "use_remote_estimate") ||
		rel->resource->has_dnc_list || rel->resource->expansion)
		return;
	/* The calls, and the connection's hold, end with the request. */
	cxt = AllocSetContextCreate(CurrentMemoryContext, "gc_fdw estimate", ALLOCSET_SMALL_SIZES);
	caller_cxt = MemoryContextSwitchTo(cxt);
	gc_source_connect(&request, user_id);
	criteria = constant_criteria(root, baserel, rel, request.list);
	if (criteria)
		rel->asked_rows = gc_source_count(&request, criteria);
	if (criteria == NULL || gc_size_known(rel) < 0)
	{
		int64 rows = gc_source_count(&request, NULL);

		gc_size_note(rel, rows);
		if (criteria == NULL)
			rel->asked_rows = rows;
	}
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextDelete(cxt);
}
