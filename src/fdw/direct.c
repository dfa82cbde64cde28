/*
 * fdw/direct.c
 *	  UPDATE and DELETE as bulk jobs of the platform: planning, callbacks.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/option.h"
#include "fdw/delete.h"
#include "fdw/deliver.h"
#include "fdw/direct.h"
#include "fdw/direct_parts.h"
#include "fdw/drift.h"
#include "fdw/explain.h"
#include "fdw/filter.h"
#include "fdw/modify_state.h"
#include "fdw/plan.h"
#include "fdw/pushdown.h"
#include "fdw/scan.h"
#include "fdw/statement.h"
#include "fdw/update.h"

#include "commands/explain.h"
#include "executor/executor.h"
#include "optimizer/appendinfo.h"
#include "optimizer/clauses.h"
#include "optimizer/inherit.h"
#include "optimizer/optimizer.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* What PlanDirectModify leaves in the plan. */
enum DirectPrivate
{
	DirectPrivateNumbers,	 /* IntList, see DirectNumber */
	DirectPrivateConditions, /* as gc_pushdown says them */
	DirectPrivateColumns,	 /* IntList: attnums that SET names */
};

enum DirectNumber
{
	DirectNumberTag,	  /* the command tag counts the rows */
	DirectNumberIdentity, /* index in fdw_exprs of the array of ids; -1: by criteria */
	DirectNumberValues,	  /* … of the first value of SET */
};

/* The conditions and values of one plan, while it is made. */
typedef struct DirectPlan
{
	GcRelation *rel;
	List *conditions;
	List *exprs;
	int identity;
	int values;
	List *columns;
} DirectPlan;

typedef struct DirectState
{
	GcDirect direct;
	ForeignScan *plan;
	List *columns;
	List *values; /* of SET: expressions … */
	List *states; /* … and their ExprState */
	bool counts;
	bool done;
	bool row_by_row;
	GcFilter *filter;
	MemoryContext cxt;
	MemoryContextCallback on_reset;
} DirectState;

/* ---- planning ---- */

/* The scan of that table that gives the rows to be changed, and does nothing else; or NULL. */
static ForeignScan *
find_scan(ModifyTable *plan, Index relation, int subplan_index)
{
	Plan *rows = outerPlan(plan);

	/* Children whose columns are in another order have a Result above the Append. */
	if (IsA(rows, Result) && outerPlan(rows) && IsA(outerPlan(rows), Append))
		rows = outerPlan(rows);
	if (IsA(rows, Append))
	{
		List *children = ((Append *) rows)->appendplans;

		if (subplan_index >= list_length(children))
			return NULL;
		rows = list_nth(children, subplan_index);
	}
	if (!IsA(rows, ForeignScan) || ((Scan *) rows)->scanrelid != relation)
		return NULL;
	return (ForeignScan *) rows;
}

/* Is it an id or a key by name alone, many of them, as an edit takes them? */
static bool
names_contacts(PlannerInfo *root, Index relation, List *clauses, DirectPlan *direct)
{
	const GcColumn *column;
	GcIdentity identity;

	if (list_length(clauses) != 1 ||
		!gc_pushdown_identity(root, direct->rel, relation, linitial(clauses), &identity) ||
		identity.is_key || !identity.is_array || !gc_source_allows(direct->rel, GC_SCAN_IDS))
		return false;
	/* A column that cuts what is longer may stand for several ids. */
	column = &direct->rel->columns[identity.column - 1];
	if (column->type.is_domain || column->type.typmod >= 0)
		return false;
	direct->identity = 0;
	direct->exprs = list_make1(identity.value);
	return true;
}

/* Not where contacts are named: those may be there before a search shows them. */
static bool
ships_exactly(PlannerInfo *root, Index relation, List *clauses, DirectPlan *direct)
{
	GcIdentity identity;
	ListCell *lc;
	bool exact;

	foreach (lc, clauses)
		if (gc_pushdown_identity(root, direct->rel, relation, lfirst(lc), &identity))
			return false;
	direct->conditions =
		gc_pushdown(root, direct->rel, relation, clauses, &direct->exprs, &exact);
	/* Without conditions there is nothing that a job could be told. */
	return exact && direct->conditions != NIL && gc_source_allows(direct->rel, GC_SCAN_SEARCH);
}

/* Is it the same for all rows? */
static bool
is_constant(PlannerInfo *root, Node *expr)
{
	return bms_is_empty(pull_varnos(root, expr)) && !contain_volatile_functions(expr) &&
		   !contain_subplans(expr);
}

/*
 * What SET gives.  An attribute of all contacts that match could only be looked at
 * afterwards by reading them all, which is what goes row by row.
 */
