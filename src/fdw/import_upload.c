/*
 * fdw/import_upload.c
 *	  A part of an import as a file, from which the platform fills the list.
 *
 * A list has one import status and no word of whose file it is about (SCENARIOS G3,
 * J3b): it is ours if it has as many rows as ours and is not what was there before.  A
 * file that never shows, as tiny ones may not, and one of which nobody knows whether it
 * was taken, is looked for among the contacts.
 */
#include "postgres.h"

#include "api/import_events.h"
#include "api/import_status.h"
#include "api/upload.h"
#include "base/clock.h"
#include "base/json_pick.h"
#include "base/option.h"
#include "base/value.h"
#include "fdw/import_parts.h"
#include "fdw/import_seen.h"
#include "fdw/reject.h"
#include "fdw/staged_csv.h"
#include "store/parts.h"
#include "store/rejects.h"

#include "common/pg_prng.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/timestamp.h"

/* J3: between two looks at the status, a random half of it less. */
#define POLL_FIRST_MS 1000
#define POLL_CAP_MS	  30000

/* G2: while somebody else imports to the list. */
#define POLL_OTHERS_MS 5000

/* After so many looks that do not show it, it is looked for among the contacts. */
#define UNSEEN_LOOKS 3

/* A part that got lost is uploaded so often. */
#define TRIES 5

#define STALL_TIMEOUT "30min"

typedef struct Upload
{
	GcImportRun *run;
	const GcPart *part;
	GcPartResult *result;
	GcCalls *calls;
	GcStat stat;
	int64 stall_us;
	GcImportStatus before; /* what the list showed before it was uploaded */
	const char *correlation_id;
	int64 refused; /* rows, as events have it */
} Upload;

/* What became of the file. */
typedef enum Fate
{
	FATE_DONE,
	FATE_FAILED, /* the status says so */
	FATE_ABSENT, /* it is not there */
} Fate;

/* ---- waiting ---- */

static void
pause_ms(Upload *upload, int ms)
{
	int64 us = ms * INT64CONST(1000);

	us -= pg_prng_double(&pg_global_prng_state) * us / 2;
	(void) gc_calls_sleep(upload->calls, gc_clock_now() + us, GC_WAIT_BACKOFF, true);
}

/* Nothing moves: throws when that has lasted too long. */
static void
check_stall(const Upload *upload, GcTime moved, const char *detail)
{
	if (gc_clock_now() - moved < upload->stall_us)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CONNECTION_FAILURE),
			 errmsg("an import of %s does not move", upload->run->rel->label),
			 errdetail("%s  Waited for " INT64_FORMAT " s (limit: stall_timeout).", detail,
					   upload->stall_us / USECS_PER_SEC),
			 errhint("Run resume_imports() when it does: what is there is not sent again.")));
}

static bool
get_status(Upload *upload, GcImportStatus *status)
{
	return gc_import_status_get(upload->calls, upload->run->list->id, upload->run->rel->label,
								status);
}

/* G1 to G3: until nobody imports to the list, others or an earlier attempt of ours. */
static void
await_quiet(Upload *upload)
{
	GcTime moved = gc_clock_now();
	GcImportStatus status = {0};
	bool any = false;

	for (;;)
	{
		if (get_status(upload, &status))
		{
			if (!status.at_work)
				break;
			if (!any || !gc_import_status_same(&status, &upload->before))
				moved = gc_clock_now();
			upload->before = status;
			any = true;
		}
		check_stall(upload, moved, "Another import of the list is at work.");
		pause_ms(upload, POLL_OTHERS_MS);
	}
	upload->before = status;
}

/* ---- rows that the platform refused ---- */

static GcImportEvents
events_of(const Upload *upload)
{
	GcImportEvents events = {.calls = upload->calls,
							 .list_id = upload->run->list->id,
							 .what = upload->run->rel->label,
							 .since = upload->before.at,
							 .correlation_id = upload->correlation_id};

	if (events.since == DT_NOBEGIN)
		events.since = GetCurrentTimestamp() - SECS_PER_HOUR * USECS_PER_SEC;
	return events;
}

static const char *
shown(const char *utf8)
{
	return utf8 ? gc_value_display(utf8, strlen(utf8)) : NULL;
}

