/*
 * fdw/modify.c
 *	  INSERT, COPY FROM and tuple routing into contacts: the callbacks.
 *
 * Rows are encoded as the executor hands them over, one by one, so that all
 * three share one path on every server version; fdw/deliver.c batches them.
 * Batching is off where something must see the platform's answer to each row:
 * an AFTER ROW trigger, or a RETURNING that asks for what only the platform
 * knows.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/option.h"
#include "fdw/decode.h"
#include "fdw/deliver.h"
#include "fdw/drift.h"
#include "fdw/encode.h"
#include "fdw/explain.h"
#include "fdw/modify.h"
#include "fdw/reject.h"
#include "fdw/returning.h"
#include "fdw/statement.h"

#include "access/table.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "foreign/foreign.h"
#include "nodes/makefuncs.h"
#include "parser/parsetree.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* What PlanForeignModify leaves in the plan. */
enum ModifyPrivate
{
	ModifyPrivateAsk /* Boolean: RETURNING needs the platform's answer */
};

typedef struct InsertState
{
	GcRelation *rel;
	GcList *list;
	GcEncoder *encoder;
	GcTarget *target;
	GcRejecter *rejecter;
	GcDecoder *decoder;		  /* of echoes; NULL while rows are batched */
	TupleTableSlot *result;	  /* the row as it reads; NULL if nobody asks */
	MemoryContext row_cxt;	  /* reset for each row */
	MemoryContext result_cxt; /* of the result, reset for the next one */
	bool told_made_id;
} InsertState;

/* ---- planning ---- */

static int
gcIsForeignRelUpdatable(Relation relation)
{
	ForeignTable *table = GetForeignTable(RelationGetRelid(relation));
	ForeignServer *server = GetForeignServer(table->serverid);
	const char *object = gc_option_string(table->options, NIL, "object");

	/* Asked by information_schema too, so a table that is not usable is no error here. */
	if (object == NULL || gc_resource_by_name(object)->insert_endpoint == NULL ||
		!gc_option_bool(table->options, server->options, "updatable"))
		return 0;
	return 1 << CMD_INSERT;
}

static void
refuse_on_conflict(const char *name)
{
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					errmsg("foreign table \"%s\" does not support ON CONFLICT", name),
					errhint("A contact whose id exists is updated by INSERT itself.")));
}

static List *
gcPlanForeignModify(PlannerInfo *root, ModifyTable *plan, Index result_relation,
					int subplan_index)
{
	RangeTblEntry *rte = planner_rt_fetch(result_relation, root);
	Relation relation = table_open(rte->relid, NoLock);
	GcRelation *rel = gc_relation_load(relation);
	bool asks = false;

	if (plan->onConflictAction != ONCONFLICT_NONE)
		refuse_on_conflict(rel->name);
	if (plan->returningLists)
		asks = gc_returning_asks(rel, list_nth(plan->returningLists, subplan_index));
	table_close(relation, NoLock);
	return list_make1(makeBoolean(asks));
}

/* ---- opening ---- */

static void
read_settings(GcRelation *rel, GcTargetSettings *settings)
{
	settings->batch_rows = Min(gc_option_int(rel->options, rel->server_options, "batch_size"),
							   GC_CONTACTS_MAX_ROWS);
	settings->batch_bytes =
		Min(gc_option_bytes(rel->options, rel->server_options, "batch_bytes"),
			GC_CONTACTS_MAX_BYTES);
	settings->buffer_memory =
		gc_option_bytes(rel->options, rel->server_options, "buffer_memory");
	settings->flags.priority = gc_option_bool(rel->options, NIL, "priority");
	settings->flags.clear_system_data = gc_option_bool(rel->options, NIL, "clear_system_data");
	settings->flags.do_not_queue = gc_option_bool(rel->options, NIL, "do_not_queue");
}

/*
 * Makes ready to insert into one list.  "shown": somebody looks at the row
 * after the insert; "asks": and needs the platform's answer for it.
 */
static void
insert_open(EState *estate, ResultRelInfo *rri, bool shown, bool asks)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(estate->es_query_cxt);
	Relation relation = rri->ri_RelationDesc;
	InsertState *state = palloc0(sizeof(InsertState));
	GcStat stat = {.spent = gc_statement_spent(estate)};
	GcTargetSettings settings;
	GcConnection *conn;

	state->rel = gc_relation_load(relation);
	read_settings(state->rel, &settings);
	conn = gc_connection_get(gc_compat_modify_user(rri, estate), state->rel->server_id);
	state->list = gc_drift_list(conn, &stat, state->rel);
	if (settings.flags.clear_system_data)
		ereport(WARNING, (errmsg("clear_system_data resets attempts and opt-outs of existing "
								 "contacts of %s",
								 state->rel->label)));
	state->encoder =
		gc_encoder_create(state->rel, state->list, ExecGetInsertedCols(rri, estate));
	state->target = gc_deliver_open(estate, conn, state->rel, state->list, &settings);
	gc_deliver_count(state->target, &stat);
	state->rejecter = gc_reject_open(estate, state->rel, state->target);
	if (shown)
		state->result = MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsVirtual);
	if (asks)
		state->decoder = gc_decoder_create(state->rel, state->list, NULL);
	state->row_cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw row", ALLOCSET_DEFAULT_SIZES);
	state->result_cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw result", ALLOCSET_DEFAULT_SIZES);
	rri->ri_FdwState = state;
	MemoryContextSwitchTo(caller_cxt);
}

static bool
has_after_trigger(ResultRelInfo *rri)
{
	return rri->ri_TrigDesc && rri->ri_TrigDesc->trig_insert_after_row;
}