static bool
takes_values(PlannerInfo *root, Index relation, DirectPlan *direct)
{
	List *targets;
	List *attnums;
	ListCell *lc;
	ListCell *lc2;

	get_translated_update_targetlist(root, relation, &targets, &attnums);
	forboth(lc, targets, lc2, attnums)
	{
		Node *expr = (Node *) lfirst_node(TargetEntry, lc)->expr;
		const GcColumn *column = &direct->rel->columns[lfirst_int(lc2) - 1];
		bool by_ids = direct->identity >= 0;

		if (!is_constant(root, expr) ||
			(column->field == NULL &&
			 (!by_ids || column->attribute->role != GC_ROLE_CALLABLE)))
			return false;
		direct->exprs = lappend(direct->exprs, expr);
		direct->columns = lappend_int(direct->columns, lfirst_int(lc2));
	}
	return true;
}

/*
 * Does nothing else of the statement write?  All parts of WITH are about what was
 * there before, and a job about what it finds when it runs.
 */
static bool
writes_alone(PlannerInfo *root)
{
	int count;
	ListCell *lc;

	while (root->parent_root)
		root = root->parent_root;
	count = root->parse->commandType != CMD_SELECT;
	foreach (lc, root->parse->cteList)
		count += castNode(Query, lfirst_node(CommonTableExpr, lc)->ctequery)->commandType !=
				 CMD_SELECT;
	return count == 1;
}

static bool
plan_direct(PlannerInfo *root, ModifyTable *plan, Index relation, ForeignScan *scan,
			DirectPlan *direct)
{
	const GcRelation *rel = direct->rel;
	List *clauses = scan->scan.plan.qual;
	bool edit = plan->operation == CMD_UPDATE;

	if (!rel->resource->has_list || plan->returningLists != NIL ||
		!gc_option_bool(rel->options, rel->server_options, "direct_modify") ||
		!gc_option_bool(rel->options, rel->server_options, "updatable") ||
		gc_modify_waits(rel) || gc_reject_goes_on(rel) ||
		contain_subplans((Node *) scan->scan.plan.targetlist) || !writes_alone(root))
		return false;
	/* A removal takes no ids. */
	if (!(edit && names_contacts(root, relation, clauses, direct)) &&
		!ships_exactly(root, relation, clauses, direct))
		return false;
	direct->values = list_length(direct->exprs);
	return !edit || takes_values(root, relation, direct);
}

/* The way row by row. */
static ForeignScan *
plan_below(ForeignScan *scan)
{
	ForeignScan *below = copyObject(scan);
	GcScanPlan plan;

	gc_scan_plan_read(below->fdw_private, &plan);
	plan.stands_by = true;
	below->fdw_private = gc_scan_plan_write(&plan);
	return below;
}

static bool
gcPlanDirectModify(PlannerInfo *root, ModifyTable *plan, Index relation, int subplan_index)
{
	DirectPlan direct = {.identity = -1};
	ForeignScan *scan = find_scan(plan, relation, subplan_index);
	ForeignScan *below;

	if (plan->operation == CMD_INSERT || scan == NULL)
		return false;
	direct.rel = find_base_rel(root, relation)->fdw_private;
	if (!plan_direct(root, plan, relation, scan, &direct))
		return false;
	if (plan->operation == CMD_UPDATE)
		gc_update_check(direct.rel,
						get_rel_all_updated_cols(root, find_base_rel(root, relation)));
	/* A job is not begun and then left alone for a while, as an Append would have it. */
	scan->scan.plan.async_capable = false;
	below = plan_below(scan);
	scan->operation = plan->operation;
	scan->resultRelation = relation;
	scan->scan.plan.qual = NIL;
	scan->fdw_exprs = direct.exprs;
	scan->fdw_private =
		list_make3(list_make3_int(plan->canSetTag, direct.identity, direct.values),
				   direct.conditions, direct.columns);
	outerPlan(scan) = (Plan *) below;
	return true;
}

/* ---- opening ---- */

