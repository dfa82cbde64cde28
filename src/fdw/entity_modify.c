/*
 * fdw/entity_modify.c
 *	  INSERT, UPDATE and DELETE of things that are written one by one: campaigns, lists, …
 *
 * Each row is written, and answered, before the next one is looked at; RETURNING and
 * triggers see it as the platform has it then.
 */
#include "postgres.h"

#include "api/dialect.h"
#include "api/entity_keys.h"
#include "base/compat.h"
#include "base/option.h"
#include "fdw/changed.h"
#include "fdw/decode.h"
#include "fdw/entity_modify.h"
#include "fdw/explain.h"
#include "fdw/size.h"
#include "net/connection.h"

#include "access/sysattr.h"
#include "executor/executor.h"
#include "foreign/foreign.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/rel.h"

typedef struct EntityState
{
	GcRows rows;
	GcEntityWriter writer;
	GcDecoder *decoder;
	GcChanged columns; /* of an UPDATE */
	bool counted;	   /* this row, as accepted */
	bool listed_only;
} EntityState;

/* ---- what can be written ---- */

void
gc_entity_check_operation(const GcRelation *rel, CmdType operation)
{
	const GcResource *resource = rel->resource;

	if (resource->kind == NULL || (operation == CMD_INSERT && resource->insert_endpoint) ||
		(operation == CMD_UPDATE && resource->update_endpoint) ||
		(operation == CMD_DELETE && resource->delete_endpoint))
		return;
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					errmsg("%s of %s is not supported", gc_rows_verb(operation), rel->label),
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
	if (column->attribute->path == NULL)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("column \"%s\" of foreign table \"%s\" cannot be written",
							   column->name, rel->name),
						errdetail("Dialect \"%s\" of server \"%s\" has nothing of the kind.",
								  gc_dialect(rel->server_options)->name,
								  GetForeignServer(rel->server_id)->servername)));
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

/* Not all that PostgreSQL calls a number, or an array, is one to the platform. */
static void
check_json(const GcColumn *column, const StringInfo json)
{
	bool texts = strcmp(column->attribute->type, "text[]") == 0;
	bool fine;
	GcJson cursor;
	GcSpan span;

	gc_json_init(&cursor, json->data, json->len);
	fine =
		gc_json_value(&cursor, &span) && gc_json_end(&cursor) && (!texts || span.type == '[');
	if (fine && texts)
	{
		gc_json_init(&cursor, json->data, json->len);
		(void) gc_json_enter(&cursor, '[');
		while (fine && gc_json_element(&cursor) && gc_json_value(&cursor, &span))
			fine = span.type == '"';
	}
	if (!fine)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value of column \"%s\" cannot be sent to the platform", column->name),
				 errdetail(texts ? "It takes an array of one dimension, without NULL."
								 : "JSON has no such value.")));
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
	{
		appendBinaryStringInfo(&json, cell, len);
		check_json(column, &json);
	}
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

/* NOT NULL is the table's word, but of what the platform sets. */
static void
check_null(const GcRelation *rel, const GcColumn *column, TupleTableSlot *slot)
{
	if (column->not_null && can_write(column->attribute, CMD_INSERT) &&
		slot_attisnull(slot, column->attnum))
		ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION),
						errmsg("null value in column \"%s\" of foreign table \"%s\"",
							   column->name, rel->name)));
}

/* What the row gives of the columns that the statement, or a trigger, sets; how many. */
static int
changes_of(EntityState *state, TupleTableSlot *slot, GcEntityChange *changes)
{
	ResultRelInfo *rri = state->rows.rri;
	GcRelation *rel = state->rows.rel;
	int count = 0;

	if (state->rows.operation == CMD_UPDATE)
		gc_changed_begin_row(&state->columns, rri, slot);
	for (int i = 0; i < rel->column_count; i++)
	{
		GcColumn *column = &rel->columns[i];
		bool given;

		if (column->attnum == 0)
			continue;
		/* A new one has no member that nobody gives; a default may have. */
		given = state->rows.operation == CMD_INSERT
					? !slot_attisnull(slot, column->attnum)
					: gc_changed_has(&state->columns, rri, slot, i);
		if (given && !can_write(column->attribute, state->rows.operation))
			refuse_column(rel, column);
		if (given || state->rows.operation == CMD_INSERT)
			check_null(rel, column, slot);
		if (given)
			set_change(&changes[count++], column, slot);
	}
	return count;
}

/* ---- opening ---- */

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
	const GcEntityKind *kind = state->rows.rel->resource->kind;

	return state->rows.operation == CMD_INSERT && kind->natural_key && !kind->filters_by_name
			   ? gc_entity_keys_create()
			   : NULL;
}

static void
open_writer(EntityState *state, ModifyTableState *mtstate)
{
	GcRows *rows = &state->rows;
	GcRelation *rel = rows->rel;
	GcConnection *conn =
		gc_connection_get(gc_compat_modify_user(rows->rri, rows->estate), rel->server_id);
	GcAuditEntry *entry;

	gc_rows_begin_audit(rows);
	entry = &rows->audit->entry;
	state->writer = (GcEntityWriter){
		.kind = rel->resource->kind,
		.conn = conn,
		.calls = gc_calls_open(conn, &rows->stat),
		.ready_timeout_ms = gc_option_ms(rel->options, rel->server_options, "ready_timeout"),
		.read_lag_ms = gc_option_ms(NIL, rel->server_options, "read_lag"),
		.accepted = &entry->accepted,
		.counted = &state->counted,
		.in_doubt = &entry->in_doubt,
		.correlation_id = entry->correlation_id,
		.there = there_mode(rel, mtstate),
		.listed_only = &state->listed_only,
		.keys = keys_for(state),
	};
}

