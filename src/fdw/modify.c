/*
 * fdw/modify.c
 *	  INSERT, COPY FROM, UPDATE and DELETE of contacts: the callbacks.
 *
 * This file plans all of them, and does INSERT; the others have their own.
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
#include "fdw/delete.h"
#include "fdw/deliver.h"
#include "fdw/dnc_modify.h"
#include "fdw/duplicates.h"
#include "fdw/encode.h"
#include "fdw/entity_modify.h"
#include "fdw/explain.h"
#include "fdw/modify.h"
#include "fdw/modify_state.h"
#include "fdw/partial.h"
#include "fdw/reject.h"
#include "fdw/returning.h"
#include "fdw/update.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "foreign/foreign.h"
#include "nodes/makefuncs.h"
#include "optimizer/appendinfo.h"
#include "optimizer/inherit.h"
#include "optimizer/pathnode.h"
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
	GcModify base;
	GcEncoder *encoder;
	GcPartial *partial; /* rows lack columns, for which something is to be done; or NULL */
	GcDecoder *decoder; /* of echoes; NULL while rows are batched */
	GcDuplicates *duplicates; /* NULL: contacts that are there are updated */
	bool told_made_id;
} InsertState;

/* ---- planning ---- */

static int
gcIsForeignRelUpdatable(Relation relation)
{
	ForeignTable *table = GetForeignTable(RelationGetRelid(relation));
	ForeignServer *server = GetForeignServer(table->serverid);
	const char *object = gc_option_string(table->options, NIL, "object");
	const GcResource *resource;
	int commands = 0;

	/* Asked by information_schema too, so a table that is not usable is no error here. */
	if (object == NULL || !gc_option_bool(table->options, server->options, "updatable"))
		return 0;
	resource = gc_resource_by_name(object);
	if (resource->insert_endpoint)
		commands |= 1 << CMD_INSERT;
	if (resource->update_endpoint)
		commands |= 1 << CMD_UPDATE;
	if (resource->delete_endpoint)
		commands |= 1 << CMD_DELETE;
	return commands;
}

/*
 * What a row that is going to change carries up to us: its place among the rows
 * that the scan keeps (fdw/kept.h), and for the RETURNING of a DELETE itself.
 */
static void
gcAddForeignUpdateTargets(PlannerInfo *root, Index rtindex, RangeTblEntry *rte,
						  Relation relation)
{
	add_row_identity_var(
		root, makeVar(rtindex, SelfItemPointerAttributeNumber, TIDOID, -1, InvalidOid, 0),
		rtindex, "ctid");
	if (root->parse->commandType == CMD_DELETE && root->parse->returningList != NIL)
		add_row_identity_var(root,
							 makeVar(rtindex, InvalidAttrNumber, RECORDOID, -1, InvalidOid, 0),
							 rtindex, "wholerow");
}

/* Rows that are sent later are shown as they were written; the platform is asked later. */
static void
check_asks(const GcRelation *rel, CmdType operation)
{
	bool is_import = operation == CMD_INSERT && gc_staging_wanted(rel);

	if (!is_import && !gc_modify_waits(rel))
		return;
	ereport(
		ERROR,
		(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
		 errmsg(
			 "RETURNING asks for what the platform makes of a contact of foreign table \"%s\"",
			 rel->name),
		 errdetail(is_import ? "Under deliver 'import' it is asked after COMMIT."
							 : "Under deliver 'commit' it is asked at COMMIT."),
		 errhint("Return other columns, or set the option \"deliver\" to \"statement\".")));
}

/* Throws if the statement names a column that it cannot write. */
static void
check_columns(PlannerInfo *root, const GcRelation *rel, const ModifyTable *plan,
			  Index result_relation)
{
	Bitmapset *updated = NULL;

	if (plan->operation == CMD_UPDATE)
		updated = get_rel_all_updated_cols(root, find_base_rel(root, result_relation));
	if (rel->resource->kind || rel->resource->has_dnc_list)
		gc_entity_check_columns(rel, plan->operation, updated);
	else if (plan->operation == CMD_UPDATE && rel->resource->update_endpoint)
		gc_update_check(rel, updated);
}

static List *
gcPlanForeignModify(PlannerInfo *root, ModifyTable *plan, Index result_relation,
					int subplan_index)
{
	RangeTblEntry *rte = planner_rt_fetch(result_relation, root);
	Relation relation = table_open(rte->relid, NoLock);
	GcRelation *rel = gc_relation_load(relation);
	bool asks = false;

	gc_entity_check_operation(rel, plan->operation);
	if (plan->operation != CMD_DELETE && plan->returningLists && rel->resource->has_list)
		asks = gc_returning_asks(rel, list_nth(plan->returningLists, subplan_index));
	if (asks)
		check_asks(rel, plan->operation);
	check_columns(root, rel, plan, result_relation);
	table_close(relation, NoLock);
	return list_make1(makeBoolean(asks));
}