static void
reject_row(void *arg, const GcImportEvent *event)
{
	Upload *upload = arg;
	StringInfoData data;
	const char *id = shown(event->contact_id);
	const char *code = event->code ? event->code : "IMPORT_ERROR";
	GcReject reject = {.at = GetCurrentTimestamp(),
					   .by_role = upload->run->import->submitted_by,
					   .list_id = upload->run->list->id,
					   .source = "import",
					   .source_id = upload->run->import->id,
					   .key = id,
					   .code = code,
					   .reason = event->message ? shown(event->message)
												: gc_import_failure_words(code),
					   .correlation_id = event->correlation_id};

	initStringInfo(&data);
	appendStringInfoString(&data, "{\"contact_id\":");
	if (id)
		escape_json(&data, id);
	else
		appendStringInfoString(&data, "null");
	appendStringInfoChar(&data, '}');
	reject.row_data = data.data;
	gc_rejects_write(&reject);
	upload->refused++;
}

/* ---- what became of it ---- */

static int64
count_refused(Upload *upload)
{
	GcImportEvents events = events_of(upload);

	return gc_import_events(&events, NULL, NULL);
}

/* Are all rows there, or accounted for? */
static bool
is_there(Upload *upload)
{
	int64 missing =
		upload->part->rows - gc_import_seen(upload->run, upload->part, &upload->stat);

	return missing <= 0 || (upload->refused = count_refused(upload)) >= missing;
}

/* Is it ours: as many rows, and another one than what was there before? */
static bool
is_ours(const Upload *upload, const GcImportStatus *status, bool was_at_work)
{
	return status->total == upload->part->rows &&
		   (was_at_work || !gc_import_status_same(status, &upload->before));
}

/* A header that is not taken ends it before its rows are counted. */
static bool
has_failed(const Upload *upload, const GcImportStatus *status)
{
	return status->failed && !gc_import_status_same(status, &upload->before) &&
		   (status->total == upload->part->rows || status->total == 0);
}

/* All of it, and counts that agree: fewer are those that were refused, or not reached yet. */
static bool
is_complete(Upload *upload, const GcImportStatus *status)
{
	if (status->at_work || status->failed || status->percent < 100)
		return false;
	return status->completed >= status->total ||
		   status->completed + count_refused(upload) >= status->total;
}

/* Waits for it; "certain": it was taken. */
static Fate
watch(Upload *upload, bool certain)
{
	GcImportStatus last = upload->before;
	GcTime moved = gc_clock_now();
	bool was_at_work = false;
	int unseen = 0;
	int next_look = UNSEEN_LOOKS;

	for (int ms = POLL_FIRST_MS;; ms = Min(ms * 2, POLL_CAP_MS))
	{
		GcImportStatus status;

		pause_ms(upload, ms);
		check_stall(upload, moved, "It is in doubt how much of the file has been taken.");
		if (!get_status(upload, &status))
			continue;
		if (!gc_import_status_same(&status, &last))
			moved = gc_clock_now();
		last = status;
		was_at_work |= status.at_work && status.total == upload->part->rows;
		if (has_failed(upload, &status))
		{
			strlcpy(upload->before.failure, status.failure, sizeof(status.failure));
			upload->before.completed = status.completed;
			return FATE_FAILED;
		}
		if (is_ours(upload, &status, was_at_work))
		{
			if (is_complete(upload, &status))
				return FATE_DONE;
			continue;
		}
		if (status.at_work || ++unseen < next_look)
			continue;
		if (is_there(upload))
			return FATE_DONE;
		if (!certain)
			return FATE_ABSENT;
		next_look = unseen * 2;
	}
}

/* ---- the file ---- */

static char *
read_piece(void *arg, int number, int *len)
{
	const Upload *upload = arg;

	return gc_parts_chunk(upload->run->import->id, upload->part->part, number, len);
}

/* The header's first column has the ids. */
static const char *
id_column(Upload *upload)
{
	char *cells[GC_CSV_MAX_COLUMNS];
	int count;
	int len;
	char *at = read_piece(upload, 1, &len);
	char *end = at + len;

	if (at == NULL || !gc_staged_csv_get(&at, end, cells, lengthof(cells), &count))
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("a staged file is damaged")));
	return cells[0];
}

