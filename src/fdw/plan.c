/*
 * fdw/plan.c
 *	  Planning of scans: sizes, costs, and what the executor needs.
 */
#include "postgres.h"

#include "api/listing.h"
#include "base/compat.h"
#include "fdw/cost.h"
#include "fdw/count.h"
#include "fdw/estimate.h"
#include "fdw/plan.h"
#include "fdw/size.h"
#include "fdw/sort.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "foreign/foreign.h"
#include "optimizer/cost.h"
#include "optimizer/inherit.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* The clause that names contacts; NULL if none does.  The id goes before the key: it needs no search. */
static RestrictInfo *
identity_clause(PlannerInfo *root, RelOptInfo *baserel, List *clauses, GcIdentity *identity)
{
	RestrictInfo *found = NULL;
	ListCell *lc;

	foreach (lc, clauses)
	{
		RestrictInfo *info = lfirst_node(RestrictInfo, lc);
		GcIdentity one;

		if (!gc_pushdown_identity(root, baserel->fdw_private, baserel->relid, info->clause,
								  &one))
			continue;
		if (found == NULL || (identity->is_key && !one.is_key))
		{
			found = info;
			*identity = one;
		}
	}
	return found;
}

static void
gcGetForeignRelSize(PlannerInfo *root, RelOptInfo *baserel, Oid relid)
{
	Relation relation = table_open(relid, NoLock);
	GcRelation *rel = gc_relation_load(relation);
	GcIdentity identity;

	table_close(relation, NoLock);
	baserel->fdw_private = rel;
	gc_estimate_ask(root, baserel, rel);
	baserel->tuples = gc_cost_table_rows(rel);
	set_baserel_size_estimates(root, baserel);
	if (rel->asked_rows >= 0)
		baserel->rows = gc_cost_asked_rows(root, baserel);
	/* Without statistics, the server takes each value for half a hundredth of the list. */
	if (rel->resource->has_list &&
		identity_clause(root, baserel, baserel->baserestrictinfo, &identity))
		baserel->rows = Min(baserel->rows, gc_cost_ids(root, &identity));
}

/* ---- paths ---- */

static void
add_read_path(PlannerInfo *root, RelOptInfo *baserel, GcScanMethod method,
			  const GcReadCost *cost, double rows, Relids required_outer, List *pathkeys)
{
	int requests = Min(cost->requests, INT_MAX);

	add_path(baserel, (Path *) gc_compat_foreign_path(root, baserel, rows, required_outer,
													  cost->startup, cost->total, pathkeys,
													  list_make2_int(method, requests)));
}

/* Does the clause say which rows there are to be: contacts by name, or a listing's? */
static bool
is_lookup(PlannerInfo *root, RelOptInfo *baserel, RestrictInfo *info)
{
	GcRelation *rel = baserel->fdw_private;
	GcIdentity identity;
	List *exprs = NIL;

	if (rel->resource->has_list)
		return gc_pushdown_identity(root, rel, baserel->relid, info->clause, &identity);
	return gc_pushdown(root, rel, baserel->relid, list_make1(info->clause), &exprs, NULL) !=
		   NIL;
}

/* The rows of a listing for values of another table. */
static void
add_listing_path(PlannerInfo *root, RelOptInfo *baserel, Bitmapset *columns,
				 ParamPathInfo *param_info)
{
	List *clauses = list_concat_copy(baserel->baserestrictinfo, param_info->ppi_clauses);
	GcReadCost cost = gc_cost_search(root, baserel, columns, clauses);

	add_read_path(root, baserel, GC_SCAN_SEARCH, &cost, param_info->ppi_rows,
				  param_info->ppi_req_outer, NIL);
}

