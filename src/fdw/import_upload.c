/*
 * fdw/import_upload.c
 *	  A part of an import as a file, from which the platform fills the list.
 *
 * A list has one import status and no word of whose file it is about (SCENARIOS G3,
 * J3b): it is ours if it has as many rows as ours and is not what was there before, or if
 * events say that ours was begun.  A file that never shows, as tiny ones may not, and one of
 * which nobody knows whether it was taken, is looked for among the contacts.  What shows
 * nowhere is in doubt, and read back before it is sent again (DESIGN 3).
 */
#include "postgres.h"

#include "api/import_events.h"
#include "api/import_status.h"
#include "api/upload.h"
#include "base/clock.h"
#include "base/option.h"
#include "fdw/import_file.h"
#include "fdw/import_parts.h"
#include "fdw/import_refused.h"
#include "fdw/import_seen.h"
#include "fdw/import_wait.h"
#include "fdw/staged_csv.h"

#include "utils/timestamp.h"

/* The list shows already what it will show of ours: that is told apart only on its way. */
#define POLL_TWIN_MS 10

/* After so many looks that do not show it, it is looked for among the contacts … */
#define UNSEEN_LOOKS 3

/* … and after so long, while nothing is at work, it is in doubt. */
#define UNSEEN_US (5 * INT64CONST(60) * USECS_PER_SEC)

/* A part that got lost is uploaded so often. */
#define TRIES 5

#define DOUBT "It is in doubt how much of the file has been taken."

typedef struct Upload
{
	GcImportRun *run;
	const GcPart *part;
	GcPartResult *result;
	GcCalls *calls;
	GcStat stat;
	int64 stall_us;
	GcImportFile *file;	   /* that is sent */
	GcImportSeen *seen;	   /* what was read back; NULL: nothing yet */
	GcImportStatus before; /* what the list showed before it was uploaded */
	TimestampTz since;	   /* by the platform's clock, before the first file */
	const char *correlation_id;
	const char *told_id; /* where that is not known, of an event of the part; or NULL */
	int sent;			 /* files: more than one may have made events */
	bool looked;		 /* read back since the last one */
	bool begun;			 /* events say so */
} Upload;

/* What became of the file. */
typedef enum Fate
{
	FATE_DONE,
	FATE_FAILED, /* the status says so */
	FATE_ABSENT, /* it is not there */
} Fate;

/* ---- waiting ---- */

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
		gc_import_check_stall(upload->run, upload->stall_us, moved,
							  "Another import of the list is at work.");
		gc_import_pause(upload->calls, GC_POLL_OTHERS_MS);
	}
	upload->before = status;
}

/* ---- rows that the platform refused ---- */

/* Is an event that has its list and its time just this file's, by the answer to it? */
static bool
is_certain(const Upload *upload)
{
	return upload->sent == 1 && upload->correlation_id != NULL;
}

static GcImportEvents
events_of(const Upload *upload)
{
	return (GcImportEvents){.calls = upload->calls,
							.list_id = upload->run->list->id,
							.what = upload->run->rel->label,
							.since = upload->since,
							.correlation_id =
								is_certain(upload) ? upload->correlation_id : NULL};
}

static int64
count_refused(Upload *upload)
{
	GcImportEvents events = events_of(upload);

	return gc_import_events(&events, NULL, NULL);
}

static void
note_event(void *arg, const GcImportEvent *event)
{
	Upload *upload = arg;

	if (event->contact_id && gc_import_refused_may(upload->run, upload->part, event) &&
		gc_import_seen_mark(upload->seen, event->contact_id, GC_ROW_REFUSED) &&
		event->correlation_id)
		upload->told_id = MemoryContextStrdup(upload->run->cxt, event->correlation_id);
	if (upload->correlation_id && event->correlation_id &&
		strcmp(upload->correlation_id, event->correlation_id) == 0)
		upload->begun = true;
}

/* ---- what became of it ---- */

static GcImportSeen *
seen_of(Upload *upload)
{
	if (upload->seen == NULL)
		upload->seen = gc_import_seen_create(upload->run, upload->part);
	return upload->seen;
}

/* Are all rows there, or accounted for? */
static bool
is_there(Upload *upload)
{
	GcImportEvents events = events_of(upload);

	gc_import_seen_look(seen_of(upload), &upload->stat);
	upload->looked = true;
	(void) gc_import_events(&events, note_event, upload);
	return gc_import_seen_missing(upload->seen) == 0;
}

/* Is it another one than was there before, or known to be ours? */
static bool
is_news(const Upload *upload, const GcImportStatus *status)
{
	return upload->begun || !gc_import_status_same(status, &upload->before);
}

