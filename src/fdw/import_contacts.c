/*
 * fdw/import_contacts.c
 *	  A part of an import by POSTs of contacts.
 *
 * Delivered as a statement's rows are: in batches, overlapped, with every retry, search
 * for bad rows and check of echoes.  A part that was sent before, and has not been
 * settled, is read back first (fdw/again.h).
 */
#include "postgres.h"

#include "fdw/again.h"
#include "fdw/import_parts.h"
#include "fdw/reject.h"
#include "fdw/staged_row.h"
#include "store/parts.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* What is sent of a part. */
typedef struct Sending
{
	GcImportRun *run;
	EState *estate;
	GcTarget *target;
	GcAgain *again; /* NULL: nothing of the part has ever been sent */
	const uint8 *skips;
	int64 row; /* so many have been seen */
	int64 skipped;
} Sending;

/* Is the contact one that was there before any of the import was sent? */
static bool
is_skipped(const Sending *sending)
{
	return sending->skips && sending->skips[sending->row / 8] & 1 << sending->row % 8;
}

static void
send_chunk(Sending *sending, char *payload, int len)
{
	char *at = payload;
	GcRow row;

	while (gc_staged_row_get(&at, payload + len, &row))
	{
		CHECK_FOR_INTERRUPTS();
		if (is_skipped(sending))
			sending->skipped++;
		else if (sending->again)
			gc_again_row(sending->again, &row);
		else
			gc_deliver_row(sending->target, &row);
		sending->row++;
	}
}

static void
send_chunks(Sending *sending, const GcPart *part)
{
	MemoryContext chunk_cxt = AllocSetContextCreate(
		CurrentMemoryContext, "gc_fdw import chunk", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller_cxt = MemoryContextSwitchTo(chunk_cxt);
	int64 import_id = sending->run->import->id;
	char *payload;
	int len;

	for (int chunk = 1;
		 (payload = gc_parts_chunk(part->chunks, import_id, part->part, chunk, &len)) != NULL;
		 chunk++)
	{
		send_chunk(sending, payload, len);
		MemoryContextReset(chunk_cxt);
	}
	MemoryContextSwitchTo(caller_cxt);
	gc_parts_check_rows(part, sending->row);
}

static void
open_target(Sending *sending, const GcPart *part)
{
	GcImportRun *run = sending->run;

	sending->target =
		gc_deliver_open(sending->estate, run->conn, run->rel, run->list, &run->settings);
	run->entry = &gc_deliver_audit(sending->target)->entry;
	(void) gc_reject_open(sending->estate, run->rel, run->list, sending->target,
						  &run->settings);
	if (part->attempts > 0)
		sending->again = gc_again_create(sending->target, run->rel, run->list,
										 run->conn->max_in_flight, NULL, NULL);
}

static void
count(const Sending *sending, GcPartResult *result)
{
	const GcAuditEntry *entry = &gc_deliver_audit(sending->target)->entry;

	result->accepted += entry->accepted;
	result->rejected = entry->rejected;
	result->skipped = sending->skipped;
	result->requests = gc_deliver_stat(sending->target).requests;
	if (entry->correlation_id[0] != '\0')
		result->correlation_id = MemoryContextStrdup(sending->run->cxt, entry->correlation_id);
}

void
gc_import_contacts(GcImportRun *run, const GcPart *part, GcPartResult *result)
{
	Sending sending = {.run = run, .estate = CreateExecutorState(), .skips = part->skips};
	MemoryContext caller_cxt = MemoryContextSwitchTo(sending.estate->es_query_cxt);

	open_target(&sending, part);
	send_chunks(&sending, part);
	if (sending.again)
		result->accepted = gc_again_finish(sending.again);
	gc_deliver_drain(sending.estate);
	count(&sending, result);
	MemoryContextSwitchTo(caller_cxt);
	FreeExecutorState(sending.estate);
}
