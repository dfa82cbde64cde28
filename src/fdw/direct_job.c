/*
 * fdw/direct_job.c
 *	  One bulk job of a statement: submitted, awaited, counted.
 *
 * A job that is submitted goes on whatever becomes of us: until it has ended its
 * contacts are in doubt, but for those that it says it is done with.
 */
#include "postgres.h"

#include "base/value.h"
#include "base/written.h"
#include "fdw/direct_parts.h"

#include "base/option.h"
#include "common/pg_prng.h"
#include "utils/memutils.h"

/* Between two looks: from so long, doubling, up to so long; a random half of it less. */
#define POLL_FIRST_MS 100
#define POLL_CAP_MS	  5000

/* Who waits for longer than this is told. */
#define TELL_WAITING_US (10 * USECS_PER_SEC)

/* A job that is awaited. */
typedef struct Waiting
{
	GcDirect *direct;
	GcBulkJob *job;
	char *id;
	bool counted;
	int64 taken;  /* its contacts, … */
	int64 booked; /* … and those of them that count as accepted */
	GcTime since; /* it was submitted */
	GcTime moved_at;
	int pause_ms;
	bool told;
	MemoryContext scratch; /* reset for each look */
} Waiting;

const char *
gc_direct_failed(const GcDirect *direct, int64 rows)
{
	return gc_verb_failed(direct->verb, rows, direct->request.rel->label);
}

const char *
gc_direct_tell(GcDirect *direct)
{
	return gc_audit_tell(direct->audit, direct->taken, direct->accepted, direct->in_doubt);
}

static void
note_written(const GcDirect *direct)
{
	gc_written_note(direct->request.conn->api_url, direct->request.list->id);
}

/* ---- counts ---- */

/* The job is about so many contacts. */
static void
book_taken(Waiting *waiting, int64 taken)
{
	GcDirect *direct = waiting->direct;
	int64 more = taken - waiting->taken;

	if (!waiting->counted || taken < 0)
		return;
	waiting->taken = taken;
	direct->taken += more;
	gc_audit_take(direct->audit, more);
	direct->in_doubt += more;
	direct->audit->entry.in_doubt += more;
}

/* The job is done with so many of them. */
static void
book_done(Waiting *waiting)
{
	GcDirect *direct = waiting->direct;
	int64 more = waiting->job->completed - waiting->booked;

	if (!waiting->counted || waiting->job->completed < 0)
		return;
	waiting->booked += more;
	direct->accepted += more;
	direct->audit->entry.accepted += more;
	direct->in_doubt -= more;
	direct->audit->entry.in_doubt -= more;
	gc_progress_update(direct->progress, direct->accepted, direct->taken,
					   direct->stat.requests, direct->stat.quota_wait_us);
}

/* It has ended: the rest of them was passed over, or not come to. */
static void
book_end(Waiting *waiting)
{
	GcDirect *direct = waiting->direct;
	int64 rest = waiting->taken - waiting->booked;

	/* Of one that was tried, what it did is still to be seen. */
	if (waiting->counted)
		gc_audit_set_job(direct->audit, NULL);
	direct->in_doubt -= rest;
	direct->audit->entry.in_doubt -= rest;
	gc_stat_rows(&direct->request.conn->owner, waiting->booked, 0);
}

/* ---- submission ---- */

static void
submit(Waiting *waiting, const char *body, int64 expected)
{
	GcDirect *direct = waiting->direct;
	const char *message = gc_direct_failed(direct, expected);
	int rows = waiting->counted ? Min(expected, INT_MAX) : 0;
	int64 *in_doubt =
		waiting->counted ? &direct->audit->entry.in_doubt : &direct->audit->trials;
	const char *problem;
	GcCall *call;

	note_written(direct);
	direct->taken += rows;
	gc_audit_take(direct->audit, rows);
	waiting->taken = rows;
	call = gc_bulk_submit(direct->calls, direct->request.list, direct->verb == GC_VERB_UPDATE,
						  body, in_doubt, waiting->counted ? rows : 1);
	gc_call_wait(call);
	if (gc_call_failure(call))
	{
		gc_audit_answered(direct->audit, gc_call_failure(call)->correlation_id);
		if (gc_list_is_doubted(gc_call_failure(call)))
			gc_list_forget(direct->request.list);
		direct->in_doubt += gc_call_in_doubt(call) ? rows : 0;
		gc_call_throw(call, message, gc_direct_tell(direct));
	}
	gc_audit_answered(direct->audit, gc_call_header(call, "inin-correlation-id"));
	direct->in_doubt += rows;
	problem = gc_bulk_read(call, waiting->job);
	if (problem)
		gc_call_throw_reply(call, problem, message, gc_direct_tell(direct));
	waiting->id = pstrdup(waiting->job->id);
	gc_audit_set_job(direct->audit, waiting->id);
	gc_call_free(call);
}

/* ---- waiting ---- */

