/*
 * fdw/deliver_book.c
 *	  Delivery of contacts: what has become of a batch, and the rows that the statement
 *	  goes on without.
 */
#include "postgres.h"

#include "base/contact_id.h"
#include "base/json_pick.h"
#include "base/option.h"
#include "base/value.h"
#include "base/written.h"
#include "fdw/batch_parts.h"
#include "fdw/bisect.h"
#include "fdw/deliver_parts.h"
#include "fdw/removal.h"
#include "store/contact_audit.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

/* How far the platform's clocks may be apart. */
#define CLOCK_SLACK_US (2 * USECS_PER_SEC)

/* ---- rows that the statement goes on without ---- */

bool
gc_deliver_goes_on(const GcTarget *target)
{
	return target->refused != NULL;
}

bool
gc_deliver_reject(GcTarget *target, const GcRefusal *refusal)
{
	if (target->refused == NULL)
		return false;
	target->refused(target->refused_arg, refusal);
	gc_deliver_skipped(target, 1);
	if (!refusal->counted)
		target->uncounted--;
	return true;
}

/* A contact that could not be deleted. */
static void
reject_held(GcTarget *target, const GcHeld *held, const char *answer, bool counted)
{
	static const char why[] = "It is still there, as those are that a campaign uses";
	const char *message = gc_verb_failed(GC_VERB_DELETE, 1, target->rel->label);
	GcProblem problem = {
		.sqlstate = ERRCODE_OBJECT_IN_USE,
		.message = message,
		.detail = psprintf("%s: \"%s\".", why, gc_value_display(held->id, NAMEDATALEN)),
		.reason = psprintf("%s: %s.", message, why),
		.hint = gc_policy(GC_CAUSE_CAMPAIGN)->hint,
		.code = gc_policy(GC_CAUSE_CAMPAIGN)->code,
		.taken = true};

	(void) gc_deliver_reject(target, &(GcRefusal){.problem = &problem,
												  .correlation_id = answer,
												  .counted = counted,
												  .json = held->json,
												  .len = held->len});
}

/* The first of these: the error at the end names them. */
static void
note_held(GcTarget *target, const GcHeld *held)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(target->writer->cxt);

	if (target->held++ < GC_HELD_SHOWN)
		target->held_ids = lappend(target->held_ids, pstrdup(held->id));
	MemoryContextSwitchTo(caller_cxt);
}

bool
gc_deliver_held(GcTarget *target, const GcHeld *held, const char *answer)
{
	if (target->refused == NULL)
	{
		note_held(target, held);
		return true;
	}
	target->unchecked--;
	target->audit->entry.in_doubt--;
	reject_held(target, held, answer, true);
	return false;
}

/* A contact that was written, in some way: until it is rejected it is in doubt. */
static void
reject_odd(GcBatch *batch, const GcOdd *odd)
{
	GcTarget *target = batch->owner;
	const char *message = gc_verb_failed(target->settings.verb, 1, target->rel->label);
	GcProblem problem = {.sqlstate = odd->sqlstate,
						 .message = message,
						 .detail = odd->what,
						 .reason = psprintf("%s: %s", message, odd->reason),
						 .hint = gc_deliver_hint(odd->sqlstate),
						 .code = odd->code,
						 .taken = true};
	GcRefusal refusal = {.problem = &problem,
						 .correlation_id = gc_call_header(batch->call, "inin-correlation-id"),
						 .counted = !batch->awaited};

	refusal.json = gc_batch_row(batch, odd->row, &refusal.len);
	(void) gc_deliver_reject(target, &refusal);
	target->in_doubt--;
	target->audit->entry.in_doubt--;
}

/* ---- batches ---- */

void
gc_wire_off(GcBatch *batch)
{
	dlist_delete(&batch->node);
	((GcTarget *) batch->owner)->writer->wire_count--;
}

const GcFailure *
gc_wire_failure(const GcBatch *batch)
{
	return batch->removes && gc_removal_is_gone(batch) ? NULL : gc_call_failure(batch->call);
}

bool
gc_wire_done(const GcBatch *batch)
{
	return !batch->removes || gc_wire_is_deferred(batch) || gc_removal_done(batch);
}

bool
gc_wire_look_again(GcBatch *batch)
{
	GcTarget *target = batch->owner;

	if (target->refused == NULL || !gc_removal_is_refused(batch))
		return false;
	/* Its call has not counted it, unless an earlier try got no answer. */
	target->audit->entry.in_doubt += !gc_call_in_doubt(batch->call);
	gc_removal_acted(batch);
	gc_audit_answered(target->audit, batch->answer);
	gc_wire_look_up(batch);
	return true;
}

void
gc_wire_accept(GcTarget *target, int64 rows, int64 done)
{
	target->accepted += done;
	target->audit->entry.accepted += done;
	target->audit->entry.in_doubt -= rows;
	gc_stat_rows(&target->writer->conn->owner, done, 0);
}

/* Does a statement note what it has delivered?  An import does that itself. */
static bool
keeps_ledger(const GcTarget *target)
{
	return target->settings.verb == GC_VERB_INSERT && target->settings.import_id == 0 &&
		   gc_option_bool(target->rel->options, target->rel->server_options, "ledger");
}

static bool
is_odd(const GcBatch *batch, int row)
{
	ListCell *lc;

	foreach (lc, batch->odd)
		if (((GcOdd *) lfirst(lc))->row == row)
			return true;
	return false;
}