/* A path for a value of another table: each of its rows is a look-up. */
static void
add_join_path(PlannerInfo *root, RelOptInfo *baserel, Bitmapset *columns, RestrictInfo *info)
{
	GcRelation *rel = baserel->fdw_private;
	Relids outer = bms_del_member(bms_copy(info->clause_relids), baserel->relid);
	ParamPathInfo *param_info;
	GcIdentity identity;
	GcReadCost cost;

	if (bms_is_empty(outer) || !join_clause_is_movable_to(info, baserel) ||
		!is_lookup(root, baserel, info))
		return;
	outer = bms_union(outer, baserel->lateral_relids);
	param_info = get_baserel_parampathinfo(root, baserel, outer);
	if (!rel->resource->has_list)
	{
		add_listing_path(root, baserel, columns, param_info);
		return;
	}
	/* Of columns that are equal, the plan may have the clause for one that names nobody. */
	if (identity_clause(root, baserel, param_info->ppi_clauses, &identity) == NULL)
		return;
	param_info->ppi_rows = Min(param_info->ppi_rows, gc_cost_ids(root, &identity));
	cost = gc_cost_by_ids(root, baserel, &identity, param_info->ppi_rows);
	add_read_path(root, baserel, GC_SCAN_IDS, &cost, param_info->ppi_rows,
				  param_info->ppi_req_outer, NIL);
}

/* Does that member of an equivalence class name contacts, or rows of a listing? */
static bool
is_lookup_member(PlannerInfo *root, RelOptInfo *rel, EquivalenceClass *ec,
				 EquivalenceMember *em, void *arg)
{
	Node *node = (Node *) em->em_expr;
	GcRelation *table = rel->fdw_private;
	Var *var;

	while (IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	var = (Var *) node;
	if (!IsA(node, Var) || var->varno != rel->relid || var->varattno <= 0)
		return false;
	if (table->resource->has_list)
		return var->varattno == table->id || var->varattno == table->key;
	return gc_listing_filter(table->resource, table->columns[var->varattno - 1].attribute);
}

static void
add_join_paths(PlannerInfo *root, RelOptInfo *baserel, Bitmapset *columns)
{
	ListCell *lc;

	foreach (lc, baserel->joininfo)
		add_join_path(root, baserel, columns, lfirst(lc));
	if (!baserel->has_eclass_joins)
		return;
	foreach (lc, generate_implied_equalities_for_column(root, baserel, is_lookup_member, NULL,
														NULL))
		add_join_path(root, baserel, columns, lfirst(lc));
}

/* May the statement write a list while it is scanned?  Then each scan is read to its end before. */
static bool
writes_lists(PlannerInfo *root)
{
	Query *query;

	while (root->parent_root)
		root = root->parent_root;
	query = root->parse;
	if (query->hasModifyingCTE)
		return true;
	if (query->resultRelation == 0)
		return false;
	switch (get_rel_relkind(rt_fetch(query->resultRelation, query->rtable)->relid))
	{
		case RELKIND_FOREIGN_TABLE:
		case RELKIND_PARTITIONED_TABLE:
			return true;
		default:
			return false;
	}
}

/*
 * Is it the row that the server wants of each contact to be updated, in order to
 * put its new values in?  Not so a row that the query itself names, by its type.
 */
static bool
is_row_to_update(PlannerInfo *root, const Expr *expr)
{
	return root->parse->commandType == CMD_UPDATE && IsA(expr, Var) &&
		   ((const Var *) expr)->varattno == 0 && ((const Var *) expr)->vartype == RECORDOID;
}

/* Is the column given by every way of reading? */
static bool
is_given_always(const GcRelation *rel, AttrNumber attnum)
{
	Bitmapset *column = bms_make_singleton(attnum);
	const char *why;

	return gc_source_search_can(rel, column, &why) && gc_source_export_can(rel, column, &why);
}

static bool
has_update_triggers(Relation relation)
{
	TriggerDesc *triggers = relation->trigdesc;

	return triggers && (triggers->trig_update_before_row || triggers->trig_update_after_row);
}

/*
 * The columns that the query uses, here or above.  An UPDATE must not depend on
 * columns that it has nothing to do with: of a row that only it wants, those are
 * left out that some way of reading does not give, unless a trigger looks at it.
 */
static List *
used_columns(PlannerInfo *root, RelOptInfo *baserel, Oid relid)
{
	GcRelation *rel = baserel->fdw_private;
	Relation relation = table_open(relid, NoLock);
	Bitmapset *used = NULL;
	List *columns = NIL;
	ListCell *lc;
	bool updates = false;
	bool whole_row;

	foreach (lc, baserel->reltarget->exprs)
		if (is_row_to_update(root, lfirst(lc)) && !has_update_triggers(relation))
			updates = true;
		else
			pull_varattnos(lfirst(lc), baserel->relid, &used);
	/* What the answer to a change does not have is shown as it was read. */
	if (rel->resource->kind)
		pull_varattnos((Node *) root->parse->returningList, baserel->relid, &used);
	foreach (lc, baserel->baserestrictinfo)
		pull_varattnos((Node *) lfirst_node(RestrictInfo, lc)->clause, baserel->relid, &used);
	/* … and what a change is to is held against what somebody else has made of it. */
	if (updates && rel->resource->kind)
		used = bms_add_members(used, get_rel_all_updated_cols(root, baserel));
	whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used);
	for (int i = 0; i < rel->column_count; i++)
		if (whole_row || bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber, used) ||
			(updates && rel->columns[i].attnum != 0 && is_given_always(rel, i + 1)))
			columns = lappend_int(columns, i + 1);
	table_close(relation, NoLock);
	return columns;
}

