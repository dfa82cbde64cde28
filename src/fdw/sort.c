/*
 * fdw/sort.c
 *	  Orders that the platform sorts by as PostgreSQL does.
 */
#include "postgres.h"

#include "api/criteria.h"
#include "base/compat.h"
#include "base/option.h"
#include "fdw/sort.h"

#include "catalog/pg_type.h"
#include "utils/datum.h"
#include "utils/typcache.h"

/* ---- planning ---- */

static bool
can_sort_by(const GcColumn *column)
{
	const GcValueType *type = &column->type;

	return column->field != NULL && column->not_null && !type->is_domain &&
		   (type->kind == GC_VALUE_INT || (type->type == NUMERICOID && type->typmod < 0));
}

/* The column that an order goes by; NULL if the platform cannot sort by it. */
static const GcColumn *
sort_column(RelOptInfo *baserel, const PathKey *pathkey)
{
	const GcRelation *rel = baserel->fdw_private;
	ListCell *lc;

	if (pathkey->pk_eclass->ec_has_volatile)
		return NULL;
	foreach (lc, pathkey->pk_eclass->ec_members)
	{
		EquivalenceMember *member = lfirst(lc);
		Var *var = (Var *) member->em_expr;
		const GcColumn *column;

		if (!IsA(var, Var) || var->varno != baserel->relid || var->varattno <= 0)
			continue;
		column = &rel->columns[var->varattno - 1];
		if (can_sort_by(column) &&
			pathkey->pk_opfamily ==
				lookup_type_cache(column->type.type, TYPECACHE_BTREE_OPFAMILY)->btree_opf)
			return column;
	}
	return NULL;
}

List *
gc_sort_pathkeys(PlannerInfo *root, RelOptInfo *baserel)
{
	const GcRelation *rel = baserel->fdw_private;
	List *pathkeys = NIL;
	ListCell *lc;

	if (!rel->resource->has_list || baserel->reloptkind != RELOPT_BASEREL ||
		!gc_option_bool(rel->options, rel->server_options, "exact_filters"))
		return NIL;
	foreach (lc, root->query_pathkeys)
	{
		if (list_length(pathkeys) == GC_SORTS_MAX ||
			sort_column(baserel, lfirst_node(PathKey, lc)) == NULL)
			break;
		pathkeys = lappend(pathkeys, lfirst(lc));
	}
	return pathkeys;
}

List *
gc_sort_plan(RelOptInfo *baserel, List *pathkeys)
{
	List *sorts = NIL;
	ListCell *lc;

	foreach (lc, pathkeys)
	{
		const PathKey *pathkey = lfirst_node(PathKey, lc);

		sorts = lappend(sorts, list_make2_int(sort_column(baserel, pathkey)->attnum,
											  gc_compat_descends(pathkey)));
	}
	return sorts;
}

const char *
gc_sort_json(const GcRelation *rel, List *sorts)
{
	StringInfoData json;
	ListCell *lc;

	if (sorts == NIL)
		return NULL;
	initStringInfo(&json);
	foreach (lc, sorts)
		gc_criteria_sort(&json, rel->columns[linitial_int(lfirst(lc)) - 1].field,
						 lsecond_int(lfirst(lc)), true);
	/* What is equal has an order of its own then, from page to page. */
	if (rel->key && list_length(sorts) < GC_SORTS_MAX)
		gc_criteria_sort(&json, rel->columns[rel->key - 1].field, false, false);
	return json.data;
}

/* ---- execution ---- */

typedef struct SortKey
{
	const GcColumn *column;
	bool descends;
	FmgrInfo *compare;
	Datum last;
} SortKey;

struct GcSort
{
	const GcRelation *rel;
	MemoryContext cxt;
	bool begun; /* there was a row */
	int count;
	SortKey keys[GC_SORTS_MAX];
};

GcSort *
gc_sort_create(const GcRelation *rel, List *sorts)
{
	GcSort *sort = palloc0(sizeof(GcSort));
	ListCell *lc;

	sort->rel = rel;
	sort->cxt = CurrentMemoryContext;
	foreach (lc, sorts)
	{
		SortKey *key = &sort->keys[sort->count++];

		key->column = &rel->columns[linitial_int(lfirst(lc)) - 1];
		key->descends = lsecond_int(lfirst(lc));
		key->compare = &lookup_type_cache(key->column->type.type, TYPECACHE_CMP_PROC_FINFO)
							->cmp_proc_finfo;
	}
	return sort;
}

static _Noreturn void
throw_order(const GcSort *sort, const SortKey *key, bool is_null)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_FDW_ERROR),
		 errmsg("%s did not come in the order of column \"%s\"", sort->rel->label,
				key->column->name),
		 is_null ? errdetail("A cell is empty, though the column is declared NOT NULL.")
				 : errdetail("A cell is none of the numbers that the platform knows, or has "
							 "changed while the list was read."),
		 is_null ? errhint("Drop NOT NULL from the column, or set the option \"%s\" to false.",
						   "exact_filters")
				 : errhint("Run the query again, or set the option \"%s\" to false.",
						   "exact_filters")));
}

void
gc_sort_check(GcSort *sort, const Datum *values, const bool *nulls)
{
	bool tied = sort->begun;
	MemoryContext caller_cxt = MemoryContextSwitchTo(sort->cxt);

	for (int i = 0; i < sort->count; i++)
	{
		SortKey *key = &sort->keys[i];
		const GcValueType *type = &key->column->type;
		Datum value = values[key->column->attnum - 1];
		int sign = 0;

		if (nulls[key->column->attnum - 1])
			throw_order(sort, key, true);
		if (tied)
			sign = DatumGetInt32(FunctionCall2(key->compare, value, key->last)) *
				   (key->descends ? -1 : 1);
		if (sign < 0)
			throw_order(sort, key, false);
		tied = tied && sign == 0;
		if (sort->begun && !type->typbyval)
			pfree(DatumGetPointer(key->last));
		key->last = datumCopy(value, type->typbyval, type->typlen);
	}
	sort->begun = true;
	MemoryContextSwitchTo(caller_cxt);
}