static bool
is_ours(const Upload *upload, const GcImportStatus *status, bool was_at_work)
{
	return status->total == upload->file->rows && (was_at_work || is_news(upload, status));
}

/* A header that is not taken ends it before its rows are counted. */
static bool
has_failed(const Upload *upload, const GcImportStatus *status)
{
	return status->failed && is_news(upload, status) &&
		   (status->total == upload->file->rows || status->total == 0);
}

/* All of it, and counts that agree: fewer are those that were refused, or not reached yet. */
static bool
is_complete(Upload *upload, const GcImportStatus *status)
{
	if (status->at_work || status->failed || status->percent < 100)
		return false;
	if (status->completed >= status->total)
		return true;
	return is_certain(upload) ? status->completed + count_refused(upload) >= status->total
							  : is_there(upload);
}

static int64
unseen_us(const Upload *upload)
{
	return Min(UNSEEN_US, upload->stall_us);
}

/* Nothing is at work, neither status nor list show it, and it has been a while. */
static _Noreturn void
throw_unseen(const Upload *upload)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_CONNECTION_FAILURE),
		 errmsg("it is not known what became of a file for %s", upload->run->rel->label),
		 errdetail("The platform has taken it and shows nothing of it for " INT64_FORMAT
				   " s.  Contacts that are not there as they were sent: " INT64_FORMAT ".",
				   unseen_us(upload) / USECS_PER_SEC, gc_import_seen_missing(upload->seen))));
}

static Fate
fail_with(Upload *upload, const GcImportStatus *status)
{
	upload->before = *status;
	return FATE_FAILED;
}

/* Waits for it; "certain": it was taken. */
static Fate
watch(Upload *upload, bool certain)
{
	GcImportStatus last = upload->before;
	GcTime moved = gc_clock_now();
	GcTime idle = moved;
	bool is_twin = upload->before.total == upload->file->rows;
	bool was_at_work = false;
	int unseen = 0;
	int next_look = UNSEEN_LOOKS;

	for (int ms = is_twin ? POLL_TWIN_MS : GC_POLL_FIRST_MS;; ms = Min(ms * 2, GC_POLL_CAP_MS))
	{
		GcImportStatus status;
		bool ours;
		bool is_late;

		gc_import_pause(upload->calls, ms);
		if (!get_status(upload, &status))
		{
			gc_import_check_stall(upload->run, upload->stall_us, moved, DOUBT);
			continue;
		}
		if (!gc_import_status_same(&status, &last))
			moved = gc_clock_now();
		last = status;
		was_at_work |= status.at_work && status.total == upload->file->rows;
		if (has_failed(upload, &status))
			return fail_with(upload, &status);
		ours = is_ours(upload, &status, was_at_work);
		if (ours && is_complete(upload, &status))
			return FATE_DONE;
		if (ours || status.at_work)
		{
			gc_import_check_stall(upload->run, upload->stall_us, moved, DOUBT);
			if (!ours)
				idle = gc_clock_now();
			continue;
		}
		is_late = gc_clock_now() - idle >= unseen_us(upload);
		if (ms < GC_POLL_FIRST_MS || (++unseen < next_look && !is_late))
			continue;
		if (is_there(upload))
			return FATE_DONE;
		if (!certain)
			return FATE_ABSENT;
		if (is_late && !upload->begun)
			throw_unseen(upload);
		next_look = unseen * 2;
	}
}

/* ---- the file ---- */

/* The header's first column has the ids. */
static const char *
id_column(Upload *upload)
{
	char *cells[GC_CSV_MAX_COLUMNS];
	int count;
	int len;
	char *at = gc_import_file_piece(upload->file, 1, &len);
	char *end = at + len;

	if (at == NULL || !gc_staged_csv_get(&at, end, cells, lengthof(cells), &count))
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("a staged file is damaged")));
	return cells[0];
}

/* From here on nobody knows of the part, unless it is told what became of it. */
static GcJobOutcome
send_once(Upload *upload)
{
	GcImportRun *run = upload->run;
	GcRelation *rel = run->rel;
	GcUpload file = {.conn = run->conn,
					 .stat = &upload->stat,
					 .list_id = run->list->id,
					 .id_column = id_column(upload),
					 .what = rel->label,
					 .bytes = upload->file->bytes,
					 .sha256 = upload->file->sha256,
					 .presigned = strcmp(gc_option_string(rel->options, rel->server_options,
														  "upload_method"),
										 "presigned") == 0,
					 .piece = gc_import_file_piece,
					 .arg = upload->file};
	bool was_untouched = run->is_untouched;
	GcJobOutcome outcome;
	GcJobTicket ticket;

	run->is_untouched = upload->looked = false;
	outcome = gc_upload_send(&file, &ticket);
	upload->correlation_id = ticket.correlation_id;
	if (outcome == GC_JOB_NOT_READY)
		run->is_untouched = was_untouched;
	else if (upload->sent++ == 0)
		upload->since = upload->before.at;
	if (upload->since == DT_NOBEGIN)
		upload->since = GetCurrentTimestamp() - SECS_PER_HOUR * USECS_PER_SEC;
	return outcome;
}

