/*
 * fdw/update.c
 *	  UPDATE of contacts.
 *
 * What SET names is encoded as the executor hands a row over, and merged with the
 * contact as it was read: at once where that was a moment ago, else when it has
 * been read again (fdw/refresh.c).
 */
#include "postgres.h"

#include "base/option.h"
#include "base/written.h"
#include "fdw/changed.h"
#include "fdw/decode.h"
#include "fdw/merge.h"
#include "fdw/modify_state.h"
#include "fdw/refresh.h"
#include "fdw/returning.h"
#include "fdw/update.h"

#include "access/sysattr.h"
#include "executor/executor.h"
#include "utils/memutils.h"
#include "utils/rel.h"

typedef struct UpdateState
{
	GcModify base;
	GcEncoder *encoder;
	GcMerger *merger;
	GcRefresh *refresh;
	GcDecoder *decoder; /* of echoes; NULL while rows are batched */
	int64 freshness_us;
	GcTime
		lag_until; /* searches from before that may have missed a write; -1: not known yet */
	GcChanged columns;
	bool *changed; /* of the row at hand, by attnum - 1 */
} UpdateState;

/* ---- planning ---- */

static bool
is_written(const GcAttribute *attribute)
{
	return attribute == NULL || attribute->role != GC_ROLE_PLAIN;
}

void
gc_update_check(const GcRelation *rel, const Bitmapset *updated)
{
	for (int i = 0; i < rel->column_count; i++)
	{
		const GcColumn *column = &rel->columns[i];

		if (column->attnum == 0 ||
			!bms_is_member(column->attnum - FirstLowInvalidHeapAttributeNumber, updated))
			continue;
		if (column->attnum == rel->key || column->attnum == rel->id)
			ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
							errmsg("column \"%s\" of foreign table \"%s\" is the contact's id "
								   "and cannot be changed",
								   column->name, rel->name),
							errhint("Delete the contact and insert another one.")));
		if (!is_written(column->attribute))
			ereport(ERROR, (errcode(ERRCODE_GENERATED_ALWAYS),
							errmsg("column \"%s\" of foreign table \"%s\" is set by the "
								   "platform and cannot be written",
								   column->name, rel->name)));
	}
}

/* ---- opening ---- */

void
gc_update_begin(ResultRelInfo *rri, const PlanState *rows, const GcUpdateUse *use)
{
	EState *estate = rows->state;
	MemoryContext caller_cxt = MemoryContextSwitchTo(estate->es_query_cxt);
	UpdateState *state = palloc0(sizeof(UpdateState));
	GcModify *base = &state->base;
	TriggerDesc *triggers = rri->ri_TrigDesc;
	GcTargetSettings settings;

	bool watched = use->asks || (triggers && triggers->trig_update_after_row);

	gc_modify_open(base, estate, rri, GC_VERB_UPDATE, use->shown || use->returned || watched,
				   use->counted);
	/* Nobody is to see a row that is not changed in the end. */
	base->single = base->target && (watched || (use->returned && base->goes_on));
	gc_modify_find_tid(base, rows);
	gc_modify_settings(base->rel, GC_VERB_UPDATE, &settings);
	state->freshness_us = settings.freshness_us;
	state->lag_until = -1;
	state->encoder = gc_encoder_create(base->rel, base->list, NULL);
	state->merger = gc_merger_create(base->list);
	if (base->target)
		state->refresh = gc_refresh_create(base->target, GC_VERB_UPDATE, base->rel, base->list,
										   state->merger, base->conn->max_in_flight);
	if (watched && base->single)
		state->decoder = gc_decoder_create(base->rel, base->list, NULL);
	state->columns = gc_changed_columns(estate, rri, base->rel);
	state->changed = palloc0(sizeof(bool) * Max(base->rel->column_count, 1));
	MemoryContextSwitchTo(caller_cxt);
}

/* ---- rows ---- */

static void
find_changes(UpdateState *state, ResultRelInfo *rri, TupleTableSlot *slot)
{
	const GcRelation *rel = state->base.rel;

	gc_changed_begin_row(&state->columns, rri, slot);
	for (int i = 0; i < rel->column_count; i++)
		state->changed[i] =
			rel->columns[i].attnum != 0 && gc_changed_has(&state->columns, rri, slot, i);
}