/* ---- opening ---- */

/* What needs the platform while the statement runs; workers see to on_duplicate themselves. */
static void
check_waits(const GcModify *modify, GcOnDuplicate mode)
{
	const GcRelation *rel = modify->rel;
	const char *option = NULL;

	if (strcmp(gc_option_string(rel->options, rel->server_options, "partial_rows"), "merge") ==
		0)
		option = "partial_rows 'merge'";
	if (modify->pending && mode != GC_DUPLICATE_UPDATE)
		option = mode == GC_DUPLICATE_ERROR
					 ? "on_duplicate 'error'"
					 : "on_duplicate 'ignore', as by ON CONFLICT DO NOTHING";
	if (option)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("foreign table \"%s\" has deliver '%s' and %s", rel->name,
						modify->pending ? "commit" : "import", option),
				 errdetail(modify->pending ? "Rows that wait for COMMIT are not treated so."
										   : "Rows of imports are not treated so."),
				 errhint("Change one of the two options.")));
}

/*
 * Makes ready to insert into one list.  "shown": somebody looks at the row
 * after the insert; "returned": by RETURNING; "asks": and needs the platform's
 * answer for it.
 */
static void
insert_open(ModifyTableState *mtstate, ResultRelInfo *rri, bool shown, bool returned,
			bool asks)
{
	EState *estate = mtstate->ps.state;
	MemoryContext caller_cxt = MemoryContextSwitchTo(estate->es_query_cxt);
	InsertState *state = palloc0(sizeof(InsertState));
	GcModify *base = &state->base;
	GcOnDuplicate mode;

	gc_modify_open(base, estate, rri, GC_VERB_INSERT, shown, mtstate->canSetTag);
	mode = gc_duplicates_mode(base->rel, mtstate);
	/* Nobody is to see a row that is not inserted in the end. */
	if (mode == GC_DUPLICATE_IGNORE || base->goes_on)
		asks = asks || returned;
	base->single = asks = asks && base->target;
	state->encoder =
		gc_encoder_create(base->rel, base->list, ExecGetInsertedCols(rri, estate));
	if (base->target == NULL)
		check_waits(base, mode);
	if (base->staging)
	{
		gc_staging_on_duplicate(base->staging, gc_duplicates_word(mode));
		mode = GC_DUPLICATE_UPDATE;
	}
	state->partial =
		gc_partial_open(base, ExecGetInsertedCols(rri, estate), mode != GC_DUPLICATE_UPDATE);
	if (mode != GC_DUPLICATE_UPDATE)
	{
		/* What is sent is new, and has no other cells. */
		state->partial = NULL;
		state->duplicates = gc_duplicates_open(estate, base, mode);
	}
	if (asks)
		state->decoder = gc_decoder_create(base->rel, base->list, NULL);
	MemoryContextSwitchTo(caller_cxt);
}

static bool
has_after_trigger(ResultRelInfo *rri)
{
	return rri->ri_TrigDesc && rri->ri_TrigDesc->trig_insert_after_row;
}

static const GcResource *
resource_of(ResultRelInfo *rri)
{
	ForeignTable *table = GetForeignTable(RelationGetRelid(rri->ri_RelationDesc));

	return gc_resource_by_name(gc_option_string(table->options, NIL, "object"));
}

static void
gcBeginForeignModify(ModifyTableState *mtstate, ResultRelInfo *rri, List *fdw_private,
					 int subplan_index, int eflags)
{
	ModifyTable *plan = (ModifyTable *) mtstate->ps.plan;
	bool asks = boolVal(list_nth(fdw_private, ModifyPrivateAsk)) || has_after_trigger(rri);

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	if (resource_of(rri)->kind)
	{
		gc_entity_begin(mtstate, rri,
						mtstate->operation == CMD_INSERT ? NULL : outerPlanState(mtstate));
		return;
	}
	if (resource_of(rri)->has_dnc_list)
	{
		gc_dnc_begin(mtstate, rri,
					 mtstate->operation == CMD_INSERT ? NULL : outerPlanState(mtstate));
		return;
	}
	if (mtstate->operation == CMD_DELETE)
	{
		gc_delete_begin(rri, outerPlanState(mtstate), plan->returningLists != NIL,
						mtstate->canSetTag);
		return;
	}
	if (mtstate->operation == CMD_UPDATE)
	{
		GcUpdateUse use = {.shown = plan->withCheckOptionLists != NIL,
						   .returned = plan->returningLists != NIL,
						   .asks = boolVal(list_nth(fdw_private, ModifyPrivateAsk)),
						   .counted = mtstate->canSetTag};

		gc_update_begin(rri, outerPlanState(mtstate), &use);
		return;
	}
	/* A view's CHECK OPTION is held against the row as it will read. */
	insert_open(mtstate, rri,
				plan->returningLists != NIL || plan->withCheckOptionLists != NIL || asks,
				plan->returningLists != NIL, asks);
}

