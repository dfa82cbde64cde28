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
#include "fdw/kept.h"
#include "fdw/scan.h"
#include "fdw/statement.h"
#include "net/connection.h"

#include "access/sysattr.h"
#include "executor/executor.h"
#include "lib/ilist.h"
#include "pgtime.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

typedef struct DncState
{
	GcWriterState base;
	dlist_node node; /* in writers */
	EState *estate;
	CmdType operation;
	GcRelation *rel;
	GcColumn *entry; /* NULL: the table has none */
	GcColumn *expires;
	GcStat stat;
	GcCalls *calls;
	GcAudit *audit;
	GcDncBatcher *batcher;
	AttrNumber tid_attno;
	GcKept *kept; /* NULL until the first row */
	bool began;
	MemoryContext row_cxt;
	MemoryContext result_cxt;
	TupleTableSlot *result;
	MemoryContextCallback on_reset;
} DncState;

static dlist_head writers = DLIST_STATIC_INIT(writers);

/* ---- opening ---- */

static void
release(void *arg)
{
	DncState *state = arg;

	dlist_delete(&state->node);
	gc_audit_release(state->audit);
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

static const char *
operation_name(CmdType operation)
{
	if (operation == CMD_UPDATE)
		return "UPDATE";
	return operation == CMD_DELETE ? "DELETE" : "INSERT";
}

static int
batch_rows(const GcRelation *rel)
{
	return Min(gc_option_int(rel->options, rel->server_options, "batch_size"),
			   GC_DNC_MAX_ENTRIES);
}

/* The list is looked up first: nothing is sent to one that is kept elsewhere. */
static void
open_batcher(DncState *state, EState *estate, ResultRelInfo *rri)
{
	static const GcDncVerb verbs[] = {
		[CMD_INSERT] = GC_DNC_ADD, [CMD_UPDATE] = GC_DNC_CHANGE, [CMD_DELETE] = GC_DNC_REMOVE};
	GcRelation *rel = state->rel;
	GcConnection *conn = gc_connection_get(gc_compat_modify_user(rri, estate), rel->server_id);
	GcDncList *list;

	state->stat.spent = gc_statement_spent(estate);
	list = gc_dnc_list_get(conn, &state->stat, rel->dnc_list_id, rel->dnc_list_name);
	rel->label = psprintf("DNC list \"%s\"", gc_value_display(list->name, NAMEDATALEN));
	gc_dnc_check_source(list);
	state->audit =
		gc_audit_begin(rel->label, NULL, operation_name(state->operation), NULL, &state->stat);
	gc_audit_wrote(state->audit, list->id);
	state->on_reset.func = release;
	state->on_reset.arg = state;
	dlist_push_tail(&writers, &state->node);
	MemoryContextRegisterResetCallback(estate->es_query_cxt, &state->on_reset);
	state->calls = gc_calls_open(conn, &state->stat);
	state->batcher = gc_dnc_batcher_create(
		state->calls, state->audit,
		&(GcDncSettings){
			.verb = verbs[state->operation],
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
					errmsg("an entry of %s cannot become another one", state->rel->label),
					errhint("DELETE the one, and INSERT the other.")));
}

static void dnc_end(EState *estate, ResultRelInfo *rri);
static TupleTableSlot *insert_row(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
								  TupleTableSlot *plan_slot);
static TupleTableSlot *update_row(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
								  TupleTableSlot *plan_slot);
static TupleTableSlot *delete_row(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
								  TupleTableSlot *plan_slot);

static const GcWriter dnc_writer = {insert_row, update_row, delete_row, dnc_end};

void
gc_dnc_begin(ModifyTableState *mtstate, ResultRelInfo *rri, const PlanState *rows)
{
	EState *estate = mtstate->ps.state;
	MemoryContext caller_cxt = MemoryContextSwitchTo(estate->es_query_cxt);
	DncState *state = palloc0(sizeof(DncState));

	state->base.writer = &dnc_writer;
	state->estate = estate;
	state->operation = rows ? mtstate->operation : CMD_INSERT;
	state->rel = gc_relation_load(rri->ri_RelationDesc);
	state->entry = find_column(state->rel, "entry");
	state->expires = find_column(state->rel, "expires_at");
	if (state->entry && state->operation == CMD_UPDATE &&
		bms_is_member(state->entry->attnum - FirstLowInvalidHeapAttributeNumber,
					  ExecGetUpdatedCols(rri, estate)))
		refuse_rename(state);
	if (state->entry == NULL && rows == NULL)
		ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION),
						errmsg("foreign table \"%s\" has no column for the entries",
							   state->rel->name)));
	if (rows)
		state->tid_attno = ExecFindJunkAttributeInTlist(rows->plan->targetlist, "ctid");
	open_batcher(state, estate, rri);
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
begin_row(DncState *state, EState *estate)
{
	if (!state->began)
		gc_scan_read_ahead(estate);
	state->began = true;
	MemoryContextReset(state->row_cxt);
}

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
	if (state->rel->strict)
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
	TupleTableSlot *result = state->result;
	MemoryContext caller_cxt;

	ExecClearTuple(result);
	MemoryContextReset(state->result_cxt);
	caller_cxt = MemoryContextSwitchTo(state->result_cxt);
	memset(result->tts_isnull, true, sizeof(bool) * result->tts_tupleDescriptor->natts);
	show_cell(result, state->entry, entry);
	show_cell(result, state->expires, until);
	MemoryContextSwitchTo(caller_cxt);
	return ExecStoreVirtualTuple(result);
}