/* ---- rows ---- */

/* Returns the caller's context. */
static MemoryContext
begin_row(EntityState *state)
{
	state->counted = false;
	gc_audit_take(state->rows.audit, 1);
	return gc_rows_next(&state->rows);
}

/* What became of the row: nothing, if it was not "done". */
static void
end_row(EntityState *state, bool done, const char *object)
{
	GcSpan span = object ? gc_entity_span(object) : (GcSpan){0};
	char *id = object ? gc_entity_text(&span, "id") : NULL;

	if (!done)
		gc_audit_take(state->rows.audit, -1);
	else if (!state->counted)
		state->rows.audit->entry.accepted++;
	if (done && id && state->writer.kind->is_list)
		gc_audit_wrote(state->rows.audit, id);
}

/* Is it as it was read, where an answer to a write does not have it? */
static bool
stays(const GcAttribute *attribute)
{
	return attribute->expanded ||
		   (attribute->written == GC_WRITTEN_NEVER && attribute->path != NULL);
}

/* The row as the platform has it; what an answer does not have, as the statement has it. */
static TupleTableSlot *
show(EntityState *state, const char *object, TupleTableSlot *given)
{
	TupleTableSlot *result = state->rows.result;
	MemoryContext caller_cxt = gc_rows_clear_result(&state->rows);
	GcJson json;

	if (state->writer.kind->view)
		object = state->writer.kind->view(object);
	gc_json_init(&json, object, strlen(object));
	if (!gc_decoder_row(state->decoder, &json, result->tts_values, result->tts_isnull))
		ereport(ERROR, (errcode(ERRCODE_FDW_ERROR),
						errmsg("could not read the answer about one of the %s",
							   state->rows.rel->label),
						errdetail("%s.", json.error)));
	for (int i = 0; i < state->rows.rel->column_count; i++)
	{
		const GcColumn *column = &state->rows.rel->columns[i];

		if (column->attnum != 0 && result->tts_isnull[i] && stays(column->attribute))
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
	MemoryContext caller_cxt = begin_row(state);
	GcEntityChange *changes;
	char *object;
	bool made;

	changes = palloc0(sizeof(GcEntityChange) * Max(state->rows.rel->column_count, 1));
	object =
		gc_entity_create(&state->writer, changes, changes_of(state, slot, changes), &made);
	end_row(state, made, object);
	if (made && gc_size_known(state->rows.rel) >= 0)
		gc_size_note(state->rows.rel, gc_size_known(state->rows.rel) + 1);
	slot = object ? show(state, object, slot) : NULL;
	MemoryContextSwitchTo(caller_cxt);
	return slot;
}

/* Does anybody look at a row that was changed? */
static bool
is_shown(const ResultRelInfo *rri)
{
	return rri->ri_projectReturning || rri->ri_WithCheckOptions != NIL ||
		   (rri->ri_TrigDesc && rri->ri_TrigDesc->trig_update_after_row);
}

static TupleTableSlot *
update_row(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	EntityState *state = rri->ri_FdwState;
	MemoryContext caller_cxt = begin_row(state);
	char *object = NULL;
	GcKeptRow kept;

	if (gc_rows_take(&state->rows, plan_slot, &kept))
	{
		GcSpan seen = {.p = kept.raw, .len = kept.raw_len, .type = '{'};
		GcEntityChange *changes =
			palloc0(sizeof(GcEntityChange) * Max(state->rows.rel->column_count, 1));

		state->writer.shown = is_shown(rri);
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
	MemoryContext caller_cxt = begin_row(state);
	GcKeptRow kept;
	bool there = gc_rows_take(&state->rows, plan_slot, &kept) && delete_one(state, &kept);

	end_row(state, there, there ? kept.raw : NULL);
	MemoryContextSwitchTo(caller_cxt);
	return gc_rows_deleted(&state->rows, there, slot, plan_slot);
}

static void
entity_end(EState *estate, ResultRelInfo *rri)
{
	EntityState *state = rri->ri_FdwState;

	gc_audit_complete(state->rows.audit);
	gc_calls_close(state->writer.calls);
	if (state->writer.keys)
		gc_entity_keys_end(state->writer.keys);
	gc_rows_end(&state->rows);
}

/* ---- the writer ---- */

static const GcWriter entity_writer = {insert_row, update_row, delete_row, entity_end};

void
gc_entity_begin(ModifyTableState *mtstate, ResultRelInfo *rri, const PlanState *plan)
{
	EState *estate = mtstate->ps.state;
	MemoryContext caller_cxt = MemoryContextSwitchTo(estate->es_query_cxt);
	EntityState *state = palloc0(sizeof(EntityState));

	gc_rows_begin(&state->rows, &entity_writer, mtstate, rri, plan);
	if (state->rows.operation == CMD_UPDATE)
		state->columns = gc_changed_columns(estate, rri, state->rows.rel);
	open_writer(state, mtstate);
	state->decoder = gc_decoder_create(state->rows.rel, NULL, NULL);
	MemoryContextSwitchTo(caller_cxt);
}

void
gc_entity_explain(ResultRelInfo *rri, CmdType operation, ExplainState *es)
{
	const GcRows *rows = rri->ri_FdwState;
	const GcRelation *rel = rows ? rows->rel : gc_relation_load(rri->ri_RelationDesc);

	ExplainPropertyText("Remote Operation",
						psprintf("%s of %s, one by one", gc_rows_verb(operation), rel->label),
						es);
	if (es->analyze && rows)
		gc_explain_stat(es, &rows->stat);
}
