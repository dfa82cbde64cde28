/*
 * fdw/dnc_modify.c
 *	  INSERT, COPY FROM, UPDATE and DELETE of the entries of a DNC list.
 *
 * The platform tells nothing of an entry that is added or removed, so rows travel many a
 * call, whoever looks at them (fdw/dnc_batch.c).  Which entries an UPDATE or a DELETE is
 * about, the export says that its scan reads: a list that is asked to remove what it does
 * not have does not say so, and the count of rows would be wrong.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/option.h"
#include "fdw/dnc_batch.h"
#include "fdw/dnc_modify.h"
#include "fdw/explain.h"
#include "net/connection.h"

#include "access/sysattr.h"
#include "executor/executor.h"
#include "lib/ilist.h"
#include "pgtime.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

typedef struct DncState
{
	GcRows rows;
	dlist_node node; /* in writers */
	GcColumn *entry; /* NULL: the table has none */
	GcColumn *expires;
	GcDncBatcher *batcher;
	MemoryContextCallback on_reset;
} DncState;

static dlist_head writers = DLIST_STATIC_INIT(writers);

/* ---- opening ---- */

static void
release(void *arg)
{
	dlist_delete(&((DncState *) arg)->node);
}

static GcColumn *
find_column(GcRelation *rel, const char *attribute)
{
	for (int i = 0; i < rel->column_count; i++)
		if (rel->columns[i].attnum != 0 &&
			strcmp(rel->columns[i].attribute->name, attribute) == 0)
			return &rel->columns[i];
	return NULL;
}

static int
batch_rows(const GcRelation *rel)
{
	return Min(gc_option_int(rel->options, rel->server_options, "batch_size"),
			   GC_DNC_MAX_ENTRIES);
}

/* The list is looked up first: nothing is sent to one that is kept elsewhere. */
static void
open_batcher(DncState *state)
{
	static const GcDncVerb verbs[] = {
		[CMD_INSERT] = GC_DNC_ADD, [CMD_UPDATE] = GC_DNC_CHANGE, [CMD_DELETE] = GC_DNC_REMOVE};
	GcRows *rows = &state->rows;
	GcRelation *rel = rows->rel;
	GcConnection *conn =
		gc_connection_get(gc_compat_modify_user(rows->rri, rows->estate), rel->server_id);
	GcDncList *list = gc_dnc_list_get(conn, &rows->stat, rel->dnc_list_id, rel->dnc_list_name);

	rel->label = psprintf("DNC list \"%s\"", gc_value_display(list->name, NAMEDATALEN));
	gc_dnc_check_source(list);
	gc_rows_begin_audit(rows);
	gc_audit_wrote(rows->audit, list->id);
	state->on_reset.func = release;
	state->on_reset.arg = state;
	dlist_push_tail(&writers, &state->node);
	MemoryContextRegisterResetCallback(rows->estate->es_query_cxt, &state->on_reset);
	state->batcher = gc_dnc_batcher_create(
		gc_calls_open(conn, &rows->stat), rows->audit,
		&(GcDncSettings){
			.verb = verbs[rows->operation],
			.list = list,
			.label = rel->label,
			.rows = batch_rows(rel),
			.bytes = gc_option_bytes(rel->options, rel->server_options, "batch_bytes"),
			.memory = gc_option_bytes(rel->options, rel->server_options, "buffer_memory"),
			.in_flight = conn->max_in_flight});
}

/* An entry is what it is known by: as another one it would be a second. */
static _Noreturn void
refuse_rename(const DncState *state)
{
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					errmsg("an entry of %s cannot become another one", state->rows.rel->label),
					errhint("DELETE the one, and INSERT the other.")));
}

/* ---- rows ---- */

static char *
cell_of(GcColumn *column, Datum value)
{
	int len;
	const char *cell = gc_value_text(&column->type, value, &len);

	return pnstrdup(cell, len);
}