static void
gcBeginDirectModify(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	EState *estate = node->ss.ps.state;
	MemoryContext caller_cxt = MemoryContextSwitchTo(estate->es_query_cxt);
	List *numbers = list_nth(plan->fdw_private, DirectPrivateNumbers);
	int identity = list_nth_int(numbers, DirectNumberIdentity);
	int first_value = list_nth_int(numbers, DirectNumberValues);
	DirectState *state = palloc0(sizeof(DirectState));
	GcDirect *direct = &state->direct;

	state->cxt = AllocSetContextCreate(estate->es_query_cxt, "gc_fdw bulk jobs",
									   ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(state->cxt);
	direct->verb = plan->operation == CMD_UPDATE ? GC_VERB_UPDATE : GC_VERB_DELETE;
	direct->stat.spent = gc_statement_spent(estate);
	direct->request.rel = gc_relation_load(node->resultRelInfo->ri_RelationDesc);
	direct->request.stat = &direct->stat;
	direct->request.id_is_array = identity >= 0;
	state->plan = plan;
	state->counts = list_nth_int(numbers, DirectNumberTag);
	state->columns = list_nth(plan->fdw_private, DirectPrivateColumns);
	state->values = list_copy_tail(plan->fdw_exprs, first_value);
	state->states = ExecInitExprList(state->values, &node->ss.ps);
	state->filter = gc_filter_create(&node->ss.ps, direct->request.rel,
									 list_nth(plan->fdw_private, DirectPrivateConditions),
									 list_truncate(list_copy(plan->fdw_exprs), first_value),
									 identity, true);
	node->fdw_state = state;
	MemoryContextSwitchTo(caller_cxt);
}

/* ---- what SET gives ---- */

/* A row of the table with those values that SET gives, or just the constants among them. */
static TupleTableSlot *
new_values(DirectState *state, ForeignScanState *node, bool constants_only)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(
		RelationGetDescr(node->resultRelInfo->ri_RelationDesc), &TTSOpsVirtual);
	ListCell *lc;
	ListCell *lc2;
	ListCell *lc3;

	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts);
	forthree(lc, state->columns, lc2, state->states, lc3, state->values)
	{
		int i = lfirst_int(lc) - 1;

		if (constants_only && !IsA(lfirst(lc3), Const))
			continue;
		slot->tts_values[i] =
			ExecEvalExpr(lfirst(lc2), node->ss.ps.ps_ExprContext, &slot->tts_isnull[i]);
	}
	return ExecStoreVirtualTuple(slot);
}

/* Encodes what SET gives; false if it cannot be, which the ordinary way reports. */
static bool
make_patch(DirectState *state, TupleTableSlot *slot)
{
	GcDirect *direct = &state->direct;
	GcList *list = direct->request.list;
	GcRelation *rel = direct->request.rel;
	GcEncoder *encoder = gc_encoder_create(rel, list, NULL);
	bool *changed = palloc0(sizeof(bool) * Max(rel->column_count, 1));
	StringInfoData start;
	ListCell *lc;

	foreach (lc, state->columns)
		changed[lfirst_int(lc) - 1] = true;
	if (gc_encoder_patch(encoder, slot, changed, "", &direct->patch) != NULL)
		return false;
	initStringInfo(&start);
	appendStringInfoString(&start, "\"contactListId\":\"");
	gc_json_escape(&start, list->id, strlen(list->id));
	appendStringInfoString(&start, "\",");
	direct->start = start.data;
	return gc_direct_can_check(direct);
}

/* ---- at work ---- */

/* The ordinary way: the plan below gives the rows. */
static int64
run_row_by_row(DirectState *state, ForeignScanState *node, TupleTableSlot *slot)
{
	PlanState *below = outerPlanState(node);
	ResultRelInfo *rri = node->resultRelInfo;
	EState *estate = node->ss.ps.state;
	bool edit = state->direct.verb == GC_VERB_UPDATE;
	int64 rows = 0;

	state->row_by_row = true;
	if (edit)
		gc_update_begin(rri, below, &(GcUpdateUse){.counted = state->counts});
	else
		gc_delete_begin(rri, below, false, state->counts);
	for (;;)
	{
		TupleTableSlot *row = ExecProcNode(below);

		if (TupIsNull(row))
			return rows;
		if (edit ? gc_update_row(estate, rri, slot, row) != NULL
				 : gc_delete_row(estate, rri, slot, row) != NULL)
			rows++;
	}
}

/* Makes ready to ask the platform; false if it cannot be said what is to be done. */
static bool
can_be_said(DirectState *state, ForeignScanState *node, TupleTableSlot *slot)
{
	GcDirect *direct = &state->direct;
	GcSourceRequest *request = &direct->request;

	request->conn =
		gc_connection_get(gc_compat_modify_user(node->resultRelInfo, node->ss.ps.state),
						  request->rel->server_id);
	request->list = gc_drift_list(request->conn, &direct->stat, request->rel, false);
	request->nothing = !gc_filter_apply(state->filter, request);
	if (request->nothing)
		return true;
	/* A contact by itself is sooner done by its own call. */
	if (request->id_is_array ? request->id_count < 2 : !request->exact)
		return false;
	return direct->verb == GC_VERB_DELETE || make_patch(state, slot);
}

/* It reads the figures until then, an error or not. */
static void
release_audit(void *arg)
{
	gc_audit_release(arg);
}