static void
gcBeginForeignInsert(ModifyTableState *mtstate, ResultRelInfo *rri)
{
	ModifyTable *plan = (ModifyTable *) mtstate->ps.plan; /* NULL: COPY */
	GcRelation *rel;
	bool asks = has_after_trigger(rri);

	/* Rows that an UPDATE moves here, in which the table's own rows change, too. */
	if (plan && plan->operation == CMD_UPDATE && rri->ri_FdwState)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("cannot route tuples into foreign table to be updated \"%s\"",
							   RelationGetRelationName(rri->ri_RelationDesc))));
	if (resource_of(rri)->kind)
	{
		gc_entity_begin(mtstate, rri, NULL);
		return;
	}
	if (resource_of(rri)->has_dnc_list)
	{
		gc_dnc_begin(mtstate, rri, NULL);
		return;
	}
	/* Tuple routing: the partition's own RETURNING list is there by now. */
	if (rri->ri_returningList != NIL)
	{
		rel = gc_relation_load(rri->ri_RelationDesc);
		if (gc_returning_asks(rel, rri->ri_returningList))
		{
			check_asks(rel, CMD_INSERT);
			asks = true;
		}
	}
	insert_open(mtstate, rri,
				rri->ri_returningList != NIL || rri->ri_WithCheckOptions != NIL || asks,
				rri->ri_returningList != NIL, asks);
}

/* ---- rows ---- */

static void
tell_made_id(InsertState *state)
{
	state->told_made_id = true;
	ereport(NOTICE,
			(errmsg("contacts of %s get random ids", state->base.rel->label),
			 errdetail("The row gives no contact id, and the table has no option key."),
			 errhint("Running the statement again would insert the contacts a second time.")));
}

/* Sends the row, or has it wait; false if it is not inserted. */
static bool
insert_row(InsertState *state, GcRow *row, GcJson **echo)
{
	GcTarget *target = state->base.target;
	bool merges = state->partial && !row->made_id;

	if (state->base.pending)
	{
		gc_pending_row(state->base.pending, row);
		return true;
	}
	if (state->base.staging)
	{
		gc_staging_row(state->base.staging, row);
		return true;
	}
	if (state->decoder)
	{
		if (state->duplicates && !gc_duplicates_pass(state->duplicates, row))
			return false;
		if (merges && !gc_partial_merge(state->partial, row))
			return false;
		return gc_deliver_now(target, row, echo);
	}
	if (state->duplicates)
		gc_duplicates_hold(state->duplicates, row);
	else if (merges)
		gc_partial_row(state->partial, row);
	else
		gc_deliver_row(target, row);
	return true;
}

static TupleTableSlot *
insert_one(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	InsertState *state = rri->ri_FdwState;
	MemoryContext caller_cxt = CurrentMemoryContext;
	const GcProblem *problem;
	GcRow row;
	GcJson *echo = NULL;

	gc_modify_row(&state->base, estate);
	MemoryContextSwitchTo(state->base.row_cxt);
	problem = gc_encoder_row(state->encoder, slot, &row);
	if (problem == NULL)
		problem = gc_deliver_check(state->base.rel, &row);
	if (problem == NULL && state->base.staging)
		problem = gc_staging_check(state->base.staging, &row);
	if (problem)
	{
		gc_modify_reject(&state->base, problem, row.id, slot);
		MemoryContextSwitchTo(caller_cxt);
		return NULL;
	}
	if (row.made_id && !state->told_made_id)
		tell_made_id(state);
	if (!insert_row(state, &row, &echo))
		slot = NULL;
	else if (state->base.result)
		slot = gc_modify_show(&state->base, state->decoder, slot, row.id, echo);
	MemoryContextSwitchTo(caller_cxt);
	return slot;
}

/* ---- closing ---- */

void
gc_modify_finish(EState *estate)
{
	gc_deliver_drain(estate);
	gc_dnc_drain(estate);
	gc_staging_finish(estate);
	gc_reject_finish(estate);
}

static void
modify_close(EState *estate, ResultRelInfo *rri)
{
	GcModify *modify = rri->ri_FdwState;

	gc_modify_finish(estate);
	if (modify->result)
		ExecDropSingleTupleTableSlot(modify->result);
	modify->result = NULL;
}

static GcVerb
verb_of(CmdType operation)
{
	if (operation == CMD_UPDATE)
		return GC_VERB_UPDATE;
	return operation == CMD_DELETE ? GC_VERB_DELETE : GC_VERB_INSERT;
}