/* The minute in which an entry expires: the platform knows none between two. */
static TimestampTz
whole_minute(const DncState *state, TimestampTz moment)
{
	TimestampTz over = moment % USECS_PER_MINUTE;

	if (over < 0)
		over += USECS_PER_MINUTE;
	if (over == 0)
		return moment;
	if (state->rows.rel->strict)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("value of column \"%s\" is not a whole minute", state->expires->name),
				 errdetail("Entries of a DNC list expire at a minute."),
				 errhint("Use date_trunc('minute', ...), or set the option "
						 "\"verification\" to \"relaxed\": then they expire at the "
						 "next minute.")));
	return moment - over + USECS_PER_MINUTE;
}

/* As the platform writes it; NULL: never. */
static char *
expiration(DncState *state, TupleTableSlot *slot)
{
	bool isnull = true;
	Datum value = 0;
	TimestampTz moment;
	struct pg_tm tm;
	fsec_t fsec;
	const char *cell;

	if (state->expires)
		value = slot_getattr(slot, state->expires->attnum, &isnull);
	if (isnull)
		return NULL;
	cell = cell_of(state->expires, value);
	if (strcmp(cell, "infinity") == 0)
		return NULL;
	if (!gc_value_moment(cell, &moment) || TIMESTAMP_NOT_FINITE(moment) ||
		timestamp2tm(whole_minute(state, moment), NULL, &tm, &fsec, NULL, NULL) != 0 ||
		tm.tm_year < 1 || tm.tm_year > 9999)
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("value of column \"%s\" is no moment that an entry could "
							   "expire at",
							   state->expires->name)));
	return psprintf("%04d-%02d-%02dT%02d:%02dZ", tm.tm_year, tm.tm_mon, tm.tm_mday, tm.tm_hour,
					tm.tm_min);
}

static void
show_cell(TupleTableSlot *result, GcColumn *column, const char *cell)
{
	if (column == NULL || cell == NULL)
		return;
	result->tts_isnull[column->attnum - 1] = false;
	result->tts_values[column->attnum - 1] =
		gc_value_parse(&column->type, pstrdup(cell), strlen(cell));
}

/* The row as it will read. */
static TupleTableSlot *
show(DncState *state, const char *entry, const char *until)
{
	TupleTableSlot *result = state->rows.result;
	MemoryContext caller_cxt = gc_rows_clear_result(&state->rows);

	memset(result->tts_isnull, true, sizeof(bool) * result->tts_tupleDescriptor->natts);
	show_cell(result, state->entry, entry);
	show_cell(result, state->expires, until);
	MemoryContextSwitchTo(caller_cxt);
	return ExecStoreVirtualTuple(result);
}

static void
send(DncState *state, const char *entry, const char *until)
{
	gc_audit_take(state->rows.audit, 1);
	gc_dnc_batcher_row(state->batcher, entry, until);
}

/* What has not the form of an entry would be taken, and bar nobody; the value is personal data. */
static void
check_format(DncState *state, const char *entry)
{
	GcRows *rows = &state->rows;
	GcCellFormat format = state->entry->format;
	const GcCellRule rule = {.format = format, .max_chars = INT_MAX};
	const char *detail;
	const char *counts;

	if (!rows->rel->strict || gc_cell_check(&rule, entry, strlen(entry)) == GC_CELL_FINE)
		return;
	gc_audit_take(rows->audit, 1);
	detail =
		psprintf("It is row " INT64_FORMAT " of the statement.", rows->audit->entry.total);
	if (gc_show_values)
		detail =
			psprintf("%s Value: \"%s\".", detail, gc_value_display(entry, GC_SHOWN_MAX_CHARS));
	counts = gc_dnc_batcher_stop(state->batcher);
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("column \"%s\" of %s has a value that is not %s",
						   state->entry->name, rows->rel->label, gc_cell_format_words(format)),
					errdetail_internal("%s\n%s", detail, counts),
					errhint("%s", gc_cell_format_hint(format))));
}

static TupleTableSlot *
insert_row(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	DncState *state = rri->ri_FdwState;
	MemoryContext caller_cxt = gc_rows_next(&state->rows);
	const char *entry;
	const char *until;
	bool isnull;
	Datum value;

	value = slot_getattr(slot, state->entry->attnum, &isnull);
	entry = isnull ? NULL : cell_of(state->entry, value);
	if (entry == NULL || *entry == '\0')
		ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION),
						errmsg("null value in column \"%s\" of foreign table \"%s\"",
							   state->entry->name, state->rows.rel->name)));
	check_format(state, entry);
	until = expiration(state, slot);
	send(state, entry, until);
	slot = show(state, entry, until);
	MemoryContextSwitchTo(caller_cxt);
	return slot;
}

