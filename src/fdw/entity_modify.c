/*
 * fdw/entity_modify.c
 *	  INSERT, UPDATE and DELETE of things that are written one by one: campaigns, lists, …
 *
 * Each row is written, and answered, before the next one is looked at; RETURNING and
 * triggers see it as the platform has it then.
 */
#include "postgres.h"

#include "api/entity_keys.h"
#include "base/compat.h"
#include "base/option.h"
#include "fdw/decode.h"
#include "fdw/entity_modify.h"
#include "fdw/explain.h"
#include "fdw/kept.h"
#include "fdw/scan.h"
#include "fdw/statement.h"
#include "net/connection.h"
#include "store/audit.h"

#include "access/sysattr.h"
#include "executor/executor.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/rel.h"

typedef struct EntityState
{
	GcWriterState base;
	CmdType operation;
	GcRelation *rel;
	GcStat stat;
	GcEntityWriter writer;
	GcAudit *audit;
	GcDecoder *decoder;
	Bitmapset *named; /* columns that the statement gives, by attnum */
	AttrNumber tid_attno;
	GcKept *kept; /* NULL until the first row */
	bool began;
	bool counted; /* this row, as accepted */
	bool listed_only;
	MemoryContext row_cxt;
	MemoryContext result_cxt;
	TupleTableSlot *result;
	MemoryContextCallback on_reset;
} EntityState;

/* ---- what can be written ---- */

static const char *
operation_name(CmdType operation)
{
	if (operation == CMD_UPDATE)
		return "UPDATE";
	return operation == CMD_DELETE ? "DELETE" : "INSERT";
}

void
gc_entity_check_operation(const GcRelation *rel, CmdType operation)
{
	const GcResource *resource = rel->resource;

	if (resource->kind == NULL || (operation == CMD_INSERT && resource->insert_endpoint) ||
		(operation == CMD_UPDATE && resource->update_endpoint) ||
		(operation == CMD_DELETE && resource->delete_endpoint))
		return;
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					errmsg("%s of %s is not supported", operation_name(operation), rel->label),
					errhint("Use the platform's own administration for that.")));
}

static bool
can_write(const GcAttribute *attribute, CmdType operation)
{
	if (operation == CMD_INSERT)
		return attribute->written == GC_WRITTEN_ONCE ||
			   attribute->written == GC_WRITTEN_ALWAYS;
	/* One that cannot change may be set to what it is. */
	return attribute->written != GC_WRITTEN_NEVER;
}

static _Noreturn void
refuse_column(const GcRelation *rel, const GcColumn *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_GENERATED_ALWAYS),
			 errmsg("column \"%s\" of foreign table \"%s\" is set by the platform and cannot "
					"be written",
					column->name, rel->name)));
}

void
gc_entity_check_columns(const GcRelation *rel, CmdType operation, const Bitmapset *columns)
{
	for (int i = 0; i < rel->column_count; i++)
	{
		const GcColumn *column = &rel->columns[i];

		if (column->attnum == 0 ||
			!bms_is_member(column->attnum - FirstLowInvalidHeapAttributeNumber, columns) ||
			can_write(column->attribute, operation))
			continue;
		refuse_column(rel, column);
	}
}

/* A value as the platform takes it, by the attribute's type. */
static const char *
value_json(GcColumn *column, Datum value)
{
	const GcAttribute *attribute = column->attribute;
	int len;
	const char *cell = gc_value_text(&column->type, value, &len);
	StringInfoData json;

	initStringInfo(&json);
	if (strcmp(attribute->type, "text") == 0 || strcmp(attribute->type, "timestamptz") == 0)
	{
		appendStringInfoChar(&json, '"');
		gc_json_escape(&json, cell, len);
		appendStringInfoChar(&json, '"');
	}
	else
		appendBinaryStringInfo(&json, cell, len);
	return attribute->encode ? attribute->encode(json.data) : json.data;
}

static void
set_change(GcEntityChange *change, GcColumn *column, TupleTableSlot *slot)
{
	bool isnull;
	Datum value = slot_getattr(slot, column->attnum, &isnull);

	change->member.path = column->attribute->path;
	change->member.json = isnull ? NULL : value_json(column, value);
	change->name = column->name;
	change->unchangeable = column->attribute->written == GC_WRITTEN_ONCE;
}

/* What the row gives of the columns that the statement names; how many. */
static int
changes_of(EntityState *state, TupleTableSlot *slot, GcEntityChange *changes)
{
	GcRelation *rel = state->rel;
	int count = 0;

	for (int i = 0; i < rel->column_count; i++)
	{
		GcColumn *column = &rel->columns[i];
		bool given = bms_is_member(i + 1, state->named);

		if (column->attnum == 0)
			continue;
		/* A new one has no member that nobody gives; a default may have. */
		if (state->operation == CMD_INSERT)
			given = !slot_attisnull(slot, column->attnum);
		if (given && !can_write(column->attribute, state->operation))
			refuse_column(rel, column);
		if (given)
			set_change(&changes[count++], column, slot);
	}
	return count;
}