/* Is each row a call? */
static bool
is_single(const GcRelation *rel, ResultRelInfo *rri, GcVerb verb, List *fdw_private,
		  GcOnDuplicate mode)
{
	TriggerDesc *triggers = rri->ri_TrigDesc;
	bool skips = mode == GC_DUPLICATE_IGNORE || gc_reject_goes_on(rel);

	if (gc_modify_waits(rel))
		return false;
	if (rri->ri_projectReturning && skips)
		return true;
	if (verb == GC_VERB_DELETE)
		return triggers && triggers->trig_delete_after_row;
	if (verb == GC_VERB_UPDATE && triggers && triggers->trig_update_after_row)
		return true;
	return boolVal(list_nth(fdw_private, ModifyPrivateAsk)) ||
		   (verb == GC_VERB_INSERT && has_after_trigger(rri));
}

static void
explain_contacts(ModifyTableState *mtstate, ResultRelInfo *rri, List *fdw_private,
				 ExplainState *es)
{
	GcModify *modify = rri->ri_FdwState;
	GcRelation *rel = modify ? modify->rel : gc_relation_load(rri->ri_RelationDesc);
	const char *list_id = modify ? modify->list->id : NULL;
	GcVerb verb = verb_of(mtstate->operation);
	GcOnDuplicate mode =
		verb == GC_VERB_INSERT ? gc_duplicates_mode(rel, mtstate) : GC_DUPLICATE_UPDATE;
	bool single = is_single(rel, rri, verb, fdw_private, mode);
	GcTargetSettings settings;

	gc_modify_settings(rel, verb, &settings);
	gc_explain_modify(es, rel, list_id, verb, single ? 1 : settings.batch_rows);
	if (mode != GC_DUPLICATE_UPDATE)
		gc_explain_duplicates(es, rel, list_id, gc_duplicates_word(mode), single);
	if (gc_modify_waits(rel))
		ExplainPropertyText("Delivery", "at COMMIT", es);
	else if (verb == GC_VERB_INSERT && gc_staging_wanted(rel))
		ExplainPropertyText("Delivery", "by an import, after COMMIT", es);
	if (es->analyze && modify && modify->target)
	{
		GcStat stat = gc_deliver_stat(modify->target);

		if (verb == GC_VERB_DELETE && !single)
			ExplainPropertyText("Check Path", gc_delete_check_way(modify), es);
		if (mode != GC_DUPLICATE_UPDATE)
			ExplainPropertyInteger("Skipped", NULL,
								   gc_duplicates_skipped(((InsertState *) modify)->duplicates),
								   es);
		gc_explain_stat(es, &stat);
	}
}

static void
gcExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rri, List *fdw_private,
					   int subplan_index, ExplainState *es)
{
	if (resource_of(rri)->kind)
		gc_entity_explain(rri, mtstate->operation, es);
	else if (resource_of(rri)->has_dnc_list)
		gc_dnc_explain(rri, mtstate->operation, es);
	else
		explain_contacts(mtstate, rri, fdw_private, es);
}

/* ---- the callbacks, for whoever writes ---- */

const GcWriter gc_contact_writer = {insert_one, gc_update_row, gc_delete_row, modify_close};

static const GcWriter *
writer_of(ResultRelInfo *rri)
{
	return ((GcWriterState *) rri->ri_FdwState)->writer;
}

static TupleTableSlot *
gcExecForeignInsert(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
					TupleTableSlot *plan_slot)
{
	return writer_of(rri)->insert_row(estate, rri, slot, plan_slot);
}

static TupleTableSlot *
gcExecForeignUpdate(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
					TupleTableSlot *plan_slot)
{
	return writer_of(rri)->update_row(estate, rri, slot, plan_slot);
}

static TupleTableSlot *
gcExecForeignDelete(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
					TupleTableSlot *plan_slot)
{
	return writer_of(rri)->delete_row(estate, rri, slot, plan_slot);
}

static void
end_modify(EState *estate, ResultRelInfo *rri)
{
	if (rri->ri_FdwState)
		writer_of(rri)->end(estate, rri);
}

void
gc_modify_routine(FdwRoutine *routine)
{
	routine->AddForeignUpdateTargets = gcAddForeignUpdateTargets;
	routine->IsForeignRelUpdatable = gcIsForeignRelUpdatable;
	routine->PlanForeignModify = gcPlanForeignModify;
	routine->BeginForeignModify = gcBeginForeignModify;
	routine->ExecForeignInsert = gcExecForeignInsert;
	routine->ExecForeignUpdate = gcExecForeignUpdate;
	routine->ExecForeignDelete = gcExecForeignDelete;
	routine->EndForeignModify = end_modify;
	routine->BeginForeignInsert = gcBeginForeignInsert;
	routine->EndForeignInsert = end_modify;
	routine->ExplainForeignModify = gcExplainForeignModify;
}
