/*
 * fdw/sift.c
 *	  Which entities of a listing a query wants, before further calls are made for them.
 */
#include "postgres.h"

#include "fdw/decode.h"
#include "fdw/sift.h"

#include "access/sysattr.h"
#include "executor/executor.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/memutils.h"
#include "utils/rel.h"

typedef struct Sift
{
	GcSift base;
	ForeignScanState *node;
	ExprState *qual;
	ExprContext *econtext;
	TupleTableSlot *slot;
	GcDecoder *decoder;
} Sift;

/* Does an entity pass the conditions?  One that cannot be read does: its reader refuses it. */
static bool
passes(void *arg, const GcSpan *entity)
{
	Sift *sift = arg;
	TupleTableSlot *slot = ExecClearTuple(sift->slot);
	MemoryContext caller_cxt;
	GcJson json;
	bool passed = true;

	ResetExprContext(sift->econtext);
	caller_cxt = MemoryContextSwitchTo(sift->econtext->ecxt_per_tuple_memory);
	gc_json_init(&json, entity->p, entity->len);
	if (gc_decoder_row(sift->decoder, &json, slot->tts_values, slot->tts_isnull))
	{
		sift->econtext->ecxt_scantuple = ExecStoreVirtualTuple(slot);
		passed = ExecQual(sift->qual, sift->econtext);
	}
	MemoryContextSwitchTo(caller_cxt);
	if (!passed)
		InstrCountFiltered1(sift->node, 1);
	return passed;
}

/* Has the listing all the columns of the condition?  They are added to "used". */
static bool
is_of_listing(const GcRelation *rel, Index varno, Node *clause, Bitmapset **used)
{
	Bitmapset *attnos = NULL;
	int member = -1;

	pull_varattnos(clause, varno, &attnos);
	while ((member = bms_next_member(attnos, member)) >= 0)
	{
		AttrNumber attnum = member + FirstLowInvalidHeapAttributeNumber;

		if (attnum <= 0 || rel->columns[attnum - 1].attribute == NULL ||
			rel->columns[attnum - 1].attribute->expanded)
			return false;
		*used = bms_add_member(*used, attnum);
	}
	return true;
}

/*
 * The conditions that can be checked early.  None is checked before another that stands
 * before it, unless it tells nobody what it sees: a policy is a barrier.
 */
static List *
early_quals(const GcRelation *rel, const Scan *plan, Bitmapset **used)
{
	List *quals = NIL;
	bool passed_over = false;
	ListCell *lc;

	foreach (lc, plan->plan.qual)
	{
		Node *clause = lfirst(lc);
		Bitmapset *columns = bms_copy(*used);

		if (contain_volatile_functions(clause) || contain_subplans(clause) ||
			(passed_over && contain_leaked_vars(clause)) ||
			!is_of_listing(rel, plan->scanrelid, clause, &columns))
		{
			passed_over = true;
			continue;
		}
		*used = columns;
		quals = lappend(quals, clause);
	}
	return quals;
}

const GcSift *
gc_sift_create(ForeignScanState *node, GcRelation *rel, Bitmapset *columns)
{
	const GcExpansion *expansions[GC_EXPANSIONS_MAX];
	/* Not a column, but keeps the set from being NULL, which would mean all of them. */
	Bitmapset *used = bms_make_singleton(0);
	List *quals;
	Sift *sift;

	if (rel->resource->expansion || gc_relation_expansions(rel, columns, expansions) == 0)
		return NULL;
	quals = early_quals(rel, (Scan *) node->ss.ps.plan, &used);
	if (quals == NIL)
		return NULL;
	sift = palloc0(sizeof(Sift));
	sift->base = (GcSift){passes, sift};
	sift->node = node;
	sift->qual = ExecInitQual(quals, &node->ss.ps);
	sift->econtext = CreateExprContext(node->ss.ps.state);
	sift->slot = ExecInitExtraTupleSlot(node->ss.ps.state, rel->tupdesc, &TTSOpsVirtual);
	sift->decoder = gc_decoder_create(rel, NULL, used);
	return &sift->base;
}
