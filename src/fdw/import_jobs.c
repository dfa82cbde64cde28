/*
 * fdw/import_jobs.c
 *	  A part of an import as jobs of the platform: contacts in JSON, or a file.
 *
 * A part is one job, unless the platform takes fewer contacts at once.  Its id is committed
 * before it is awaited, so that whoever comes after a crash awaits it, too.  A job of which
 * nobody knows whether it was taken is not guessed at: what may be it in the list's queue is
 * waited for, then its contacts are read back, and only what the list does not show is sent
 * again (SCENARIOS D2, D2b, J3b).
 */
#include "postgres.h"

#include "api/jobs.h"
#include "api/upload.h"
#include "base/ids.h"
#include "base/option.h"
#include "fdw/import_fields.h"
#include "fdw/import_file.h"
#include "fdw/import_seen.h"
#include "fdw/import_wait.h"
#include "fdw/job_rows.h"
#include "store/parts.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* G3: too many jobs of the list are at work. */
#define JOBS_PAUSE_MS 15000

/* A part of which it is not known whether it was taken is sent so often. */
#define TRIES 5

typedef struct Sending
{
	GcImportRun *run;
	const GcPart *part;
	GcPartResult *result;
	GcImportForm form;
	MemoryContext cxt; /* beyond transactions */
	GcCalls *calls;
	GcStat stat;
	int64 stall_us;
	GcJobRows *rows;
	GcImportFile *file; /* what goes of it */
	int first;			/* of them, the job's first */
	int most;			/* contacts of a job */
	GcJob job;
	GcJobTicket ticket;
	int64 there; /* contacts that need not be sent again */
	int64 accepted;
	int64 rejected;
	int64 requests;	  /* beside those of "stat" */
	const char *code; /* why the part has failed; NULL: it has not */
	const char *reason;
} Sending;

static bool
is_file(const Sending *sending)
{
	return sending->form == GC_IMPORT_JOB_FILE;
}

static const char *
label(const Sending *sending)
{
	return sending->run->rel->label;
}

/* ---- before a job ---- */

static _Noreturn void
throw_broken(const Sending *sending)
{
	ereport(WARNING, (errmsg("%s is in an error state", label(sending))));
	ereport(
		ERROR,
		(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
		 errmsg("%s is in an error state", label(sending)),
		 errdetail("The platform takes no contacts for it (status ERROR)."),
		 errhint("Run resume_imports() when it is READY: nothing of the import is lost.")));
}

/* Waits, unless that has been too long already. */
static void
await_list(const Sending *sending, GcTime since)
{
	const GcRelation *rel = sending->run->rel;
	int64 most =
		gc_option_ms(rel->options, rel->server_options, "ready_timeout") * INT64CONST(1000);
	int64 left = since + most - gc_clock_now();

	if (left <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("%s is not ready", label(sending)),
				 errdetail("It was PROCESSING for " INT64_FORMAT " s (limit: ready_timeout).",
						   most / USECS_PER_SEC)));
	(void) gc_calls_sleep(sending->calls,
						  gc_clock_now() + Min(left, GC_POLL_OTHERS_MS * INT64CONST(1000)),
						  GC_WAIT_BACKOFF, true);
}

/* A file has no header: F1. */
static void
fit_file(const Sending *sending, const GcList *now)
{
	if (now)
		gc_import_file_widen(sending->file,
							 gc_import_fields_added(sending->run, sending->part, now));
}

/* G2 */
static void
await_ready(const Sending *sending, GcTime since)
{
	GcList *now = NULL;

	for (;;)
		switch (gc_job_list_status(sending->calls, sending->run->list->id, label(sending),
								   is_file(sending) ? &now : NULL))
		{
			case GC_LIST_READY:
				fit_file(sending, now);
				return;
			case GC_LIST_ERROR:
				throw_broken(sending);
			case GC_LIST_PROCESSING:
				await_list(sending, since);
				break;
		}
}

