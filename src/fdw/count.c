/*
 * fdw/count.c
 *	  COUNT(*) of a table, from what the platform says of its total.
 */
#include "postgres.h"

#include "base/compat.h"
#include "fdw/cost.h"
#include "fdw/count.h"
#include "fdw/plan.h"

#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "optimizer/tlist.h"
#include "parser/parsetree.h"
#include "utils/fmgroids.h"

/* What a path carries to the plan. */
enum CountPathPart
{
	CountPathConditions,
	CountPathExprs,
	CountPathAggregate,
};

/* The one aggregate of the query, COUNT(*); NULL if it has another one, or groups. */
static Aggref *
count_star(PlannerInfo *root)
{
	Query *parse = root->parse;
	PathTarget *target = root->upper_targets[UPPERREL_GROUP_AGG];
	List *exprs = list_concat_copy(target->exprs, (List *) parse->havingQual);
	Aggref *found = NULL;
	ListCell *lc;

	if (parse->groupClause || parse->groupingSets || parse->hasTargetSRFs)
		return NULL;
	foreach (lc,
			 pull_var_clause((Node *) exprs, PVC_INCLUDE_AGGREGATES | PVC_INCLUDE_WINDOWFUNCS |
												 PVC_INCLUDE_PLACEHOLDERS))
	{
		Aggref *one = lfirst(lc);

		if (!IsA(one, Aggref) || one->aggfnoid != F_COUNT_ || !one->aggstar ||
			one->aggfilter != NULL || one->agglevelsup != 0)
			return NULL;
		found = one;
	}
	return found;
}

/* Is it a table by itself, whose rows are what a listing counts? */
static bool
is_countable(PlannerInfo *root, RelOptInfo *input)
{
	const GcRelation *rel = input->fdw_private;
	bool search;
	bool export;

	if (input->reloptkind != RELOPT_BASEREL || rel == NULL || IS_DUMMY_REL(input) ||
		bms_membership(root->all_baserels) != BMS_SINGLETON ||
		planner_rt_fetch(input->relid, root)->inh)
		return false;
	gc_source_ways(rel, NULL, "", &search, &export);
	return search && gc_source_allows(rel, GC_SCAN_SEARCH) && rel->resource->expansion == NULL;
}

/* Does a condition name contacts?  Those may be there before a search shows them. */
static bool
names_contacts(PlannerInfo *root, RelOptInfo *input)
{
	GcIdentity identity;
	ListCell *lc;

	foreach (lc, input->baserestrictinfo)
		if (gc_pushdown_identity(root, input->fdw_private, input->relid,
								 lfirst_node(RestrictInfo, lc)->clause, &identity))
			return true;
	return false;
}

/*
 * The ordinary way to count, as a path of its own: add_path() may free the one that
 * is there.  It gives the bare count; HAVING is checked above.  NULL if there is none.
 */
static Path *
ordinary_path(RelOptInfo *output, Aggref *aggregate)
{
	ListCell *lc;

	foreach (lc, output->pathlist)
		if (IsA(lfirst(lc), AggPath))
		{
			AggPath *path = makeNode(AggPath);

			*path = *lfirst_node(AggPath, lc);
			path->qual = NIL;
			path->path.pathtarget = create_empty_pathtarget();
			add_column_to_pathtarget(path->path.pathtarget, (Expr *) aggregate, 0);
			return &path->path;
		}
	return NULL;
}

static void
gcGetForeignUpperPaths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input,
					   RelOptInfo *output, void *extra)
{
	List *exprs = NIL;
	List *conditions;
	Path *below = NULL;
	bool exact;
	Aggref *aggregate;
	GcReadCost cost;

	if (stage != UPPERREL_GROUP_AGG || !is_countable(root, input) ||
		(aggregate = count_star(root)) == NULL)
		return;
	conditions = gc_pushdown(root, input->fdw_private, input->relid, input->baserestrictinfo,
							 &exprs, &exact);
	if (!exact || names_contacts(root, input))
		return;
	/* Without conditions there is nothing that the execution could not say. */
	if (conditions != NIL && (below = ordinary_path(output, aggregate)) == NULL)
		return;
	output->fdw_private = input->fdw_private;
	cost = gc_cost_count(input);
	add_path(output, (Path *) gc_compat_upper_path(
						 root, output, root->upper_targets[UPPERREL_GROUP_AGG], cost.startup,
						 cost.total, below, list_make3(conditions, exprs, aggregate)));
}

void
gc_count_routine(FdwRoutine *routine)
{
	routine->GetForeignUpperPaths = gcGetForeignUpperPaths;
}

ForeignScan *
gc_count_plan(PlannerInfo *root, ForeignPath *path, List *tlist, Plan *below)
{
	GcScanPlan plan = {
		.method = GC_SCAN_COUNT,
		.conditions = list_nth(path->fdw_private, CountPathConditions),
		.identity = -1,
		.identity_qual = -1,
		.requests = 1,
		.exact = true,
	};
	TargetEntry *count =
		makeTargetEntry(list_nth(path->fdw_private, CountPathAggregate), 1, NULL, false);

	return make_foreignscan(tlist, (List *) root->parse->havingQual, 0,
							list_nth(path->fdw_private, CountPathExprs),
							gc_scan_plan_write(&plan), list_make1(count), NIL, below);
}