/* ---- opening ---- */

static Bitmapset *
by_attnum(const GcRelation *rel, const Bitmapset *offset)
{
	Bitmapset *named = NULL;

	for (int i = 0; i < rel->column_count; i++)
		if (bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber, offset))
			named = bms_add_member(named, i + 1);
	return named;
}

static void
release(void *arg)
{
	gc_audit_release(((EntityState *) arg)->audit);
}

/* What of the option on_duplicate and ON CONFLICT holds for things with a natural key. */
static GcEntityThere
there_mode(const GcRelation *rel, ModifyTableState *mtstate)
{
	const ModifyTable *plan = (const ModifyTable *) mtstate->ps.plan; /* NULL: COPY */
	const char *word = gc_option_string(rel->options, rel->server_options, "on_duplicate");

	if (!rel->resource->by_options)
		return GC_THERE_REFUSE;
	if ((plan && plan->onConflictAction == ONCONFLICT_NOTHING) || strcmp(word, "ignore") == 0)
		return GC_THERE_IGNORE;
	return strcmp(word, "update") == 0 ? GC_THERE_UPDATE : GC_THERE_REFUSE;
}

/* A statement that makes many reads the listing once, if that cannot be asked for one name. */
static GcEntityKeys *
keys_for(const EntityState *state)
{
	const GcEntityKind *kind = state->rel->resource->kind;

	return state->operation == CMD_INSERT && kind->natural_key && !kind->filters_by_name
			   ? gc_entity_keys_create()
			   : NULL;
}

static void
open_writer(EntityState *state, ModifyTableState *mtstate, ResultRelInfo *rri)
{
	GcRelation *rel = state->rel;
	EState *estate = mtstate->ps.state;
	GcConnection *conn = gc_connection_get(gc_compat_modify_user(rri, estate), rel->server_id);

	state->stat.spent = gc_statement_spent(estate);
	state->audit =
		gc_audit_begin(rel->label, NULL, operation_name(state->operation), NULL, &state->stat);
	state->on_reset.func = release;
	state->on_reset.arg = state;
	MemoryContextRegisterResetCallback(estate->es_query_cxt, &state->on_reset);
	state->writer = (GcEntityWriter){
		.kind = rel->resource->kind,
		.conn = conn,
		.calls = gc_calls_open(conn, &state->stat),
		.ready_timeout_ms = gc_option_ms(rel->options, rel->server_options, "ready_timeout"),
		.read_lag_ms = gc_option_ms(NIL, rel->server_options, "read_lag"),
		.accepted = &state->audit->entry.accepted,
		.counted = &state->counted,
		.in_doubt = &state->audit->entry.in_doubt,
		.correlation_id = state->audit->entry.correlation_id,
		.there = there_mode(rel, mtstate),
		.listed_only = &state->listed_only,
		.keys = keys_for(state),
	};
}

static void entity_end(EState *estate, ResultRelInfo *rri);
static TupleTableSlot *insert_row(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
								  TupleTableSlot *plan_slot);
static TupleTableSlot *update_row(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
								  TupleTableSlot *plan_slot);
static TupleTableSlot *delete_row(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
								  TupleTableSlot *plan_slot);

static const GcWriter entity_writer = {insert_row, update_row, delete_row, entity_end};

void
gc_entity_begin(ModifyTableState *mtstate, ResultRelInfo *rri, const PlanState *rows)
{
	EState *estate = mtstate->ps.state;
	MemoryContext caller_cxt = MemoryContextSwitchTo(estate->es_query_cxt);
	EntityState *state = palloc0(sizeof(EntityState));
	Bitmapset *given = NULL;

	state->base.writer = &entity_writer;
	state->operation = rows ? mtstate->operation : CMD_INSERT;
	state->rel = gc_relation_load(rri->ri_RelationDesc);
	if (state->operation == CMD_UPDATE)
		given =
			bms_union(ExecGetUpdatedCols(rri, estate), ExecGetExtraUpdatedCols(rri, estate));
	state->named = by_attnum(state->rel, given);
	open_writer(state, mtstate, rri);
	state->decoder = gc_decoder_create(state->rel, NULL, NULL);
	if (rows)
		state->tid_attno = ExecFindJunkAttributeInTlist(rows->plan->targetlist, "ctid");
	state->row_cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw row", ALLOCSET_DEFAULT_SIZES);
	state->result_cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw result", ALLOCSET_DEFAULT_SIZES);
	state->result =
		MakeSingleTupleTableSlot(RelationGetDescr(rri->ri_RelationDesc), &TTSOpsVirtual);
	rri->ri_FdwState = state;
	MemoryContextSwitchTo(caller_cxt);
}

/* ---- rows ---- */

static void
begin_row(EntityState *state, EState *estate)
{
	if (!state->began)
		gc_scan_read_ahead(estate);
	state->began = true;
	state->counted = false;
	MemoryContextReset(state->row_cxt);
	gc_audit_take(state->audit, 1);
}