static int64
run(DirectState *state, ForeignScanState *node)
{
	GcDirect *direct = &state->direct;
	GcSourceRequest *request = &direct->request;
	TupleTableSlot *slot = new_values(state, node, false);
	int64 rows = 0;

	if (!can_be_said(state, node, slot))
		rows = run_row_by_row(state, node, slot);
	else if (!request->nothing)
	{
		direct->calls = gc_calls_open(request->conn, &direct->stat);
		direct->audit = gc_audit_begin(request->rel->label, request->list->id,
									   gc_verb(direct->verb)->command, NULL, &direct->stat);
		state->on_reset.func = release_audit;
		state->on_reset.arg = direct->audit;
		MemoryContextRegisterResetCallback(state->cxt, &state->on_reset);
		direct->progress = gc_progress_begin(&request->conn->owner, request->list->name,
											 gc_verb(direct->verb)->command);
		gc_scan_read_ahead(node->ss.ps.state);
		rows = gc_direct_run(direct);
		gc_audit_complete(direct->audit);
		gc_calls_close(direct->calls);
	}
	ExecDropSingleTupleTableSlot(slot);
	return rows;
}

/* Gives no rows: what is to be done is done at the first call, and counted. */
static TupleTableSlot *
gcIterateDirectModify(ForeignScanState *node)
{
	DirectState *state = node->fdw_state;
	EState *estate = node->ss.ps.state;
	MemoryContext caller_cxt;
	int64 rows;

	if (state->done)
		return ExecClearTuple(node->ss.ss_ScanTupleSlot);
	state->done = true;
	caller_cxt = MemoryContextSwitchTo(state->cxt);
	rows = run(state, node);
	MemoryContextSwitchTo(caller_cxt);
	if (state->counts)
		estate->es_processed += rows;
	if (node->ss.ps.instrument)
		node->ss.ps.instrument->tuplecount += rows;
	return ExecClearTuple(node->ss.ss_ScanTupleSlot);
}

static void
gcEndDirectModify(ForeignScanState *node)
{
	DirectState *state = node->fdw_state;

	/* What was written row by row is all answered by now; the server does not ask us again. */
	if (state && state->row_by_row)
		gc_deliver_drain(node->ss.ps.state);
	node->fdw_state = NULL;
}

/* ---- EXPLAIN ---- */

/* What SET gives, as far as it is known without evaluating anything but constants. */
static const char *
show_patch(DirectState *state, ForeignScanState *node)
{
	GcRelation *rel = state->direct.request.rel;
	GcList unknown = {.id = ""};
	GcEncoder *encoder = gc_encoder_create(rel, &unknown, NULL);
	TupleTableSlot *slot = new_values(state, node, true);
	StringInfoData attributes;
	StringInfoData cells;
	ListCell *lc;
	ListCell *lc2;

	initStringInfo(&attributes);
	initStringInfo(&cells);
	forboth(lc, state->columns, lc2, state->values)
	{
		const GcColumn *column = &rel->columns[lfirst_int(lc) - 1];
		bool *changed = palloc0(sizeof(bool) * rel->column_count);
		GcPatch patch;

		changed[lfirst_int(lc) - 1] = true;
		if (IsA(lfirst(lc2), Const) &&
			gc_encoder_patch(encoder, slot, changed, "", &patch) == NULL)
		{
			appendStringInfoString(&attributes, patch.attributes);
			appendStringInfo(&cells, "%s%s", *patch.cells && cells.len > 0 ? "," : "",
							 patch.cells);
		}
		else if (column->field)
			appendStringInfo(&cells, "%s\"%s\":\"?\"", cells.len > 0 ? "," : "",
							 column->field);
		else
			appendStringInfo(&attributes, "\"%s\":\"?\",", column->attribute->path);
	}
	ExecDropSingleTupleTableSlot(slot);
	return psprintf("{%s\"data\":{%s}}", attributes.data, cells.data);
}

static void
gcExplainDirectModify(ForeignScanState *node, ExplainState *es)
{
	DirectState *state = node->fdw_state;
	GcDirect *direct = &state->direct;
	bool edit = direct->verb == GC_VERB_UPDATE;
	bool by_ids = direct->request.id_is_array;

	gc_explain_direct(es, &direct->request, edit,
					  by_ids ? NULL : gc_filter_show(state->filter, direct->request.list),
					  edit ? show_patch(state, node) : NULL);
	if (!es->analyze)
		return;
	if (state->row_by_row)
		ExplainPropertyBool("Row by Row", true, es);
	else
		gc_explain_stat(es, &direct->stat);
}

void
gc_direct_routine(FdwRoutine *routine)
{
	routine->PlanDirectModify = gcPlanDirectModify;
	routine->BeginDirectModify = gcBeginDirectModify;
	routine->IterateDirectModify = gcIterateDirectModify;
	routine->EndDirectModify = gcEndDirectModify;
	routine->ExplainDirectModify = gcExplainDirectModify;
}