static GcJobOutcome
hand_over(Sending *sending, int count)
{
	GcImportRun *run = sending->run;
	StringInfoData body;
	GcJobOutcome outcome;
	GcUpload file = {.conn = run->conn,
					 .stat = &sending->stat,
					 .list_id = run->list->id,
					 .what = label(sending),
					 .as_job = true,
					 .piece = gc_import_file_piece,
					 .arg = sending->file};

	if (is_file(sending))
	{
		file.bytes = sending->file->bytes;
		file.sha256 = sending->file->sha256;
		return gc_upload_send(&file, &sending->ticket);
	}
	initStringInfo(&body);
	gc_job_rows_body(sending->rows, sending->form, sending->first, count, &body);
	outcome =
		gc_job_submit(sending->calls, sending->form, run->list->id, &body,
					  psprintf("could not import %d contacts into %s", count, label(sending)),
					  &sending->ticket);
	pfree(body.data);
	return outcome;
}

/* From here on it may be there, unless the platform has not taken it. */
static GcJobOutcome
submit_once(Sending *sending, int count)
{
	GcImportRun *run = sending->run;
	bool was_untouched = run->is_untouched;
	GcJobOutcome outcome;

	run->is_untouched = false;
	outcome = hand_over(sending, count);
	if (outcome != GC_JOB_TAKEN && outcome != GC_JOB_IN_DOUBT)
		run->is_untouched = was_untouched;
	return outcome;
}

/* Until it is taken, or too large, or in doubt: G2, G3. */
static GcJobOutcome
submit(Sending *sending, int count)
{
	GcTime since = gc_clock_now();
	GcTime blocked = since;

	for (;;)
	{
		GcJobOutcome outcome;

		await_ready(sending, blocked);
		outcome = submit_once(sending, count);
		if (outcome == GC_JOB_NOT_READY)
		{
			await_list(sending, blocked);
			continue;
		}
		if (outcome != GC_JOB_TOO_MANY)
			return outcome;
		gc_import_check_stall(sending->run, sending->stall_us, since,
							  "Too many other jobs of the list are at work.");
		(void) gc_calls_sleep(sending->calls,
							  gc_clock_now() + JOBS_PAUSE_MS * INT64CONST(1000),
							  GC_WAIT_BACKOFF, true);
		blocked = gc_clock_now();
	}
}

/* ---- a job ---- */

/* Whoever comes after a crash knows of the job. */
static void
keep_job(Sending *sending)
{
	gc_parts_keep(sending->part->chunks);
	gc_part_accept(sending->run->import->id, sending->part->part, sending->ticket.job_id);
	CommitTransactionCommand();
	gc_import_transaction(sending->run);
	MemoryContextSwitchTo(sending->cxt);
}

static void
take_error(void *arg, const GcJobError *error)
{
	Sending *sending = arg;

	gc_job_rows_refuse(sending->rows, sending->first, error);
}

static bool
is_same_job(const GcJob *a, const GcJob *b)
{
	return a->state == b->state && a->total == b->total && a->successful == b->successful &&
		   a->failed == b->failed;
}

/* Until it has ended (J3); false: the platform knows nothing of it. */
static bool
watch(Sending *sending)
{
	GcTime moved = gc_clock_now();
	GcJob last = {0};

	for (int ms = GC_POLL_FIRST_MS;; ms = Min(ms * 2, GC_POLL_CAP_MS))
	{
		GcJobLook look;

		gc_import_pause(sending->calls, ms);
		look = gc_job_get(sending->calls, sending->run->list->id, sending->ticket.job_id,
						  label(sending), &sending->job, take_error, sending);
		if (look == GC_JOB_GONE)
			return false;
		if (look == GC_JOB_SEEN && sending->job.state != GC_JOB_ACTIVE)
			return true;
		if (look == GC_JOB_SEEN && !is_same_job(&last, &sending->job))
		{
			last = sending->job;
			moved = gc_clock_now();
		}
		gc_import_check_stall(sending->run, sending->stall_us, moved,
							  "It is in doubt how many of its contacts have been taken.");
	}
}

static void
fail(Sending *sending, const char *code, const char *reason)
{
	sending->code = code;
	sending->reason = reason;
}

