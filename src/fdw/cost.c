/*
 * fdw/cost.c
 *	  What the ways of reading cost: requests, and the planner's units.
 */
#include "postgres.h"

#include <math.h>

#include "api/contacts.h"
#include "base/compat.h"
#include "base/option.h"
#include "fdw/cost.h"
#include "fdw/size.h"
#include "net/connection.h"

#include "optimizer/cost.h"
#include "optimizer/optimizer.h"

/*
 * One millisecond in units of cost.  The server's own are some ten of them; but what
 * costs more than jit_above_cost is compiled, and to wait for answers is no reason.
 */
#define COST_PER_MS 1.0

/* What an answer takes, as long as the quota does not make it wait for longer. */
#define LATENCY_MS 200.0

/* How long the platform makes an export is not published; some seconds are a fair guess. */
#define EXPORT_MS 10000.0

/* To download and read a contact of one. */
#define EXPORTED_ROW_MS 0.01

/* ---- sizes ---- */

bool
gc_cost_is_known(const GcRelation *rel)
{
	return gc_size_known(rel) >= 0 || rel->analyzed_rows >= 0;
}

double
gc_cost_table_rows(const GcRelation *rel)
{
	int64 seen = gc_size_known(rel);
	double rows = seen >= 0					? seen
				  : rel->analyzed_rows >= 0 ? rel->analyzed_rows
											: rel->resource->default_rows;

	return Max(rows, 1);
}

/* The plan of ARRAY(SELECT ...), if that is what the expression is; NULL: it is not. */
static const Plan *
array_plan(PlannerInfo *root, const Expr *array)
{
	const Param *param;
	ListCell *lc;

	/* A cast keeps the number of elements. */
	while (IsA(array, RelabelType) || IsA(array, ArrayCoerceExpr))
		array = IsA(array, RelabelType) ? ((const RelabelType *) array)->arg
										: ((const ArrayCoerceExpr *) array)->arg;
	param = (const Param *) array;
	if (!IsA(array, Param) || param->paramkind != PARAM_EXEC)
		return NULL;
	for (; root; root = root->parent_root)
		foreach (lc, root->init_plans)
		{
			SubPlan *subplan = lfirst_node(SubPlan, lc);

			if (subplan->subLinkType == ARRAY_SUBLINK &&
				list_member_int(subplan->setParam, param->paramid))
				return planner_subplan_get_plan(root, subplan);
		}
	return NULL;
}

double
gc_cost_ids(PlannerInfo *root, const GcIdentity *identity)
{
	const Plan *plan;

	if (!identity->is_array)
		return 1;
	/* The server itself takes each of them for ten elements. */
	plan = array_plan(root, identity->value);
	return Max(plan ? plan->plan_rows : gc_compat_array_length(root, (Node *) identity->value),
			   1);
}

bool
gc_cost_ids_are_guessed(PlannerInfo *root, const GcIdentity *identity)
{
	return identity->is_array && array_plan(root, identity->value) != NULL;
}

/* The clauses that the platform checks, or those that it does not. */
static List *
clauses_checked(PlannerInfo *root, RelOptInfo *baserel, List *clauses, bool there)
{
	const GcRelation *rel = baserel->fdw_private;
	List *exprs = NIL;
	List *found = NIL;
	ListCell *lc;

	foreach (lc, clauses)
	{
		RestrictInfo *info = lfirst_node(RestrictInfo, lc);
		bool pushed = gc_pushdown(root, rel, baserel->relid, list_make1(info->clause), &exprs,
								  NULL) != NIL;

		if (pushed == there)
			found = lappend(found, info);
	}
	return found;
}

static double
selectivity(PlannerInfo *root, List *clauses)
{
	return clauselist_selectivity(root, clauses, 0, JOIN_INNER, NULL);
}

double
gc_cost_asked_rows(PlannerInfo *root, RelOptInfo *baserel)
{
	const GcRelation *rel = baserel->fdw_private;

	return clamp_row_est(
		rel->asked_rows *
		selectivity(root, clauses_checked(root, baserel, baserel->baserestrictinfo, false)));
}

/* Rows that the platform lets through, as far as it checks conditions. */
static double
rows_fetched(PlannerInfo *root, RelOptInfo *baserel, List *clauses)
{
	const GcRelation *rel = baserel->fdw_private;

	if (rel->asked_rows >= 0 && clauses == baserel->baserestrictinfo)
		return rel->asked_rows;
	return baserel->tuples * selectivity(root, clauses_checked(root, baserel, clauses, true));
}

/* ---- requests ---- */

static int
page_size(const GcRelation *rel)
{
	return gc_option_int(rel->options, rel->server_options, "fetch_size");
}

/* Entities of which a listing's rows are made; "share" of it is wanted. */
static double
listing_entities(const GcRelation *rel, double rows, double share)
{
	const GcExpansion *expansion = rel->resource->expansion;
	int64 known;

	if (expansion == NULL)
		return rows;
	known = gc_size_known_object(rel->server_id, expansion->of);
	return ceil((known >= 0 ? known : expansion->of->default_rows) * share);
}