/* What became of the row: nothing, if it was not "done". */
static void
end_row(EntityState *state, bool done, const char *object)
{
	GcSpan span = object ? gc_entity_span(object) : (GcSpan){0};
	char *id = object ? gc_entity_text(&span, "id") : NULL;

	if (!done)
		gc_audit_take(state->audit, -1);
	else if (!state->counted)
		state->audit->entry.accepted++;
	if (done && id && state->writer.kind->is_list)
		gc_audit_wrote(state->audit, id);
}

/* The row as the platform has it; what takes further calls, as the statement has it. */
static TupleTableSlot *
show(EntityState *state, const char *object, TupleTableSlot *given)
{
	TupleTableSlot *result = state->result;
	MemoryContext caller_cxt;
	GcJson json;

	ExecClearTuple(result);
	MemoryContextReset(state->result_cxt);
	caller_cxt = MemoryContextSwitchTo(state->result_cxt);
	gc_json_init(&json, object, strlen(object));
	if (!gc_decoder_row(state->decoder, &json, result->tts_values, result->tts_isnull))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("could not read the answer about one of the %s", state->rel->label),
				 errdetail("%s.", json.error)));
	for (int i = 0; i < state->rel->column_count; i++)
	{
		const GcColumn *column = &state->rel->columns[i];

		if (column->attnum != 0 && column->attribute->expanded)
			result->tts_values[i] =
				slot_getattr(given, column->attnum, &result->tts_isnull[i]);
	}
	MemoryContextSwitchTo(caller_cxt);
	return ExecStoreVirtualTuple(result);
}

static TupleTableSlot *
insert_row(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	EntityState *state = rri->ri_FdwState;
	MemoryContext caller_cxt = CurrentMemoryContext;
	GcEntityChange *changes;
	char *object;
	bool made;

	begin_row(state, estate);
	MemoryContextSwitchTo(state->row_cxt);
	changes = palloc0(sizeof(GcEntityChange) * Max(state->rel->column_count, 1));
	object =
		gc_entity_create(&state->writer, changes, changes_of(state, slot, changes), &made);
	end_row(state, made, object);
	slot = object ? show(state, object, slot) : NULL;
	MemoryContextSwitchTo(caller_cxt);
	return slot;
}

static TupleTableSlot *
update_row(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	EntityState *state = rri->ri_FdwState;
	MemoryContext caller_cxt = CurrentMemoryContext;
	char *object = NULL;
	GcKeptRow kept;

	begin_row(state, estate);
	MemoryContextSwitchTo(state->row_cxt);
	if (gc_kept_take_planned(&state->kept, state->tid_attno, estate, rri, plan_slot, &kept))
	{
		GcSpan seen = {.p = kept.raw, .len = kept.raw_len, .type = '{'};
		GcEntityChange *changes =
			palloc0(sizeof(GcEntityChange) * Max(state->rel->column_count, 1));

		object = gc_entity_update(&state->writer, kept.id, &seen, changes,
								  changes_of(state, slot, changes));
	}
	end_row(state, object != NULL, object);
	slot = object ? show(state, object, slot) : NULL;
	MemoryContextSwitchTo(caller_cxt);
	return slot;
}

static bool
delete_one(EntityState *state, const GcKeptRow *kept)
{
	GcSpan seen = {.p = kept->raw, .len = kept->raw_len, .type = '{'};

	return gc_entity_delete(&state->writer, kept->id, &seen);
}

static TupleTableSlot *
delete_row(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	EntityState *state = rri->ri_FdwState;
	MemoryContext caller_cxt = CurrentMemoryContext;
	GcKeptRow kept;
	bool there;

	begin_row(state, estate);
	MemoryContextSwitchTo(state->row_cxt);
	there =
		gc_kept_take_planned(&state->kept, state->tid_attno, estate, rri, plan_slot, &kept) &&
		delete_one(state, &kept);
	end_row(state, there, there ? kept.raw : NULL);
	MemoryContextSwitchTo(caller_cxt);
	if (there && rri->ri_projectReturning)
		gc_kept_show_deleted(rri, slot, plan_slot);
	return there ? slot : NULL;
}

static void
entity_end(EState *estate, ResultRelInfo *rri)
{
	EntityState *state = rri->ri_FdwState;

	gc_audit_complete(state->audit);
	gc_calls_close(state->writer.calls);
	if (state->writer.keys)
		gc_entity_keys_end(state->writer.keys);
	ExecDropSingleTupleTableSlot(state->result);
}

void
gc_entity_explain(ResultRelInfo *rri, CmdType operation, ExplainState *es)
{
	EntityState *state = rri->ri_FdwState;
	const GcRelation *rel = state ? state->rel : gc_relation_load(rri->ri_RelationDesc);

	ExplainPropertyText(
		"Remote Operation",
		psprintf("%s of %s, one by one", operation_name(operation), rel->label), es);
	if (es->analyze && state)
		gc_explain_stat(es, &state->stat);
}