/* Counts a job that has ended; F2: with errors it halts the import. */
static void
count_job(Sending *sending, int64 sent)
{
	const GcJob *job = &sending->job;
	int64 failed = Max(job->failed, 0);
	const char *reason = gc_job_rows_reason(sending->rows);

	sending->accepted += Max(job->successful, 0);
	if (job->state == GC_JOB_COMPLETED)
		sending->rejected += failed;
	else
		sending->rejected = gc_job_rows_refused(sending->rows);
	if (job->state == GC_JOB_CANCELLED)
		fail(sending, "JOB_CANCELLED", "Somebody has cancelled the job.");
	else if (job->state == GC_JOB_FAILED)
		fail(sending, "JOB_FAILED",
			 reason ? gc_import_shown(reason) : "The platform ended the job.");
	else if (gc_import_halts(sending->run, sending->rejected))
		fail(sending, "JOB_ERROR",
			 psprintf("The platform refused rows: " INT64_FORMAT
					  ".  See gc_fdw.rejected_rows.",
					  sending->rejected));
	else if (sending->rejected > gc_job_rows_refused(sending->rows))
		fail(sending, "JOB_ERROR",
			 psprintf("The platform refused " INT64_FORMAT " rows and names %d of them.",
					  sending->rejected, gc_job_rows_refused(sending->rows)));
	else if (job->successful + failed != sent)
		fail(sending, "JOB_COUNTS",
			 psprintf("The job's counts do not add up: of " INT64_FORMAT
					  " contacts it has taken " INT64_FORMAT " and refused " INT64_FORMAT ".",
					  sent, job->successful, failed));
}

static _Noreturn void
throw_too_large(const Sending *sending)
{
	ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					errmsg("could not import a %s into %s",
						   is_file(sending) ? "file" : "contact", label(sending)),
					errdetail("The platform says that it is too large (HTTP status 413)."),
					is_file(sending)
						? errhint("Submit it again with a smaller part_rows in its options.")
						: 0));
}

/* Sends what is at hand, job by job; false: one of them is in doubt. */
static bool
send_jobs(Sending *sending)
{
	int count = is_file(sending) ? sending->file->rows > 0 : gc_job_rows_count(sending->rows);

	for (sending->first = 0; sending->first < count && sending->code == NULL;)
	{
		int some = Min(sending->most, count - sending->first);

		switch (submit(sending, some))
		{
			case GC_JOB_TOO_LARGE:
				if (some == 1)
					throw_too_large(sending);
				sending->most = some / 2;
				continue;
			case GC_JOB_TAKEN:
				break;
			default:
				return false;
		}
		keep_job(sending);
		if (!watch(sending))
			return false;
		count_job(sending, is_file(sending) ? sending->file->rows : some);
		sending->first += some;
	}
	return true;
}

/* ---- jobs in doubt ---- */

static void
open_file(Sending *sending, const uint8 *skips)
{
	sending->file = gc_import_file_open(sending->run->import->id, sending->part, skips, true);
	gc_job_rows_left_out(sending->rows, skips);
}

/* Rows of the part that are not to be sent at all. */
static int64
skipped_rows(const Sending *sending)
{
	int64 skipped = 0;

	for (int64 row = 0; row < sending->part->rows; row++)
		skipped += gc_import_bit(sending->part->skips, row);
	return skipped;
}

/* Jobs that may be ours, by their size; those that were at work at the first look. */
typedef struct Candidates
{
	int64 rows;
	bool collects;
	List *ids;
	int active;
} Candidates;

static void
look_at_job(void *arg, const GcJob *job)
{
	Candidates *candidates = arg;

	if (job->state != GC_JOB_ACTIVE || job->total > candidates->rows)
		return;
	if (candidates->collects)
		candidates->ids = lappend(candidates->ids, pstrdup(job->id));
	candidates->active += gc_ids_have(candidates->ids, job->id);
}

/* What is at work in the list, and may be what was sent, is waited for. */
static void
await_candidates(Sending *sending)
{
	Candidates candidates = {.rows = sending->part->rows, .collects = true};
	GcTime since = gc_clock_now();

	for (;;)
	{
		candidates.active = 0;
		if (gc_job_queue(sending->calls, sending->run->list->id, label(sending), look_at_job,
						 &candidates))
		{
			candidates.collects = false;
			if (candidates.active == 0)
				return;
		}
		gc_import_check_stall(sending->run, sending->stall_us, since,
							  "A job is at work that may be the import's.");
		gc_import_pause(sending->calls, GC_POLL_FIRST_MS * 2);
	}
}