static void
gcBeginForeignModify(ModifyTableState *mtstate, ResultRelInfo *rri, List *fdw_private,
					 int subplan_index, int eflags)
{
	ModifyTable *plan = (ModifyTable *) mtstate->ps.plan;
	bool asks = boolVal(list_nth(fdw_private, ModifyPrivateAsk)) || has_after_trigger(rri);

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	/* A view's CHECK OPTION is held against the row as it will read. */
	insert_open(mtstate->ps.state, rri,
				plan->returningLists != NIL || plan->withCheckOptionLists != NIL || asks,
				asks);
}

static void
gcBeginForeignInsert(ModifyTableState *mtstate, ResultRelInfo *rri)
{
	ModifyTable *plan = (ModifyTable *) mtstate->ps.plan; /* NULL: COPY */
	GcRelation *rel;
	bool asks = has_after_trigger(rri);

	/* Of a partitioned table the planner asks nobody. */
	if (plan && plan->onConflictAction != ONCONFLICT_NONE)
		refuse_on_conflict(RelationGetRelationName(rri->ri_RelationDesc));
	/* Tuple routing: the partition's own RETURNING list is there by now. */
	if (rri->ri_returningList != NIL)
	{
		rel = gc_relation_load(rri->ri_RelationDesc);
		asks = asks || gc_returning_asks(rel, rri->ri_returningList);
	}
	insert_open(mtstate->ps.state, rri,
				rri->ri_returningList != NIL || rri->ri_WithCheckOptions != NIL || asks, asks);
}

/* ---- rows ---- */

static void
tell_made_id(InsertState *state)
{
	state->told_made_id = true;
	ereport(NOTICE,
			(errmsg("contacts of %s get random ids", state->rel->label),
			 errdetail("The row gives no contact id, and the table has no option key."),
			 errhint("Running the statement again would insert the contacts a second time.")));
}

/* The row as a SELECT would show it: from the echo, or from what was sent. */
static TupleTableSlot *
show_row(InsertState *state, TupleTableSlot *slot, const GcRow *row, GcJson *echo)
{
	TupleTableSlot *result = state->result;

	ExecClearTuple(result);
	MemoryContextReset(state->result_cxt);
	MemoryContextSwitchTo(state->result_cxt);
	if (echo)
	{
		if (!gc_decoder_row(state->decoder, echo, result->tts_values, result->tts_isnull))
			ereport(ERROR,
					(errcode(ERRCODE_FDW_ERROR),
					 errmsg("could not read the echo of a contact of %s", state->rel->label),
					 errdetail("%s.", echo->error)));
	}
	else
		gc_returning_show(state->rel, state->list, slot, row->id, result->tts_values,
						  result->tts_isnull);
	return ExecStoreVirtualTuple(result);
}

static TupleTableSlot *
gcExecForeignInsert(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
					TupleTableSlot *plan_slot)
{
	InsertState *state = rri->ri_FdwState;
	MemoryContext caller_cxt = MemoryContextSwitchTo(state->row_cxt);
	const GcProblem *problem;
	GcRow row;
	GcJson *echo = NULL;

	MemoryContextReset(state->row_cxt);
	problem = gc_encoder_row(state->encoder, slot, &row);
	if (problem == NULL)
		problem = gc_deliver_check(state->target, &row);
	if (problem)
	{
		gc_reject_row(state->rejecter, problem, row.id, slot);
		MemoryContextSwitchTo(caller_cxt);
		return NULL;
	}
	if (row.made_id && !state->told_made_id)
		tell_made_id(state);
	if (state->decoder)
		echo = gc_deliver_now(state->target, &row);
	else
		gc_deliver_row(state->target, &row);
	if (state->result)
		slot = show_row(state, slot, &row, echo);
	MemoryContextSwitchTo(caller_cxt);
	return slot;
}

/* ---- closing ---- */

void
gc_modify_finish(EState *estate)
{
	gc_deliver_drain(estate);
	gc_reject_finish(estate);
}

static void
insert_close(EState *estate, ResultRelInfo *rri)
{
	InsertState *state = rri->ri_FdwState;

	if (state == NULL)
		return;
	gc_modify_finish(estate);
	if (state->result)
		ExecDropSingleTupleTableSlot(state->result);
	state->result = NULL;
}

static void
gcEndForeignModify(EState *estate, ResultRelInfo *rri)
{
	insert_close(estate, rri);
}

static void
gcEndForeignInsert(EState *estate, ResultRelInfo *rri)
{
	insert_close(estate, rri);
}

static void
gcExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rri, List *fdw_private,
					   int subplan_index, ExplainState *es)
{
	InsertState *state = rri->ri_FdwState;
	GcRelation *rel = state ? state->rel : gc_relation_load(rri->ri_RelationDesc);
	GcTargetSettings settings;

	settings.batch_rows = gc_option_int(rel->options, rel->server_options, "batch_size");
	gc_explain_insert(es, rel, state ? state->list->id : NULL,
					  boolVal(list_nth(fdw_private, ModifyPrivateAsk)) ||
							  has_after_trigger(rri)
						  ? 1
						  : settings.batch_rows);
	if (es->analyze && state)
	{
		GcStat stat = gc_deliver_stat(state->target);

		gc_explain_stat(es, &stat);
	}
}

void
gc_modify_routine(FdwRoutine *routine)
{
	routine->IsForeignRelUpdatable = gcIsForeignRelUpdatable;
	routine->PlanForeignModify = gcPlanForeignModify;
	routine->BeginForeignModify = gcBeginForeignModify;
	routine->ExecForeignInsert = gcExecForeignInsert;
	routine->EndForeignModify = gcEndForeignModify;
	routine->BeginForeignInsert = gcBeginForeignInsert;
	routine->EndForeignInsert = gcEndForeignInsert;
	routine->ExplainForeignModify = gcExplainForeignModify;
}