static void
note_delivered(const GcBatch *batch)
{
	static const char *const path[] = {"id"};
	GcTarget *target = batch->owner;
	MemoryContext caller_cxt = MemoryContextSwitchTo(target->writer->cxt);

	if (target->ledger == NULL)
		target->ledger =
			gc_ledger_open_statement(target->list->id, gc_audit_id(target->audit));
	MemoryContextSwitchTo(caller_cxt);
	for (int row = 0; row < batch->rows; row++)
	{
		GcSpan contact = {.type = '{'};
		GcSpan id;
		int len;

		contact.p = gc_batch_row(batch, row, &contact.len);
		id = gc_pick_member(&contact, path, lengthof(path));
		if (id.type == '"' && !is_odd(batch, row))
			gc_ledger_put(target->ledger, gc_value_span_text(&id, &len), contact.p,
						  contact.len);
	}
}

/* NULL: it is not known. */
static const char *
word_of(char callable)
{
	if (callable == 0)
		return NULL;
	return callable == 't' ? "true" : "false";
}

static void
audit_change(const GcTarget *target, const GcBatch *batch, const GcBatchNote *note,
			 const char *change, const char *old_value, const char *new_value)
{
	gc_contact_audit_put(&(GcContactChange){
		.by_role = target->settings.by_role,
		.list_id = gc_value_display(target->list->id, GC_AUDIT_LIST_SIZE),
		.contact_id = gc_value_display(note->id, GC_CONTACT_ID_MAX),
		.change = change,
		.old_value = old_value,
		.new_value = new_value,
		.confirmed_at = GetCurrentTimestamp(),
		.correlation_id = gc_call_header(batch->call, "inin-correlation-id"),
	});
}

/* Opt-outs, and what else was said of being callable, that the echo shows. */
static void
audit_changes(const GcBatch *batch)
{
	const GcTarget *target = batch->owner;
	ListCell *lc;

	foreach (lc, batch->notes)
	{
		const GcBatchNote *note = lfirst(lc);

		if (is_odd(batch, note->row))
			continue;
		if (note->callable)
			audit_change(target, batch, note, "callable", word_of(note->was_callable),
						 word_of(note->callable));
		if (note->phone_number_status)
			audit_change(target, batch, note, "status", note->was_phone_status,
						 note->phone_number_status);
		if (note->contactable_status)
			audit_change(target, batch, note, "status", note->was_contactable_status,
						 note->contactable_status);
	}
}

/*
 * The contacts of a batch are as they should be, but for those that could not be
 * deleted, and those whose echo is odd.
 */
static void
book_accepted(GcBatch *batch, bool rejects)
{
	GcTarget *target = batch->owner;
	int odd = list_length(batch->odd);
	int rows = batch->rows - odd;
	ListCell *lc;

	gc_wire_accept(target, rows, rows - list_length(batch->held));
	if (keeps_ledger(target))
		note_delivered(batch);
	if (!batch->removes)
		audit_changes(batch);
	target->in_doubt += odd;
	target->uncounted += batch->missing && !batch->awaited;
	foreach (lc, batch->odd)
		reject_odd(batch, lfirst(lc));
	foreach (lc, batch->held)
		if (rejects && target->refused)
			reject_held(target, lfirst(lc), batch->answer, !batch->awaited);
		else
			note_held(target, lfirst(lc));
}

/* The platform's time before which no contact of the batch was there; DT_NOBEGIN: any. */
static TimestampTz
absent_since(const GcBatch *batch)
{
	TimestampTz answered_at;

	if (batch->absent_at == 0)
		return DT_NOBEGIN;
	answered_at = gc_call_answer_time(batch->call);
	if (TIMESTAMP_IS_NOBEGIN(answered_at))
		return DT_NOBEGIN;
	return answered_at - (gc_clock_now() - batch->absent_at) - CLOCK_SLACK_US;
}

/* What is wrong with the answer to a POST, but for rows that can do without; or NULL. */
static const char *
book_echo(GcBatch *batch, bool rejects, int *sqlstate)
{
	GcTarget *target = batch->owner;
	TimestampTz since = absent_since(batch);
	const char *problem;
	size_t len;
	const char *bytes = gc_call_reply(batch->call, &len);

	problem = gc_batch_check_echo(batch, bytes, len, since, sqlstate);
	if (problem == NULL && target->echoed && !target->echoed(target->echoed_arg, batch))
		target->echoed = NULL;
	if (problem && rejects && target->refused)
		batch->odd = gc_batch_odd(batch, bytes, len, since);
	return batch->odd == NIL ? problem : NULL;
}

const char *
gc_wire_book(GcBatch *batch, bool rejects, int *sqlstate)
{
	GcTarget *target = batch->owner;
	const char *problem;

	*sqlstate = 0;
	gc_progress_update(target->progress, target->accepted, -1, target->stat.requests,
					   target->writer->stat.quota_wait_us);
	gc_written_note(target->writer->conn->api_url, target->list->id);
	if (gc_wire_failure(batch))
	{
		gc_audit_answered(target->audit, gc_wire_failure(batch)->correlation_id);
		if (batch->acted || gc_call_in_doubt(batch->call))
			target->in_doubt += batch->rows;
		return NULL;
	}
	if (gc_call_failure(batch->call) == NULL)
		gc_audit_answered(target->audit, gc_call_header(batch->call, "inin-correlation-id"));
	if (gc_wire_is_deferred(batch))
	{
		gc_wire_defer(batch);
		return NULL;
	}
	if (batch->removes)
	{
		*sqlstate = ERRCODE_FDW_ERROR;
		problem = gc_removal_book(batch);
	}
	else
		problem = book_echo(batch, rejects, sqlstate);
	if (problem)
		target->in_doubt += batch->rows; /* as the call counts them for a WARNING */
	else if (gc_wire_done(batch))
		book_accepted(batch, rejects);
	return problem;
}