/* What the list shows of the part is not sent again; false: all of it is there. */
static bool
read_back(Sending *sending)
{
	GcImportSeen *seen;

	sending->there = sending->accepted = sending->rejected = 0;
	gc_job_rows_forget(sending->rows);
	await_candidates(sending);
	if (!is_file(sending))
	{
		gc_job_rows_read(sending->rows, true, &sending->there, &sending->requests);
		return gc_job_rows_count(sending->rows) > 0;
	}
	seen = gc_import_seen_create(sending->run, sending->part);
	gc_import_seen_look(seen, &sending->stat);
	open_file(sending, gc_import_seen_bits(seen));
	sending->there = sending->part->rows - skipped_rows(sending) - sending->file->rows;
	return sending->file->rows > 0;
}

/* A job that was under way when somebody stopped; true: the part is settled by it. */
static bool
resume_job(Sending *sending)
{
	int64 sent;

	sending->ticket.job_id = sending->part->job_id;
	sending->first = 0;
	if (is_file(sending))
		gc_job_rows_left_out(sending->rows, sending->part->skips);
	else
		gc_job_rows_read(sending->rows, false, NULL, NULL);
	if (!watch(sending))
		return false;
	sent = sending->part->rows - skipped_rows(sending);
	/* One of several, or what a crash had left over. */
	if (sending->job.total != sent)
		return false;
	count_job(sending, sent);
	return true;
}

/* ---- the part ---- */

static void
send_part(Sending *sending)
{
	bool in_doubt = sending->part->attempts > 0;

	if (in_doubt && sending->part->job_id && resume_job(sending))
		return;
	if (!in_doubt && is_file(sending))
		open_file(sending, sending->part->skips);
	else if (!in_doubt)
		gc_job_rows_read(sending->rows, false, NULL, NULL);
	for (int try = 0; try < TRIES; try++)
	{
		if (in_doubt && !read_back(sending))
			return;
		if (send_jobs(sending))
			return;
		in_doubt = true;
	}
	ereport(ERROR, (errcode(ERRCODE_CONNECTION_FAILURE),
					errmsg("could not import contacts into %s", label(sending)),
					errdetail("Jobs were lost %d times.", TRIES)));
}

static void
count(Sending *sending)
{
	GcImportRun *run = sending->run;
	GcPartResult *result = sending->result;

	gc_job_rows_reject(sending->rows, sending->ticket.correlation_id);
	result->accepted = sending->there + sending->accepted;
	result->rejected = sending->rejected;
	result->skipped = skipped_rows(sending);
	result->requests = sending->stat.requests + sending->requests;
	if (sending->ticket.correlation_id)
		result->correlation_id = MemoryContextStrdup(run->cxt, sending->ticket.correlation_id);
	if (sending->file)
		result->sha256 = MemoryContextStrdup(run->cxt, sending->file->sha256);
	if (sending->code)
		gc_import_part_fail(run, result, sending->code, sending->reason);
}

void
gc_import_job(GcImportRun *run, const GcPart *part, GcPartResult *result)
{
	MemoryContext cxt =
		AllocSetContextCreate(run->cxt, "gc_fdw import job", ALLOCSET_DEFAULT_SIZES);
	Sending *sending;

	MemoryContextSwitchTo(cxt);
	sending = palloc0(sizeof(Sending));
	sending->run = run;
	sending->part = part;
	sending->result = result;
	sending->form = gc_dialect_way(gc_dialect(run->rel->server_options), part->method)->form;
	sending->cxt = cxt;
	sending->calls = gc_calls_open(run->conn, &sending->stat);
	sending->stall_us = gc_import_stall_us(run->import);
	sending->rows = gc_job_rows_create(run, part, is_file(sending));
	sending->most = PG_INT32_MAX;
	run->stat = &sending->stat;
	run->is_untouched = part->attempts == 0;
	send_part(sending);
	count(sending);
	gc_calls_close(sending->calls);
	MemoryContextSwitchTo(CurTransactionContext);
	MemoryContextDelete(cxt);
}