static Bitmapset *
column_set(List *columns)
{
	Bitmapset *set = NULL;
	ListCell *lc;

	foreach (lc, columns)
		set = bms_add_member(set, lfirst_int(lc));
	return set;
}

/*
 * May a search that turns out to be far longer than planned become an export?
 * Where all rows are wanted, as far as the planner knows.
 */
static bool
may_go_over(PlannerInfo *root, bool export)
{
	return export && root->tuple_fraction == 0 && root->parse->limitCount == NULL;
}

/* By pages, which takes no longer than the export that it may become. */
static GcReadCost
search_cost(PlannerInfo *root, RelOptInfo *baserel, Bitmapset *columns, bool export)
{
	GcReadCost pages = gc_cost_search(root, baserel, columns, baserel->baserestrictinfo);
	GcReadCost file;

	if (!may_go_over(root, export))
		return pages;
	file = gc_cost_export(root, baserel, baserel->baserestrictinfo);
	if (pages.total > file.total + pages.startup)
	{
		pages.requests = file.requests + 1;
		pages.total = file.total + pages.startup;
	}
	return pages;
}

/*
 * By pages in the order that is wanted.  Where all rows are read, and may have to
 * go over to an export, which has no order, sorting them here costs no request.
 */
static void
add_sorted_path(PlannerInfo *root, RelOptInfo *baserel, Bitmapset *columns, bool export)
{
	List *pathkeys = may_go_over(root, export) ? NIL : gc_sort_pathkeys(root, baserel);
	GcReadCost cost;

	if (pathkeys == NIL)
		return;
	cost = gc_cost_search(root, baserel, columns, baserel->baserestrictinfo);
	add_read_path(root, baserel, GC_SCAN_SEARCH, &cost, baserel->rows, NULL, pathkeys);
}

/* The ways for contacts that the query names, and for all that the platform lets through. */
static void
add_search_paths(PlannerInfo *root, RelOptInfo *baserel, Bitmapset *columns, bool export)
{
	GcRelation *rel = baserel->fdw_private;
	GcReadCost whole = gc_cost_search(root, baserel, columns, NIL);
	GcReadCost search = search_cost(root, baserel, columns, export);
	GcReadCost by_ids = {0};
	GcIdentity identity;
	bool allows_ids = gc_source_allows(rel, GC_SCAN_IDS);
	bool named =
		allows_ids && identity_clause(root, baserel, baserel->baserestrictinfo, &identity);

	if (named)
	{
		by_ids = gc_cost_by_ids(root, baserel, &identity, baserel->rows);
		add_read_path(root, baserel, GC_SCAN_IDS, &by_ids, baserel->rows, NULL, NIL);
	}
	/* What is not allowed is refused if nothing else will do. */
	if (!gc_source_allows(rel, GC_SCAN_SEARCH))
		search.total += GC_COST_REFUSED;
	/* A search alone misses what was written a moment ago, so it has to be worth it, surely. */
	if (!named || (by_ids.requests - identity.is_key > whole.requests &&
				   !gc_cost_ids_are_guessed(root, &identity)))
	{
		add_read_path(root, baserel, GC_SCAN_SEARCH, &search, baserel->rows, NULL, NIL);
		if (gc_source_allows(rel, GC_SCAN_SEARCH))
			add_sorted_path(root, baserel, columns, export);
	}
	/* A look-up for each row of another table cannot be made ahead of the first write. */
	if (rel->resource->has_list ? allows_ids && !writes_lists(root)
								: rel->resource->filters != NULL)
		add_join_paths(root, baserel, columns);
}