/* Until when a search may miss what this cluster wrote to the list before this statement. */
static GcTime
lag_end(const GcModify *base)
{
	return gc_written_shown(base->conn->api_url, base->list->id,
							gc_option_ms(base->rel->server_options, NIL, "read_lag"));
}

/* May it be merged with as it was read? */
static bool
is_fresh(UpdateState *state, const GcKeptRow *kept)
{
	if (state->lag_until < 0)
		state->lag_until = lag_end(&state->base);
	return kept->raw && gc_clock_now() - kept->read_at <= state->freshness_us &&
		   !(kept->lags && kept->read_at < state->lag_until);
}

/* The changes, and of a row that waits what rejected_rows would have; false: it is rejected. */
static bool
make_patch(UpdateState *state, TupleTableSlot *slot, const char *id, bool waits,
		   GcPatch *patch)
{
	GcModify *base = &state->base;
	const GcProblem *problem =
		gc_encoder_patch(state->encoder, slot, state->changed, id, patch);

	if (problem)
		gc_modify_reject(base, problem, id, slot);
	else if (waits && base->goes_on)
		patch->row_data = gc_reject_row_data(base->rel, slot);
	return problem == NULL;
}

/* Merges the contact as it was read a moment ago. */
static void
merge_fresh(UpdateState *state, const GcKeptRow *kept, const GcPatch *patch, GcRow *row)
{
	const char *wrong =
		gc_merge(state->merger, kept->id, kept->raw, kept->raw_len, patch, row);

	if (wrong)
		ereport(ERROR, (errcode(ERRCODE_FDW_ERROR),
						errmsg("could not update a contact of %s", state->base.rel->label),
						errdetail("%s", wrong)));
	row->read_at = kept->read_at;
}

/* A row waits: for COMMIT, or until its contact is read again; false: it is rejected. */
static bool
hold_row(UpdateState *state, TupleTableSlot *slot, const GcKeptRow *kept)
{
	GcModify *base = &state->base;
	MemoryContext caller_cxt = CurrentMemoryContext;
	const char *id;
	GcPatch patch;
	bool good;

	if (base->target)
		MemoryContextSwitchTo(gc_refresh_context(state->refresh));
	id = pstrdup(kept->id);
	good = make_patch(state, slot, id, true, &patch);
	if (good && base->pending)
		gc_pending_patch(base->pending, id, &patch);
	else if (good)
		gc_refresh_add(state->refresh, id, &patch, NULL);
	MemoryContextSwitchTo(caller_cxt);
	return good;
}

/* A row goes, by itself or into the batch; false: it is rejected. */
static bool
send_row(UpdateState *state, TupleTableSlot *slot, const GcKeptRow *kept, bool fresh,
		 GcJson **echo)
{
	GcModify *base = &state->base;
	GcPatch patch;
	GcRow row;

	if (!make_patch(state, slot, kept->id, !fresh, &patch))
		return false;
	if (fresh)
		merge_fresh(state, kept, &patch, &row);
	else if (!gc_refresh_now(state->refresh, kept->id, &patch, NULL, &row))
		return false;
	if (base->single)
		return gc_deliver_now(base->target, &row, state->decoder ? echo : NULL);
	gc_deliver_row(base->target, &row);
	return true;
}

TupleTableSlot *
gc_update_row(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
			  TupleTableSlot *plan_slot)
{
	UpdateState *state = rri->ri_FdwState;
	GcModify *base = &state->base;
	MemoryContext caller_cxt;
	GcKeptRow kept;
	GcJson *echo = NULL;
	bool fresh;
	bool there;

	gc_modify_row(base, estate);
	caller_cxt = MemoryContextSwitchTo(base->row_cxt);
	there = gc_modify_take(base, estate, rri, plan_slot, &kept);
	if (there)
	{
		find_changes(state, rri, slot);
		fresh = is_fresh(state, &kept);
		if (base->pending || (!fresh && !base->single))
			there = hold_row(state, slot, &kept);
		else
			there = send_row(state, slot, &kept, fresh, &echo);
		if (there && base->result)
			slot = gc_modify_show(base, state->decoder, slot, kept.id, echo);
	}
	MemoryContextSwitchTo(caller_cxt);
	return there ? slot : NULL;
}
