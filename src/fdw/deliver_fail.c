/*
 * fdw/deliver_fail.c
 *	  Delivery of contacts that fails: the error, with the three counts.
 */
#include "postgres.h"

#include "base/value.h"
#include "fdw/bisect.h"
#include "fdw/deliver_parts.h"

/* The three counts of a target; from here on no WARNING repeats them. */
static const char *
tell_counts(GcTarget *target)
{
	return gc_audit_tell(target->audit, target->taken, target->accepted,
						 target->in_doubt + target->unchecked);
}

/* The counts, and which contact it is where the call does not tell. */
static const char *
tell_batch(const GcBatch *batch, const GcFailure *failure)
{
	GcTarget *target = batch->owner;
	const char *counts = tell_counts(target);
	const char *id = NULL;

	if (batch->rows == 1 && target->settings.verb == GC_VERB_UPDATE)
		id = gc_batch_id(batch, 0);
	if (batch->rows == 1 && target->settings.verb == GC_VERB_INSERT && failure &&
		(gc_bisect_is_row(batch, failure) || failure->cause == GC_CAUSE_IN_USE))
		id = gc_batch_only_id(batch);
	return id ? psprintf("Contact id: \"%s\".\n%s", gc_value_display(id, NAMEDATALEN), counts)
			  : counts;
}

const char *
gc_deliver_hint(int sqlstate)
{
	switch (sqlstate)
	{
		case ERRCODE_T_R_SERIALIZATION_FAILURE:
			return "See whether it is wanted, and delete it again if not.";
		case ERRCODE_UNIQUE_VIOLATION:
			return "Somebody else inserted the contact after it had been looked for.";
		default:
			return "Somebody else may have changed the contact at the same moment; "
				   "send the opt-out again.";
	}
}

/* Throws for a batch that has been booked. */
void
gc_wire_throw(GcBatch *batch, const char *problem, int sqlstate)
{
	GcTarget *target = batch->owner;
	const char *message =
		gc_verb_failed(target->settings.verb, batch->rows, target->rel->label);
	const GcFailure *failure = gc_wire_failure(batch);

	if (failure && gc_list_is_doubted(failure))
		gc_list_forget(target->list);
	gc_wire_stop(target->writer);
	if (problem == NULL)
		gc_call_throw(batch->call, message, tell_batch(batch, failure));
	if (sqlstate == ERRCODE_FDW_ERROR)
		gc_call_throw_reply(batch->call, problem, message, tell_batch(batch, failure));
	ereport(ERROR, (errcode(sqlstate), errmsg_internal("%s", message),
					errdetail_internal("%s\n%s", problem, tell_counts(target)),
					errhint("%s", gc_deliver_hint(sqlstate))));
}

void
gc_deliver_fail(GcTarget *target, const GcCall *call, const char *problem, const char *message)
{
	gc_wire_stop(target->writer);
	if (problem)
		gc_call_throw_reply(call, problem, message, tell_counts(target));
	gc_call_throw(call, message, tell_counts(target));
}

void
gc_deliver_refuse(GcTarget *target, const GcProblem *problem)
{
	if (!problem->taken)
		gc_deliver_taken(target, 1);
	gc_wire_stop(target->writer);
	ereport(ERROR, (errcode(problem->sqlstate), errmsg_internal("%s", problem->message),
					errdetail_internal("%s\n%s", problem->detail, tell_counts(target)),
					problem->hint ? errhint("%s", problem->hint) : 0));
}

/* Contacts that a campaign uses could not be deleted: said at the end, so that all others are. */
void
gc_deliver_throw_held(GcTarget *target)
{
	StringInfoData names;
	ListCell *lc;

	initStringInfo(&names);
	foreach (lc, target->held_ids)
		appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "",
						 gc_value_display(lfirst(lc), NAMEDATALEN));
	if (target->held > list_length(target->held_ids))
		appendStringInfo(&names, " and " INT64_FORMAT " more",
						 target->held - list_length(target->held_ids));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg_internal("%s",
							 gc_verb_failed(GC_VERB_DELETE, target->held, target->rel->label)),
			 errdetail_internal("They are still there, as those are that a campaign uses: "
								"%s.\n%s",
								names.data, tell_counts(target)),
			 errhint("%s", gc_policy(GC_CAUSE_CAMPAIGN)->hint)));
}
