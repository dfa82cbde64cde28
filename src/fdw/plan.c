/*
 * fdw/plan.c
 *	  Planning of scans: sizes, costs, and what the executor needs.
 */
#include "postgres.h"

#include <math.h>

#include "base/compat.h"
#include "base/option.h"
#include "fdw/plan.h"
#include "fdw/relation.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "foreign/foreign.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "utils/hsearch.h"
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

static void
gcGetForeignRelSize(PlannerInfo *root, RelOptInfo *baserel, Oid relid)
{
	baserel->tuples = table_rows(relid, baserel);
	set_baserel_size_estimates(root, baserel);
}

static void
gcGetForeignPaths(PlannerInfo *root, RelOptInfo *baserel, Oid relid)
{
	ForeignTable *table = GetForeignTable(relid);
	ForeignServer *server = GetForeignServer(table->serverid);
	int page_size = gc_option_int(table->options, server->options, "fetch_size");
	double pages = Max(1, ceil(baserel->tuples / page_size));
	Cost request = REQUEST_MS * COST_PER_MS;
	Cost cpu = baserel->tuples * (cpu_tuple_cost + baserel->baserestrictcost.per_tuple);

	add_path(baserel,
			 (Path *) gc_compat_foreign_path(
				 root, baserel, baserel->rows, request + baserel->baserestrictcost.startup,
				 request * pages + baserel->baserestrictcost.startup + cpu, NIL));
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
	return make_foreignscan(
		tlist, extract_actual_clauses(scan_clauses, false), baserel->relid, NIL,
		list_make2(used_columns(baserel, relid), list_make1_int(reads_all(root))), NIL, NIL,
		outer_plan);
}

void
gc_plan_routine(FdwRoutine *routine)
{
	routine->GetForeignRelSize = gcGetForeignRelSize;
	routine->GetForeignPaths = gcGetForeignPaths;
	routine->GetForeignPlan = gcGetForeignPlan;
}