static Fate
send_file(Upload *upload)
{
	GcImportRun *run = upload->run;
	GcRelation *rel = run->rel;
	GcUpload file = {.conn = run->conn,
					 .stat = &upload->stat,
					 .list_id = run->list->id,
					 .id_column = id_column(upload),
					 .what = rel->label,
					 .bytes = upload->part->bytes,
					 .sha256 = upload->part->sha256,
					 .presigned = strcmp(gc_option_string(rel->options, rel->server_options,
														  "upload_method"),
										 "presigned") == 0,
					 .piece = read_piece,
					 .arg = upload};

	for (int try = 0; try < TRIES; try++)
	{
		GcUploadOutcome outcome;
		GcTime since = gc_clock_now();
		Fate fate;

		await_quiet(upload);
		while ((outcome = gc_upload_send(&file, &upload->correlation_id)) == GC_UPLOAD_LOCKED)
		{
			check_stall(upload, since, "Something else holds the list.");
			pause_ms(upload, POLL_OTHERS_MS);
			await_quiet(upload);
		}
		fate = watch(upload, outcome == GC_UPLOAD_TAKEN);
		if (fate != FATE_ABSENT)
			return fate;
	}
	ereport(ERROR, (errcode(ERRCODE_CONNECTION_FAILURE),
					errmsg("could not upload a file to %s", rel->label),
					errdetail("It was lost %d times.", TRIES)));
}

/* ---- the part ---- */

static int64
stall_timeout_us(const GcImport *import)
{
	static const char *const path = "stall_timeout";
	GcSpan options = {.p = import->options, .len = strlen(import->options), .type = '{'};
	GcSpan given = gc_pick_member(&options, &path, 1);
	const char *wanted =
		given.p && given.type != 'n' ? pnstrdup(given.p, given.len) : STALL_TIMEOUT;
	int ms;

	/* submit_import() has checked it. */
	if (!parse_int(wanted, &ms, GUC_UNIT_MS, NULL))
		elog(ERROR, "invalid stall_timeout of an import");
	return ms * INT64CONST(1000);
}

static void
fail(GcImportRun *run, GcPartResult *result, const char *code, const char *reason)
{
	result->state = "failed";
	result->failure_code = MemoryContextStrdup(run->cxt, code);
	result->failure_reason = MemoryContextStrdup(run->cxt, reason);
}

/* F2: rows that the platform refused halt the import, unless it may go on without them. */
static void
count(Upload *upload, Fate fate)
{
	GcImportRun *run = upload->run;
	GcPartResult *result = upload->result;
	GcImportEvents events = events_of(upload);

	upload->refused = 0;
	(void) gc_import_events(&events, reject_row, upload);
	result->rejected = Min(upload->refused, upload->part->rows);
	result->accepted = upload->part->rows - result->rejected;
	result->requests = upload->stat.requests;
	if (upload->correlation_id)
		result->correlation_id = MemoryContextStrdup(run->cxt, upload->correlation_id);
	if (fate == FATE_FAILED)
	{
		result->accepted = Min(upload->before.completed, result->accepted);
		fail(run, result, upload->before.failure,
			 gc_import_failure_words(upload->before.failure));
	}
	else if (result->rejected > 0 &&
			 (!gc_reject_goes_on(run->rel) ||
			  run->settings.rejected + result->rejected > gc_reject_max(run->rel)))
		fail(run, result, "IMPORT_ERROR",
			 psprintf("The platform refused rows: " INT64_FORMAT
					  ".  See gc_fdw.rejected_rows.",
					  result->rejected));
}

void
gc_import_upload(GcImportRun *run, const GcPart *part, GcPartResult *result)
{
	Upload *upload = palloc0(sizeof(Upload));
	Fate fate = FATE_DONE;

	upload->run = run;
	upload->part = part;
	upload->result = result;
	upload->calls = gc_calls_open(run->conn, &upload->stat);
	upload->stall_us = stall_timeout_us(run->import);
	upload->before.at = DT_NOBEGIN;
	/* Sent before, maybe: in a crash, or when it did not move. */
	if (part->attempts > 0)
		await_quiet(upload);
	if (part->attempts == 0 || !is_there(upload))
		fate = send_file(upload);
	count(upload, fate);
	gc_calls_close(upload->calls);
}
