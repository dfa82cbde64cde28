/*
 * fdw/modify_state.c
 *	  What INSERT, UPDATE and DELETE keep of one list while they run.
 */
#include "postgres.h"

#include "api/dialect.h"
#include "base/compat.h"
#include "base/option.h"
#include "fdw/drift.h"
#include "fdw/modify_state.h"
#include "fdw/returning.h"
#include "fdw/scan.h"
#include "fdw/statement.h"

#include "executor/executor.h"
#include "utils/memutils.h"
#include "utils/rel.h"

void
gc_modify_settings(const GcRelation *rel, GcVerb verb, GcTargetSettings *settings)
{
	const GcVerbInfo *info = gc_verb(verb);

	memset(settings, 0, sizeof(*settings));
	settings->verb = verb;
	settings->batch_rows =
		Min(gc_option_int(rel->options, rel->server_options, "batch_size"), info->max_rows);
	if (verb != GC_VERB_DELETE)
		settings->batch_rows =
			Min(settings->batch_rows, gc_dialect(rel->server_options)->contacts_max_rows);
	settings->batch_bytes = Min(
		gc_option_bytes(rel->options, rel->server_options, "batch_bytes"), info->max_bytes);
	settings->buffer_memory =
		gc_option_bytes(rel->options, rel->server_options, "buffer_memory");
	if (verb == GC_VERB_UPDATE)
	{
		/* Others may have changed it since; and who is in the queue keeps his place. */
		settings->freshness_us =
			gc_option_ms(rel->options, rel->server_options, "update_freshness") *
			INT64CONST(1000);
		settings->flags.do_not_queue = true;
	}
	if (verb != GC_VERB_INSERT)
		return;
	settings->flags.priority = gc_option_bool(rel->options, NIL, "priority");
	settings->flags.clear_system_data = gc_option_bool(rel->options, NIL, "clear_system_data");
	settings->flags.do_not_queue = gc_option_bool(rel->options, NIL, "do_not_queue");
}

bool
gc_modify_waits(const GcRelation *rel)
{
	return strcmp(gc_option_string(rel->options, rel->server_options, "deliver"), "commit") ==
		   0;
}

void
gc_modify_reject(GcModify *modify, const GcProblem *problem, const char *id,
				 TupleTableSlot *slot)
{
	if (modify->target)
	{
		gc_reject_row(modify->rejecter, problem, id, slot);
		return;
	}
	if (modify->staging)
	{
		gc_staging_reject(modify->staging, problem, id, slot);
		return;
	}
	if (modify->goes_on)
	{
		gc_pending_reject(modify->pending, problem, id, gc_reject_row_data(modify->rel, slot));
		return;
	}
	ereport(ERROR, (errcode(problem->sqlstate), errmsg_internal("%s", problem->message),
					errdetail_internal("%s", problem->detail),
					problem->hint ? errhint("%s", problem->hint) : 0));
}

/* Where its rows go: into an import, to COMMIT, or out. */
static void
open_way(GcModify *modify, EState *estate, Relation relation, GcTargetSettings *settings,
		 const GcStat *stat)
{
	if (modify->verb == GC_VERB_INSERT && gc_staging_wanted(modify->rel))
		modify->staging =
			gc_staging_open(estate, modify->conn, modify->rel, modify->list, modify->user_id);
	else if (gc_modify_waits(modify->rel))
	{
		settings->operation = gc_deliver_operation(estate, modify->verb);
		settings->by_role = GetUserNameFromId(GetUserId(), false);
		modify->pending = gc_pending_open(modify->user_id, relation, settings);
		modify->single = false;
	}
	else
	{
		modify->target =
			gc_deliver_open(estate, modify->conn, modify->rel, modify->list, settings);
		gc_deliver_count(modify->target, stat);
		modify->rejecter =
			gc_reject_open(estate, modify->rel, modify->list, modify->target, settings);
	}
}

void
gc_modify_open(GcModify *modify, EState *estate, ResultRelInfo *rri, GcVerb verb, bool shown,
			   bool counted)
{
	Relation relation = rri->ri_RelationDesc;
	GcStat stat = {.spent = gc_statement_spent(estate)};
	GcTargetSettings settings;

	modify->base.writer = &gc_contact_writer;
	modify->verb = verb;
	modify->rel = gc_relation_load(relation);
	if (verb == GC_VERB_INSERT && gc_staging_wanted(modify->rel))
		gc_staging_prepare(modify->rel);
	gc_modify_settings(modify->rel, verb, &settings);
	settings.counted = counted;
	modify->user_id = gc_compat_modify_user(rri, estate);
	modify->conn = gc_connection_get(modify->user_id, modify->rel->server_id);
	modify->list = gc_drift_list(modify->conn, &stat, modify->rel, verb == GC_VERB_INSERT);
	modify->goes_on = gc_reject_goes_on(modify->rel);
	if (settings.flags.clear_system_data)
		ereport(WARNING, (errmsg("clear_system_data resets attempts and opt-outs of existing "
								 "contacts of %s",
								 modify->rel->label)));
	open_way(modify, estate, relation, &settings, &stat);
	modify->row_cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw row", ALLOCSET_DEFAULT_SIZES);
	if (shown)
	{
		modify->result = MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsVirtual);
		modify->result_cxt = AllocSetContextCreate(CurrentMemoryContext, "gc_fdw result",
												   ALLOCSET_DEFAULT_SIZES);
	}
	rri->ri_FdwState = modify;
}

void
gc_modify_row(GcModify *modify, EState *estate)
{
	if (!modify->began)
		gc_scan_read_ahead(estate);
	modify->began = true;
	MemoryContextReset(modify->row_cxt);
}

void
gc_modify_find_tid(GcModify *modify, const PlanState *rows)
{
	modify->tid_attno = ExecFindJunkAttributeInTlist(rows->plan->targetlist, "ctid");
	if (!AttributeNumberIsValid(modify->tid_attno))
		elog(ERROR, "could not find the place of a row");
}

bool
gc_modify_take(GcModify *modify, EState *estate, ResultRelInfo *rri, TupleTableSlot *plan_slot,
			   GcKeptRow *row)
{
	return gc_kept_take_planned(&modify->kept, modify->tid_attno, estate, rri, plan_slot, row);
}

TupleTableSlot *
gc_modify_show(GcModify *modify, GcDecoder *decoder, TupleTableSlot *slot, const char *id,
			   GcJson *echo)
{
	TupleTableSlot *result = modify->result;

	ExecClearTuple(result);
	MemoryContextReset(modify->result_cxt);
	MemoryContextSwitchTo(modify->result_cxt);
	if (echo)
	{
		if (!gc_decoder_row(decoder, echo, result->tts_values, result->tts_isnull))
			ereport(ERROR,
					(errcode(ERRCODE_FDW_ERROR),
					 errmsg("could not read the echo of a contact of %s", modify->rel->label),
					 errdetail("%s.", echo->error)));
	}
	else
		gc_returning_show(modify->rel, modify->list, slot, id, result->tts_values,
						  result->tts_isnull);
	return ExecStoreVirtualTuple(result);
}