static void
gcGetForeignPaths(PlannerInfo *root, RelOptInfo *baserel, Oid relid)
{
	GcRelation *rel = baserel->fdw_private;
	Bitmapset *columns = column_set(used_columns(root, baserel, relid));
	bool search;
	bool export;

	gc_source_ways(rel, columns, "the query", &search, &export);
	/* Of a list of unknown size the first page of a search tells which way to take. */
	if (export && !(search && may_go_over(root, export) && !gc_cost_is_known(rel)))
	{
		GcReadCost cost = gc_cost_export(root, baserel, baserel->baserestrictinfo);

		add_read_path(root, baserel, GC_SCAN_EXPORT, &cost, baserel->rows, NULL, NIL);
	}
	if (search)
		add_search_paths(root, baserel, columns, export);
}

/*
 * Is it certain that the scan will be read to its end?  So it is in a query of
 * this table alone without LIMIT, whose rows are all fetched at once.
 */
static bool
reads_all(PlannerInfo *root)
{
	return root->query_level == 1 && root->parent_root == NULL &&
		   bms_membership(root->all_baserels) == BMS_SINGLETON &&
		   root->parse->limitCount == NULL && root->tuple_fraction == 0;
}

/*
 * How many rows the query takes of this scan, in its order; 0: that is not known,
 * or a row is not an entity of a page.
 */
static int
rows_wanted(PlannerInfo *root, RelOptInfo *baserel, ForeignPath *path, Bitmapset *columns)
{
	const GcRelation *rel = baserel->fdw_private;

	if (root->limit_tuples < 1 || root->limit_tuples > INT_MAX ||
		bms_membership(root->all_baserels) != BMS_SINGLETON ||
		!pathkeys_contained_in(root->sort_pathkeys, path->path.pathkeys) ||
		rel->resource->expansion)
		return 0;
	return root->limit_tuples;
}

/*
 * Where a search may stop: early, if rows that are fetched are not dropped; or
 * because it turns out to be longer than planned.
 */
static void
plan_bounds(PlannerInfo *root, RelOptInfo *baserel, ForeignPath *path, bool exact,
			GcScanPlan *plan)
{
	GcRelation *rel = baserel->fdw_private;
	Bitmapset *columns = column_set(plan->columns);
	bool search;
	bool export;

	gc_source_ways(rel, columns, "the query", &search, &export);
	if (may_go_over(root, export))
		plan->export_from = gc_cost_export_from(baserel);
	if (exact)
		plan->limit = rows_wanted(root, baserel, path, columns);
	plan->exact = plan->limit > 0;
	if (plan->limit > 0)
		plan->requests = Min(plan->requests, gc_cost_pages(rel, plan->limit));
}

/* What the statement needs of each row that it is going to change. */
static GcKeep
rows_kept(PlannerInfo *root, RelOptInfo *baserel, const GcRelation *rel)
{
	if (!bms_is_member(baserel->relid, root->all_result_relids))
		return GC_KEEP_NOTHING;
	/* What is deleted one by one is called by its name in messages. */
	return root->parse->commandType == CMD_UPDATE || rel->resource->kind ? GC_KEEP_RAW
																		 : GC_KEEP_ID;
}

/*
 * The qual that an array of ids is, which the server would compare with each of
 * them, row by row: the source looks a row's up among those it has asked for.
 */
static int
qual_to_check(const ForeignPath *path, List *quals, const RestrictInfo *named,
			  const GcIdentity *identity)
{
	ListCell *lc;

	/* An array of another table's rows is theirs to check, should these change. */
	if (!identity->is_array || path->path.param_info)
		return -1;
	foreach (lc, quals)
		if (lfirst(lc) == named->clause)
			return foreach_current_index(lc);
	return -1;
}

