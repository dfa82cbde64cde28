/*
 * fdw/import_refused.c
 *	  Rows of a file that the platform refused, in gc_fdw.rejected_rows.
 *
 * An event has the contact's id, and not its row: that is looked for in the part, for a batch
 * of events at a time, so that memory does not depend on how many there are.
 */
#include "postgres.h"

#include "api/import_status.h"
#include "base/value.h"
#include "fdw/import_file.h"
#include "fdw/import_refused.h"
#include "fdw/reject.h"
#include "fdw/staged_csv.h"
#include "store/import_before.h"
#include "store/rejects.h"

#include "common/hashfn.h"
#include "utils/hsearch.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Events that are kept until their rows are looked for. */
#define BATCH 5000

typedef struct Refusal
{
	const char *id; /* UTF-8; NULL: the event has none */
	GcReject reject;
	struct Refusal *next; /* with the same hash */
	bool is_told;
} Refusal;

typedef struct Bucket
{
	uint64 hash;
	Refusal *first;
} Bucket;

typedef struct Refusals
{
	GcImportRun *run;
	const GcPart *part;
	GcImportSeen *seen;
	GcRejectRows *rows;
	MemoryContext batch_cxt;
	MemoryContext row_cxt;
	HTAB *buckets;
	Refusal **batch;
	int count; /* in the batch */
	int64 told;
} Refusals;

static uint64
hash_of(const char *id)
{
	return hash_bytes_extended((const unsigned char *) id, strlen(id), 0);
}

static void
begin_batch(Refusals *refusals)
{
	HASHCTL control = {.keysize = sizeof(uint64), .entrysize = sizeof(Bucket)};

	MemoryContextReset(refusals->batch_cxt);
	control.hcxt = refusals->batch_cxt;
	refusals->batch = MemoryContextAlloc(refusals->batch_cxt, sizeof(Refusal *) * BATCH);
	refusals->buckets = hash_create("gc_fdw refused rows", BATCH, &control,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	refusals->count = 0;
}

static void
write_down(Refusals *refusals, Refusal *refusal, const char *row_data)
{
	refusal->reject.row_data = row_data;
	refusal->is_told = true;
	gc_rejects_write(&refusal->reject);
	refusals->told++;
}

/* Of rows with the same id each takes an event. */
static void
find(void *arg, const GcFileRow *row)
{
	Refusals *refusals = arg;
	uint64 hash = hash_of(row->cells[0]);
	Bucket *bucket = hash_search(refusals->buckets, &hash, HASH_FIND, NULL);
	MemoryContext caller_cxt;
	StringInfoData json;

	for (Refusal *refusal = bucket ? bucket->first : NULL; refusal; refusal = refusal->next)
	{
		if (refusal->is_told || strcmp(refusal->id, row->cells[0]) != 0)
			continue;
		caller_cxt = MemoryContextSwitchTo(refusals->row_cxt);
		initStringInfo(&json);
		gc_staged_csv_contact(&json, row->columns, row->cells, row->count);
		write_down(refusals, refusal, gc_reject_contact(refusals->rows, json.data, json.len));
		MemoryContextSwitchTo(caller_cxt);
		MemoryContextReset(refusals->row_cxt);
		return;
	}
}

/* All that is left of a row that is none of the part, or has no id. */
static const char *
only_id(const char *id)
{
	StringInfoData data;

	initStringInfo(&data);
	appendStringInfoString(&data, "{\"contact_id\":");
	if (id)
		escape_json(&data, id);
	else
		appendStringInfoString(&data, "null");
	appendStringInfoChar(&data, '}');
	return data.data;
}

static void
end_batch(Refusals *refusals)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(refusals->batch_cxt);

	if (refusals->count > 0)
		gc_import_file_rows(refusals->run->import->id, refusals->part, find, refusals);
	for (int i = 0; i < refusals->count; i++)
		if (!refusals->batch[i]->is_told)
			write_down(refusals, refusals->batch[i], only_id(refusals->batch[i]->reject.key));
	MemoryContextSwitchTo(caller_cxt);
	begin_batch(refusals);
}

static const char *
shown(const char *utf8)
{
	return utf8 ? gc_value_display(utf8, strlen(utf8)) : NULL;
}

static Refusal *
read_event(const Refusals *refusals, const GcImportEvent *event)
{
	const GcImport *import = refusals->run->import;
	Refusal *refusal = palloc0(sizeof(Refusal));

	if (event->contact_id)
		refusal->id = pstrdup(event->contact_id);
	refusal->reject = (GcReject){
		.at = GetCurrentTimestamp(),
		.by_role = import->submitted_by,
		.list_id = refusals->run->list->id,
		.source = "import",
		.source_id = import->id,
		.key = shown(event->contact_id),
		.code = event->code ? shown(event->code) : "IMPORT_ERROR",
		.correlation_id = shown(event->correlation_id),
	};
	refusal->reject.reason =
		event->message ? shown(event->message) : gc_import_failure_words(refusal->reject.code);
	return refusal;
}

bool
gc_import_refused_may(GcImportRun *run, const GcPart *part, const GcImportEvent *event)
{
	return event->correlation_id == NULL ||
		   !gc_part_is_anothers(event->correlation_id, run->import->id, part->part);
}

/* Of an event that may be of several files. */
static bool
is_of_part(Refusals *refusals, const GcImportEvent *event)
{
	return event->contact_id && gc_import_refused_may(refusals->run, refusals->part, event) &&
		   gc_import_seen_mark(refusals->seen, event->contact_id, GC_ROW_TOLD);
}

static void
take_event(void *arg, const GcImportEvent *event)
{
	Refusals *refusals = arg;
	MemoryContext caller_cxt;
	Refusal *refusal;
	Bucket *bucket;
	uint64 hash;
	bool is_old;

	if (refusals->seen && !is_of_part(refusals, event))
		return;
	caller_cxt = MemoryContextSwitchTo(refusals->batch_cxt);
	refusal = refusals->batch[refusals->count++] = read_event(refusals, event);
	if (refusal->id)
	{
		hash = hash_of(refusal->id);
		bucket = hash_search(refusals->buckets, &hash, HASH_ENTER, &is_old);
		refusal->next = is_old ? bucket->first : NULL;
		bucket->first = refusal;
	}
	MemoryContextSwitchTo(caller_cxt);
	if (refusals->count == BATCH)
		end_batch(refusals);
}

int64
gc_import_refused(GcImportRun *run, const GcPart *part, const GcImportEvents *events,
				  GcImportSeen *seen)
{
	Refusals refusals = {.run = run, .part = part, .seen = seen};

	refusals.rows = gc_reject_rows_create(run->rel, run->list);
	refusals.batch_cxt = AllocSetContextCreate(CurrentMemoryContext, "gc_fdw refused rows",
											   ALLOCSET_DEFAULT_SIZES);
	refusals.row_cxt = AllocSetContextCreate(CurrentMemoryContext, "gc_fdw refused row",
											 ALLOCSET_DEFAULT_SIZES);
	begin_batch(&refusals);
	(void) gc_import_events(events, take_event, &refusals);
	end_batch(&refusals);
	MemoryContextDelete(refusals.row_cxt);
	MemoryContextDelete(refusals.batch_cxt);
	return refusals.told;
}