/* It goes on without us, and the message says so: no WARNING need. */
static const char *
tell_going_on(Waiting *waiting)
{
	if (waiting->counted)
		gc_audit_set_job(waiting->direct->audit, NULL);
	return psprintf("Unless it has ended, job \"%s\" goes on at the platform.\n%s",
					waiting->id, gc_direct_tell(waiting->direct));
}

static void
throw_not_done(Waiting *waiting, int timeout_ms)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONNECTION_FAILURE),
			 errmsg("a bulk job of %s is not done yet", waiting->direct->request.rel->label),
			 errdetail("It did not get on for %g s (limit: ready_timeout).\n%s",
					   timeout_ms / 1000.0, tell_going_on(waiting)),
			 errhint("Raise the option \"ready_timeout\" to wait for longer.")));
}

/* Waits until the next look is due. */
static void
pause_before_look(Waiting *waiting)
{
	GcDirect *direct = waiting->direct;
	GcRelation *rel = direct->request.rel;
	int timeout_ms = gc_option_ms(rel->options, rel->server_options, "ready_timeout");
	GcTime until = waiting->moved_at + timeout_ms * INT64CONST(1000);
	GcTime now = gc_clock_now();
	double part = 0.5 + 0.5 * pg_prng_double(&pg_global_prng_state);

	if (now >= until)
		throw_not_done(waiting, timeout_ms);
	if (!waiting->told && now - waiting->since >= TELL_WAITING_US)
	{
		waiting->told = true;
		ereport(NOTICE, (errmsg("still waiting for a bulk job of %s", rel->label)));
	}
	(void) gc_calls_sleep(direct->calls,
						  Min(now + (int64) (waiting->pause_ms * part * 1000), until),
						  GC_WAIT_BACKOFF, true);
	waiting->pause_ms = Min(waiting->pause_ms * 2, POLL_CAP_MS);
}

static void
look(Waiting *waiting)
{
	GcDirect *direct = waiting->direct;
	int64 before = waiting->job->completed;
	GcCall *call = gc_bulk_look(direct->calls, direct->request.list, waiting->id);
	const char *problem;
	const char *message;

	gc_call_wait(call);
	problem = gc_call_failure(call) ? NULL : gc_bulk_read(call, waiting->job);
	if (problem || gc_call_failure(call))
	{
		message = psprintf("could not see what became of a bulk job of %s",
						   direct->request.rel->label);
		if (problem)
			gc_call_throw_reply(call, problem, message, tell_going_on(waiting));
		gc_call_throw(call, message, tell_going_on(waiting));
	}
	gc_call_free(call);
	if (waiting->job->completed > before)
		waiting->moved_at = gc_clock_now();
	book_taken(waiting, waiting->job->total);
	book_done(waiting);
}

/* ---- the end ---- */

static void
throw_failed(Waiting *waiting)
{
	GcDirect *direct = waiting->direct;
	const GcBulkJob *job = waiting->job;
	bool edit = direct->verb == GC_VERB_UPDATE;
	const GcPolicy *policy = NULL;

	/* Which of the words it would be as the answer to a call. */
	if (job->code && strstr(job->code, "contact.in.use"))
		policy = gc_policy(edit ? GC_CAUSE_IN_USE : GC_CAUSE_CAMPAIGN);
	ereport(ERROR,
			(errcode(policy ? policy->sqlstate : ERRCODE_FDW_ERROR),
			 errmsg_internal("%s", gc_direct_failed(direct, job->total - job->completed)),
			 errdetail("Bulk job \"%s\" failed: %s (%s).\n%s", waiting->id,
					   job->why ? gc_value_display(job->why, 200)
								: "the platform does not say why",
					   job->code ? gc_value_display(job->code, NAMEDATALEN) : "no code",
					   gc_direct_tell(direct)),
			 policy ? errhint("%s", policy->hint) : 0));
}

void
gc_direct_job(GcDirect *direct, const char *body, int64 expected, bool counted, GcBulkJob *job)
{
	Waiting waiting = {.direct = direct,
					   .job = job,
					   .counted = counted,
					   .pause_ms = POLL_FIRST_MS,
					   .since = gc_clock_now()};
	MemoryContext caller_cxt;

	waiting.scratch =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw bulk job", ALLOCSET_DEFAULT_SIZES);
	submit(&waiting, body, expected);
	book_taken(&waiting, job->total);
	book_done(&waiting);
	waiting.moved_at = gc_clock_now();
	while (!job->ended)
	{
		pause_before_look(&waiting);
		MemoryContextReset(waiting.scratch);
		caller_cxt = MemoryContextSwitchTo(waiting.scratch);
		look(&waiting);
		MemoryContextSwitchTo(caller_cxt);
	}
	note_written(direct);
	book_end(&waiting);
	if (job->failed)
		throw_failed(&waiting);
	MemoryContextDelete(waiting.scratch);
	job->id = waiting.id;
	job->why = job->code = NULL;
}