/* A trigger has seen the row, and may have changed what it is known by. */
static void
check_entry(const DncState *state, TupleTableSlot *slot, const char *was)
{
	bool isnull;
	Datum value = slot_getattr(slot, state->entry->attnum, &isnull);

	if (isnull || strcmp(cell_of(state->entry, value), was) != 0)
		refuse_rename(state);
}

static TupleTableSlot *
update_row(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	DncState *state = rri->ri_FdwState;
	MemoryContext caller_cxt = gc_rows_next(&state->rows);
	GcKeptRow kept;
	bool there = gc_rows_take(&state->rows, plan_slot, &kept);

	if (there)
	{
		const char *until = expiration(state, slot);

		if (state->entry && rri->ri_TrigDesc && rri->ri_TrigDesc->trig_update_before_row)
			check_entry(state, slot, kept.id);
		send(state, kept.id, until);
		slot = show(state, kept.id, until);
	}
	MemoryContextSwitchTo(caller_cxt);
	return there ? slot : NULL;
}

static TupleTableSlot *
delete_row(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	DncState *state = rri->ri_FdwState;
	MemoryContext caller_cxt = gc_rows_next(&state->rows);
	GcKeptRow kept;
	bool there = gc_rows_take(&state->rows, plan_slot, &kept);

	if (there)
		send(state, kept.id, NULL);
	MemoryContextSwitchTo(caller_cxt);
	return gc_rows_deleted(&state->rows, there, slot, plan_slot);
}

/* ---- closing ---- */

void
gc_dnc_drain(EState *estate)
{
	dlist_iter iter;

	dlist_foreach (iter, &writers)
	{
		DncState *state = dlist_container(DncState, node, iter.cur);

		if (state->rows.estate != estate)
			continue;
		gc_dnc_batcher_finish(state->batcher);
		gc_audit_complete(state->rows.audit);
	}
}

static void
dnc_end(EState *estate, ResultRelInfo *rri)
{
	gc_dnc_drain(estate);
	gc_rows_end(rri->ri_FdwState);
}

/* ---- the writer ---- */

static const GcWriter dnc_writer = {insert_row, update_row, delete_row, dnc_end};

void
gc_dnc_begin(ModifyTableState *mtstate, ResultRelInfo *rri, const PlanState *plan)
{
	EState *estate = mtstate->ps.state;
	MemoryContext caller_cxt = MemoryContextSwitchTo(estate->es_query_cxt);
	DncState *state = palloc0(sizeof(DncState));
	GcRows *rows = &state->rows;

	gc_rows_begin(rows, &dnc_writer, mtstate, rri, plan);
	state->entry = find_column(rows->rel, "entry");
	state->expires = find_column(rows->rel, "expires_at");
	if (state->entry && rows->operation == CMD_UPDATE &&
		bms_is_member(state->entry->attnum - FirstLowInvalidHeapAttributeNumber,
					  ExecGetUpdatedCols(rri, estate)))
		refuse_rename(state);
	if (state->entry == NULL && plan == NULL)
		ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION),
						errmsg("foreign table \"%s\" has no column for the entries",
							   rows->rel->name)));
	open_batcher(state);
	MemoryContextSwitchTo(caller_cxt);
}

void
gc_dnc_explain(ResultRelInfo *rri, CmdType operation, ExplainState *es)
{
	const GcRows *rows = rri->ri_FdwState;
	const GcRelation *rel = rows ? rows->rel : gc_relation_load(rri->ri_RelationDesc);

	ExplainPropertyText("Remote Operation",
						psprintf("%s of entries of %s", gc_rows_verb(operation), rel->label),
						es);
	ExplainPropertyInteger("Batch Size", NULL, batch_rows(rel), es);
	if (es->analyze && rows)
		gc_explain_stat(es, &rows->stat);
}