/*
 * Pages of a listing, and the further calls that these columns take: for entities that
 * become rows, or for those that the query's own conditions let through, "kept" of them.
 */
static double
listing_requests(const GcRelation *rel, Bitmapset *columns, double entities, double kept)
{
	const GcExpansion *expansions[GC_EXPANSIONS_MAX];
	int count = gc_relation_expansions(rel, columns, expansions);
	double requests = Max(1, ceil(entities / page_size(rel)));

	for (int i = 0; i < count; i++)
		requests += ceil(kept / expansions[i]->entities);
	return requests;
}

static Oid
user_of(RelOptInfo *baserel)
{
	return OidIsValid(baserel->userid) ? baserel->userid : GetUserId();
}

/* A request in the planner's units: its answer, or its place in the quota. */
static Cost
request_cost(RelOptInfo *baserel)
{
	const GcRelation *rel = baserel->fdw_private;
	GcTime interval;
	GcTime wait;

	gc_connection_pace(user_of(baserel), rel->server_id, &interval, &wait);
	return Max(LATENCY_MS, interval / 1000.0) * COST_PER_MS;
}

/* What is the same for all ways: "start" and "run" are those of their requests. */
static GcReadCost
read_cost(RelOptInfo *baserel, double requests, double rows, Cost start, Cost run)
{
	const GcRelation *rel = baserel->fdw_private;
	const QualCost *quals = &baserel->baserestrictcost;
	double per_row = gc_option_real(rel->options, rel->server_options, "fdw_tuple_cost");
	int limit = gc_calls_limit(gc_option_int(rel->server_options, NIL, "max_requests"));
	GcReadCost cost = {.requests = requests};

	cost.startup = gc_option_real(rel->options, rel->server_options, "fdw_startup_cost") +
				   quals->startup + start;
	/* What would be refused is not chosen as long as there is another way. */
	if (limit > 0 && requests > limit)
		cost.startup += GC_COST_REFUSED;
	cost.total = cost.startup + run + rows * (cpu_tuple_cost + per_row + quals->per_tuple);
	return cost;
}

GcReadCost
gc_cost_search(PlannerInfo *root, RelOptInfo *baserel, Bitmapset *columns, List *clauses)
{
	const GcRelation *rel = baserel->fdw_private;
	double rows = rows_fetched(root, baserel, clauses);
	double entities = listing_entities(rel, rows, rows / baserel->tuples);
	double kept = rel->resource->expansion ? entities : Min(entities, baserel->rows);
	double requests = listing_requests(rel, columns, entities, kept);
	Cost request = request_cost(baserel);

	return read_cost(baserel, requests, rows, request, (requests - 1) * request);
}

GcReadCost
gc_cost_export(PlannerInfo *root, RelOptInfo *baserel, List *clauses)
{
	return read_cost(baserel, GC_COST_EXPORT_REQUESTS, rows_fetched(root, baserel, clauses),
					 GC_COST_EXPORT_REQUESTS * request_cost(baserel) + EXPORT_MS * COST_PER_MS,
					 0);
}

GcReadCost
gc_cost_count(RelOptInfo *baserel)
{
	return read_cost(baserel, 1, 1, request_cost(baserel), 0);
}

double
gc_cost_pages(const GcRelation *rel, double rows)
{
	if (rel->resource->kind && rel->resource->kind->unpaged)
		return 1;
	return ceil(rows / page_size(rel));
}

double
gc_cost_export_from(RelOptInfo *baserel)
{
	return GC_COST_EXPORT_REQUESTS + EXPORT_MS * COST_PER_MS / request_cost(baserel);
}

GcReadCost
gc_cost_by_ids(PlannerInfo *root, RelOptInfo *baserel, const GcIdentity *identity, double rows)
{
	double requests =
		ceil(gc_cost_ids(root, identity) / GC_CONTACTS_MAX_IDS) + (identity->is_key ? 1 : 0);
	Cost request = request_cost(baserel);

	return read_cost(baserel, requests, rows, request, (requests - 1) * request);
}

double
gc_cost_lookups_for_export(Oid user_id, const GcRelation *rel, double contacts, double wait_ms)
{
	GcTime interval;
	GcTime wait;

	gc_connection_pace(user_id, rel->server_id, &interval, &wait);
	return GC_COST_EXPORT_REQUESTS + (wait_ms + EXPORT_MS + contacts * EXPORTED_ROW_MS) /
										 Max(LATENCY_MS, interval / 1000.0);
}

double
gc_cost_seconds(Oid user_id, const GcRelation *rel, double requests, bool export)
{
	int in_flight = gc_option_int(rel->server_options, NIL, "max_in_flight");
	GcTime interval;
	GcTime wait;

	gc_connection_pace(user_id, rel->server_id, &interval, &wait);
	return (wait + (requests - 1) * Max(interval, LATENCY_MS * 1000 / in_flight)) / 1e6 +
		   (LATENCY_MS + (export ? EXPORT_MS : 0)) / 1000;
}