static ForeignScan *
plan_scan(PlannerInfo *root, RelOptInfo *baserel, Oid relid, ForeignPath *best_path,
		  List *tlist, List *scan_clauses)
{
	GcRelation *rel = baserel->fdw_private;
	List *clauses = extract_actual_clauses(scan_clauses, false);
	List *exprs = NIL;
	GcScanPlan plan = {.method = linitial_int(best_path->fdw_private),
					   .requests = lsecond_int(best_path->fdw_private),
					   .columns = used_columns(root, baserel, relid),
					   .reads_all = reads_all(root),
					   .keep = rows_kept(root, baserel, rel),
					   .identity = -1,
					   .identity_qual = -1};
	RestrictInfo *named = NULL;
	GcIdentity identity;
	bool exact;

	if (plan.method == GC_SCAN_SEARCH && !gc_source_allows(rel, plan.method))
		gc_source_not_named(rel);
	plan.conditions = gc_pushdown(root, rel, baserel->relid, clauses, &exprs, &exact);
	if (plan.method == GC_SCAN_IDS)
		named = identity_clause(root, baserel, scan_clauses, &identity);
	if (named)
	{
		plan.identity = list_length(exprs);
		plan.identity_is_key = identity.is_key;
		plan.identity_is_array = identity.is_array;
		plan.identity_qual = qual_to_check(best_path, clauses, named, &identity);
		exprs = lappend(exprs, identity.value);
	}
	if (plan.method == GC_SCAN_SEARCH)
	{
		plan.sorts = gc_sort_plan(baserel, best_path->path.pathkeys);
		plan_bounds(root, baserel, best_path, exact, &plan);
	}
	return make_foreignscan(tlist, clauses, baserel->relid, exprs, gc_scan_plan_write(&plan),
							NIL, NIL, NULL);
}

static ForeignScan *
gcGetForeignPlan(PlannerInfo *root, RelOptInfo *baserel, Oid relid, ForeignPath *best_path,
				 List *tlist, List *scan_clauses, Plan *outer_plan)
{
	if (IS_UPPER_REL(baserel))
		return gc_count_plan(root, best_path, tlist, outer_plan);
	return plan_scan(root, baserel, relid, best_path, tlist, scan_clauses);
}

List *
gc_scan_plan_write(const GcScanPlan *plan)
{
	List *numbers = list_make5_int(plan->method, plan->identity, plan->identity_is_key,
								   plan->identity_is_array, plan->reads_all);

	numbers = lappend_int(numbers, plan->identity_qual);
	numbers = lappend_int(numbers, plan->requests);
	numbers = lappend_int(numbers, plan->export_from);
	numbers = lappend_int(numbers, plan->exact);
	numbers = lappend_int(numbers, plan->limit);
	numbers = lappend_int(numbers, plan->keep);
	numbers = lappend_int(numbers, plan->stands_by);
	return list_make4(plan->columns, plan->conditions, numbers, plan->sorts);
}

void
gc_scan_plan_read(List *fdw_private, GcScanPlan *plan)
{
	List *numbers = lthird(fdw_private);
	int i = 0;

	plan->columns = linitial(fdw_private);
	plan->conditions = lsecond(fdw_private);
	plan->sorts = lfourth(fdw_private);
	plan->method = list_nth_int(numbers, i++);
	plan->identity = list_nth_int(numbers, i++);
	plan->identity_is_key = list_nth_int(numbers, i++);
	plan->identity_is_array = list_nth_int(numbers, i++);
	plan->reads_all = list_nth_int(numbers, i++);
	plan->identity_qual = list_nth_int(numbers, i++);
	plan->requests = list_nth_int(numbers, i++);
	plan->export_from = list_nth_int(numbers, i++);
	plan->exact = list_nth_int(numbers, i++);
	plan->limit = list_nth_int(numbers, i++);
	plan->keep = list_nth_int(numbers, i++);
	plan->stands_by = list_nth_int(numbers, i++);
}

void
gc_plan_routine(FdwRoutine *routine)
{
	routine->GetForeignRelSize = gcGetForeignRelSize;
	routine->GetForeignPaths = gcGetForeignPaths;
	routine->GetForeignPlan = gcGetForeignPlan;
	gc_count_routine(routine);
}
