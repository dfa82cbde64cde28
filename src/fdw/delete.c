/*
 * fdw/delete.c
 *	  DELETE from contacts.
 *
 * By id, as the scan of the table read it, many a call.  With an AFTER ROW
 * trigger each row is a call, so that the trigger sees none that was not there;
 * with a RETURNING, too, if the statement may go on without some (on_error 'reject').
 * The contacts of a large one are looked for at its end (fdw/removed.c), those of
 * others batch by batch (fdw/removal.c).
 */
#include "postgres.h"

#include "api/url.h"
#include "fdw/delete.h"
#include "fdw/modify_state.h"
#include "fdw/removed.h"

#include "executor/executor.h"
#include "utils/memutils.h"

typedef struct DeleteState
{
	GcModify base;
	GcRemoved *removed; /* NULL: contacts are looked for batch by batch */
} DeleteState;

void
gc_delete_begin(ResultRelInfo *rri, const PlanState *rows, bool returned, bool counted)
{
	EState *estate = rows->state;
	MemoryContext caller_cxt = MemoryContextSwitchTo(estate->es_query_cxt);
	DeleteState *state = palloc0(sizeof(DeleteState));
	GcModify *modify = &state->base;

	gc_modify_open(modify, estate, rri, GC_VERB_DELETE, false, counted && !returned);
	if (modify->target)
		modify->single = (rri->ri_TrigDesc && rri->ri_TrigDesc->trig_delete_after_row) ||
						 (returned && modify->goes_on);
	gc_modify_find_tid(modify, rows);
	MemoryContextSwitchTo(caller_cxt);
}

const char *
gc_delete_check_way(const GcModify *modify)
{
	const DeleteState *state = (const DeleteState *) modify;

	return state->removed ? gc_removed_way(state->removed) : gc_source_ids.name;
}

TupleTableSlot *
gc_delete_row(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
			  TupleTableSlot *plan_slot)
{
	DeleteState *state = rri->ri_FdwState;
	GcModify *modify = &state->base;
	bool is_first = !modify->began;
	MemoryContext caller_cxt;
	GcKeptRow kept;
	GcRow row = {.noted = true};
	bool there;

	gc_modify_row(modify, estate);
	caller_cxt = MemoryContextSwitchTo(modify->row_cxt);
	there = gc_modify_take(modify, estate, rri, plan_slot, &kept);
	if (is_first && !modify->single)
		state->removed = gc_removed_open(modify, gc_kept_count(modify->kept), estate);
	if (there)
	{
		row.id = kept.id;
		row.json = psprintf("contactIds=%s", gc_url_escape(kept.id));
		row.len = strlen(row.json);
		if (modify->pending)
			gc_pending_row(modify->pending, &row);
		else if (modify->single)
			there = gc_deliver_now(modify->target, &row, NULL);
		else
			gc_deliver_row(modify->target, &row);
	}
	MemoryContextSwitchTo(caller_cxt);
	if (there && rri->ri_projectReturning)
		gc_kept_show_deleted(rri, slot, plan_slot);
	return there ? slot : NULL;
}
