/*
 * fdw/plan.c
 *	  Planning of scans: sizes, costs, and what the executor needs.
 */
#include "postgres.h"

#include <math.h>

#include "api/contacts.h"
#include "base/compat.h"
#include "base/option.h"
#include "fdw/plan.h"
#include "fdw/pushdown.h"
#include "fdw/relation.h"
#include "fdw/source.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "foreign/foreign.h"
#include "optimizer/cost.h"
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

/*
 * One millisecond in units of cost: a cost of 1 is a sequentially read page, of
 * which a machine reads some ten in that time.
 */
#define COST_PER_MS 10.0

/* A request takes this long, or as long as the quota of 300 a minute makes it wait. */
#define REQUEST_MS 200.0

typedef struct KnownRows
{
	Oid relid; /* must be first */
	int64 rows;
} KnownRows;

static HTAB *known_rows = NULL;

void
gc_plan_note_rows(Oid relid, int64 rows)
{
	KnownRows *known;

	if (known_rows == NULL)
	{
		HASHCTL control = {
			.keysize = sizeof(Oid), .entrysize = sizeof(KnownRows), .hcxt = TopMemoryContext};

		known_rows = hash_create("gc_fdw table sizes", 32, &control,
								 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	known = hash_search(known_rows, &relid, HASH_ENTER, NULL);
	known->rows = rows;
}

static double
table_rows(Oid relid, RelOptInfo *baserel)
{
	const char *object;
	KnownRows *known = known_rows ? hash_search(known_rows, &relid, HASH_FIND, NULL) : NULL;

	if (known)
		return Max(known->rows, 1);
	if (baserel->tuples > 0)
		return baserel->tuples;
	object = gc_option_string(GetForeignTable(relid)->options, NIL, "object");
	return object ? gc_resource_by_name(object)->default_rows : 1;
}

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

/* How many contacts the clause names, as far as can be told. */
static double
ids_named(PlannerInfo *root, const GcIdentity *identity)
{
	return identity->is_array ? Max(gc_compat_array_length(root, (Node *) identity->value), 1)
							  : 1;
}

static void
gcGetForeignRelSize(PlannerInfo *root, RelOptInfo *baserel, Oid relid)
{
	Relation relation = table_open(relid, NoLock);
	GcRelation *rel = gc_relation_load(relation);
	GcIdentity identity;

	table_close(relation, NoLock);
	baserel->fdw_private = rel;
	baserel->tuples = table_rows(relid, baserel);
	set_baserel_size_estimates(root, baserel);
	/* Without statistics, the server takes each value for half a hundredth of the list. */
	if (rel->resource->has_list &&
		identity_clause(root, baserel, baserel->baserestrictinfo, &identity))
		baserel->rows = Min(baserel->rows, ids_named(root, &identity));
}

/* ---- paths ---- */

#define REQUEST_COST (REQUEST_MS * COST_PER_MS)

/* Requests of a search for the rows that the platform lets through. */
static double
search_requests(PlannerInfo *root, RelOptInfo *baserel, List *clauses)
{
	GcRelation *rel = baserel->fdw_private;
	int page_size = gc_option_int(rel->options, rel->server_options, "fetch_size");
	List *exprs = NIL;
	List *pushed = NIL;
	ListCell *lc;

	foreach (lc, clauses)
	{
		RestrictInfo *info = lfirst_node(RestrictInfo, lc);

		if (rel->resource->has_list &&
			gc_pushdown(root, rel, baserel->relid, list_make1(info->clause), &exprs) != NIL)
			pushed = lappend(pushed, info);
	}
	return Max(1, ceil(baserel->tuples *
					   clauselist_selectivity(root, pushed, 0, JOIN_INNER, NULL) / page_size));
}

static void
add_search_path(PlannerInfo *root, RelOptInfo *baserel)
{
	QualCost *quals = &baserel->baserestrictcost;
	double requests = search_requests(root, baserel, baserel->baserestrictinfo);
	Cost cpu = baserel->rows * cpu_tuple_cost + baserel->tuples * quals->per_tuple;

	add_path(baserel, (Path *) gc_compat_foreign_path(
						  root, baserel, baserel->rows, NULL, REQUEST_COST + quals->startup,
						  REQUEST_COST * requests + quals->startup + cpu,
						  list_make1_int(GC_SCAN_SEARCH)));
}

/* One request to ask for it, some to see whether it is ready, one for the file. */
#define EXPORT_REQUESTS 6

static void
add_export_path(PlannerInfo *root, RelOptInfo *baserel)
{
	QualCost *quals = &baserel->baserestrictcost;
	Cost startup = REQUEST_COST * EXPORT_REQUESTS + quals->startup;
	Cost cpu = baserel->rows * cpu_tuple_cost + baserel->tuples * quals->per_tuple;

	add_path(baserel,
			 (Path *) gc_compat_foreign_path(root, baserel, baserel->rows, NULL, startup,
											 startup + cpu, list_make1_int(GC_SCAN_EXPORT)));
}

/* Requests that look them up. */
static double
ids_requests(PlannerInfo *root, const GcIdentity *identity)
{
	return ceil(ids_named(root, identity) / GC_CONTACTS_MAX_IDS) + (identity->is_key ? 1 : 0);
}

static void
add_ids_path(PlannerInfo *root, RelOptInfo *baserel, GcIdentity *identity, double rows,
			 ParamPathInfo *param_info)
{
	add_path(baserel, (Path *) gc_compat_foreign_path(
						  root, baserel, rows, param_info ? param_info->ppi_req_outer : NULL,
						  REQUEST_COST,
						  REQUEST_COST * ids_requests(root, identity) + rows * cpu_tuple_cost,
						  list_make1_int(GC_SCAN_IDS)));
}

/* A path for a value of another table: each of its rows is a look-up. */
static void
add_join_path(PlannerInfo *root, RelOptInfo *baserel, RestrictInfo *info)
{
	Relids outer = bms_del_member(bms_copy(info->clause_relids), baserel->relid);
	ParamPathInfo *param_info;
	GcIdentity identity;

	if (bms_is_empty(outer) || !join_clause_is_movable_to(info, baserel) ||
		!gc_pushdown_identity(root, baserel->fdw_private, baserel->relid, info->clause,
							  &identity))
		return;
	outer = bms_union(outer, baserel->lateral_relids);
	param_info = get_baserel_parampathinfo(root, baserel, outer);
	/* Of columns that are equal, the plan may have the clause for one that names nobody. */
	if (identity_clause(root, baserel, param_info->ppi_clauses, &identity) == NULL)
		return;
	param_info->ppi_rows = Min(param_info->ppi_rows, ids_named(root, &identity));
	add_ids_path(root, baserel, &identity, param_info->ppi_rows, param_info);
}

/* Does that member of an equivalence class name contacts? */
static bool
is_identity_member(PlannerInfo *root, RelOptInfo *rel, EquivalenceClass *ec,
				   EquivalenceMember *em, void *arg)
{
	Node *node = (Node *) em->em_expr;
	GcRelation *table = rel->fdw_private;
	Var *var;

	while (IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	var = (Var *) node;
	return IsA(node, Var) && var->varno == rel->relid && var->varattno > 0 &&
		   (var->varattno == table->id || var->varattno == table->key);
}

static void
add_join_paths(PlannerInfo *root, RelOptInfo *baserel)
{
	ListCell *lc;

	foreach (lc, baserel->joininfo)
		add_join_path(root, baserel, lfirst(lc));
	if (!baserel->has_eclass_joins)
		return;
	foreach (lc, generate_implied_equalities_for_column(root, baserel, is_identity_member,
														NULL, NULL))
		add_join_path(root, baserel, lfirst(lc));
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

/* The columns that the query uses, here or above. */
static List *
used_columns(RelOptInfo *baserel, Oid relid)
{
	Bitmapset *used = NULL;
	List *columns = NIL;
	ListCell *lc;
	int attnum;
	Relation relation;
	bool whole_row;

	pull_varattnos((Node *) baserel->reltarget->exprs, baserel->relid, &used);
	foreach (lc, baserel->baserestrictinfo)
		pull_varattnos((Node *) lfirst_node(RestrictInfo, lc)->clause, baserel->relid, &used);
	whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used);
	relation = table_open(relid, NoLock);
	for (attnum = 1; attnum <= RelationGetNumberOfAttributes(relation); attnum++)
		if (whole_row || bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, used))
			columns = lappend_int(columns, attnum);
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

static void
gcGetForeignPaths(PlannerInfo *root, RelOptInfo *baserel, Oid relid)
{
	GcRelation *rel = baserel->fdw_private;
	GcIdentity identity;
	bool named;

	if (gc_source_is_export(rel, column_set(used_columns(baserel, relid))))
	{
		add_export_path(root, baserel);
		return;
	}
	named = rel->resource->has_list &&
			identity_clause(root, baserel, baserel->baserestrictinfo, &identity);
	if (named)
		add_ids_path(root, baserel, &identity, baserel->rows, NULL);
	/* A search misses what was written a moment ago, so it has to be worth it. */
	if (!named || ids_requests(root, &identity) > search_requests(root, baserel, NIL))
		add_search_path(root, baserel);
	if (!rel->resource->has_list)
		return;
	/* A look-up for each row of another table cannot be made ahead of the first write. */
	if (!writes_lists(root))
		add_join_paths(root, baserel);
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

static ForeignScan *
gcGetForeignPlan(PlannerInfo *root, RelOptInfo *baserel, Oid relid, ForeignPath *best_path,
				 List *tlist, List *scan_clauses, Plan *outer_plan)
{
	GcRelation *rel = baserel->fdw_private;
	GcScanMethod method = linitial_int(best_path->fdw_private);
	List *clauses = extract_actual_clauses(scan_clauses, false);
	List *exprs = NIL;
	List *conditions = NIL;
	List *named = list_make3_int(-1, false, false);
	GcIdentity identity;

	if (rel->resource->has_list)
		conditions = gc_pushdown(root, rel, baserel->relid, clauses, &exprs);
	if (method == GC_SCAN_IDS &&
		identity_clause(root, baserel, scan_clauses, &identity) != NULL)
	{
		named = list_make3_int(list_length(exprs), identity.is_key, identity.is_array);
		exprs = lappend(exprs, identity.value);
	}
	return make_foreignscan(tlist, clauses, baserel->relid, exprs,
							list_make5(used_columns(baserel, relid),
									   list_make1_int(reads_all(root)), list_make1_int(method),
									   conditions, named),
							NIL, NIL, outer_plan);
}

void
gc_plan_routine(FdwRoutine *routine)
{
	routine->GetForeignRelSize = gcGetForeignRelSize;
	routine->GetForeignPaths = gcGetForeignPaths;
	routine->GetForeignPlan = gcGetForeignPlan;
}