static void
send(DncState *state, const char *entry, const char *until)
{
	gc_audit_take(state->audit, 1);
	gc_dnc_batcher_row(state->batcher, entry, until);
}

static TupleTableSlot *
insert_row(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	DncState *state = rri->ri_FdwState;
	MemoryContext caller_cxt = CurrentMemoryContext;
	const char *entry;
	const char *until;
	bool isnull;
	Datum value;

	begin_row(state, estate);
	MemoryContextSwitchTo(state->row_cxt);
	value = slot_getattr(slot, state->entry->attnum, &isnull);
	entry = isnull ? NULL : cell_of(state->entry, value);
	if (entry == NULL || *entry == '\0')
		ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION),
						errmsg("null value in column \"%s\" of foreign table \"%s\"",
							   state->entry->name, state->rel->name)));
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
	MemoryContext caller_cxt = CurrentMemoryContext;
	GcKeptRow kept;
	bool there;

	begin_row(state, estate);
	MemoryContextSwitchTo(state->row_cxt);
	there =
		gc_kept_take_planned(&state->kept, state->tid_attno, estate, rri, plan_slot, &kept);
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
	MemoryContext caller_cxt = CurrentMemoryContext;
	GcKeptRow kept;
	bool there;

	begin_row(state, estate);
	MemoryContextSwitchTo(state->row_cxt);
	there =
		gc_kept_take_planned(&state->kept, state->tid_attno, estate, rri, plan_slot, &kept);
	if (there)
		send(state, kept.id, NULL);
	MemoryContextSwitchTo(caller_cxt);
	if (there && rri->ri_projectReturning)
		gc_kept_show_deleted(rri, slot, plan_slot);
	return there ? slot : NULL;
}

/* ---- closing ---- */

void
gc_dnc_drain(EState *estate)
{
	dlist_iter iter;

	dlist_foreach (iter, &writers)
	{
		DncState *state = dlist_container(DncState, node, iter.cur);

		if (state->estate != estate)
			continue;
		gc_dnc_batcher_finish(state->batcher);
		gc_audit_complete(state->audit);
	}
}

static void
dnc_end(EState *estate, ResultRelInfo *rri)
{
	DncState *state = rri->ri_FdwState;

	gc_dnc_drain(estate);
	if (state->result)
		ExecDropSingleTupleTableSlot(state->result);
	state->result = NULL;
}

void
gc_dnc_explain(ResultRelInfo *rri, CmdType operation, ExplainState *es)
{
	DncState *state = rri->ri_FdwState;
	const GcRelation *rel = state ? state->rel : gc_relation_load(rri->ri_RelationDesc);

	ExplainPropertyText("Remote Operation",
						psprintf("%s of entries of %s", operation_name(operation), rel->label),
						es);
	ExplainPropertyInteger("Batch Size", NULL, batch_rows(rel), es);
	if (es->analyze && state)
		gc_explain_stat(es, &state->stat);
}