/* What is to be sent of the part, and is not there yet; false: nothing. */
static bool
open_file(Upload *upload)
{
	const uint8 *skips =
		upload->seen ? gc_import_seen_bits(upload->seen) : upload->part->skips;

	upload->file = gc_import_file_open(upload->run->import->id, upload->part, skips, false);
	return upload->file->rows > 0;
}

static Fate
send_file(Upload *upload)
{
	for (int try = 0; try < TRIES && open_file(upload); try++)
	{
		GcJobOutcome outcome;
		GcTime since = gc_clock_now();
		Fate fate;

		await_quiet(upload);
		while ((outcome = send_once(upload)) == GC_JOB_NOT_READY)
		{
			gc_import_check_stall(upload->run, upload->stall_us, since,
								  "Something else holds the list.");
			gc_import_pause(upload->calls, GC_POLL_OTHERS_MS);
			await_quiet(upload);
		}
		fate = watch(upload, outcome == GC_JOB_TAKEN);
		if (fate != FATE_ABSENT)
			return fate;
	}
	if (upload->file->rows == 0)
		return FATE_DONE;
	ereport(ERROR, (errcode(ERRCODE_CONNECTION_FAILURE),
					errmsg("could not upload a file to %s", upload->run->rel->label),
					errdetail("It was lost %d times.", TRIES)));
}

/* ---- the part ---- */

/* F2: rows that the platform refused halt the import, unless it may go on without them. */
static void
check_refused(Upload *upload)
{
	GcImportRun *run = upload->run;
	int64 rejected = upload->result->rejected;

	if (gc_import_halts(run, rejected))
		gc_import_part_fail(run, upload->result, "IMPORT_ERROR",
							psprintf("The platform refused rows: " INT64_FORMAT
									 ".  See gc_fdw.rejected_rows.",
									 rejected));
}

/* Its counts, and the rows that were refused. */
static void
count(Upload *upload, Fate fate)
{
	GcImportRun *run = upload->run;
	GcPartResult *result = upload->result;
	GcImportEvents events = events_of(upload);
	const GcImportFile *file = upload->file;
	int64 rows = upload->part->rows;

	for (int64 row = 0; row < upload->part->rows; row++)
		result->skipped += gc_import_bit(upload->part->skips, row);
	rows -= result->skipped;
	events.rows_only = fate == FATE_FAILED;
	if (!is_certain(upload) && !upload->looked && count_refused(upload) > 0)
		(void) is_there(upload);
	result->rejected = gc_import_refused(run, upload->part, &events,
										 is_certain(upload) ? NULL : seen_of(upload));
	result->rejected = Min(result->rejected, rows);
	result->accepted = rows - result->rejected;
	result->requests = upload->stat.requests;
	result->correlation_id = upload->correlation_id
								 ? MemoryContextStrdup(run->cxt, upload->correlation_id)
								 : upload->told_id;
	if (file && file->skips)
		result->sha256 = MemoryContextStrdup(run->cxt, file->sha256);
	result->is_counted = fate == FATE_DONE;
	if (fate == FATE_DONE)
		check_refused(upload);
	else
	{
		result->accepted = Min(rows - file->rows + upload->before.completed, result->accepted);
		gc_import_part_fail(run, result, upload->before.failure,
							gc_import_failure_words(upload->before.failure));
	}
}

/* How far the platform's clock is ahead of ours, as it said last. */
static int64
clock_difference(const Upload *upload)
{
	return upload->before.at == DT_NOBEGIN ? 0 : upload->before.at - GetCurrentTimestamp();
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
	upload->stall_us = gc_import_stall_us(run->import);
	upload->before.at = DT_NOBEGIN;
	run->stat = &upload->stat;
	run->is_untouched = part->attempts == 0;
	/* Sent before, maybe: in a crash, or when it did not move. */
	if (part->attempts > 0)
	{
		upload->sent = 1;
		await_quiet(upload);
		upload->since = part->sent_at + clock_difference(upload);
	}
	if (part->attempts == 0 || !is_there(upload))
		fate = send_file(upload);
	count(upload, fate);
	gc_calls_close(upload->calls);
}
