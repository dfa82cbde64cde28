/*
 * fdw/import_check.c
 *	  Imports of contacts that may be there already: on_duplicate 'ignore' and 'error'.
 */
#include "postgres.h"

#include "base/value.h"
#include "fdw/id_sort.h"
#include "fdw/import_check.h"
#include "fdw/import_file.h"
#include "fdw/lookup.h"
#include "fdw/modify_state.h"
#include "fdw/staged_row.h"
#include "store/import_before.h"
#include "store/parts.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Ids that a failure names. */
#define IDS_SHOWN 5

/* What is looked for, in a context of the executor's. */
typedef struct Check
{
	GcImportRun *run;
	List *parts; /* GcPart, in the order of their rows */
	GcIdSort *ids;
	int64 rows;
	uint8 *there; /* a bit for each row: its contact is there */
	int64 there_count;
	StringInfoData shown; /* the first of their ids */
} Check;

/* ---- their ids ---- */

static void
sort_chunk(Check *check, char *payload, int len)
{
	char *at = payload;
	GcRow row;

	while (gc_staged_row_get(&at, payload + len, &row))
	{
		CHECK_FOR_INTERRUPTS();
		gc_id_sort_put(check->ids, row.id, strlen(row.id), check->rows++);
	}
}

static GcImportForm
form_of(const Check *check, const GcPart *part)
{
	const GcImportWay *way =
		gc_dialect_way(gc_dialect(check->run->rel->server_options), part->method);

	return way ? way->form : GC_IMPORT_FILE;
}

static void
sort_row(void *arg, const GcFileRow *row)
{
	Check *check = arg;

	gc_id_sort_put(check->ids, row->cells[0], strlen(row->cells[0]), check->rows++);
}

static void
sort_part(Check *check, const GcPart *part, MemoryContext chunk_cxt)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(chunk_cxt);
	bool is_file = strcmp(part->method, "upload") == 0;
	char *payload;
	int len;

	if (is_file)
		gc_import_file_rows(check->run->import->id, part, sort_row, check);
	else if (form_of(check, part) == GC_IMPORT_FILE)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("on_duplicate '%s' is not for imports by \"%s\"",
							   check->run->import->on_duplicate, part->method)));
	for (int chunk = 1;
		 !is_file && (payload = gc_parts_chunk(part->chunks, check->run->import->id,
											   part->part, chunk, &len)) != NULL;
		 chunk++)
	{
		sort_chunk(check, payload, len);
		MemoryContextReset(chunk_cxt);
	}
	MemoryContextSwitchTo(caller_cxt);
}

static void
sort_ids(Check *check)
{
	MemoryContext chunk_cxt = AllocSetContextCreate(
		CurrentMemoryContext, "gc_fdw import chunk", ALLOCSET_DEFAULT_SIZES);
	ListCell *lc;

	check->ids = gc_id_sort_create(work_mem);
	foreach (lc, gc_parts_list(check->run->import->id))
	{
		GcPart *part = lfirst(lc);

		/* J1: there the platform sees to it. */
		if (form_of(check, part) == GC_IMPORT_QUEUE)
			continue;
		check->parts = lappend(check->parts, part);
		sort_part(check, part, chunk_cxt);
	}
	gc_id_sort_finish(check->ids);
	MemoryContextDelete(chunk_cxt);
}

/* ---- the look ---- */

static void
take_found(void *arg, const GcFound *found)
{
	Check *check = arg;

	check->there[found->number / 8] |= 1 << found->number % 8;
	if (check->there_count++ < IDS_SHOWN)
		appendStringInfo(&check->shown, "%s\"%s\"", check->shown.len > 0 ? ", " : "",
						 gc_value_display(pnstrdup(found->id, found->len), NAMEDATALEN));
}

static void
look_up(Check *check, const GcModify *modify)
{
	GcLookup *lookup;
	const char *id;
	int64 number;
	int len;

	if (check->rows == 0)
		return;
	check->there = MemoryContextAllocExtended(CurrentMemoryContext, check->rows / 8 + 1,
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	lookup = gc_lookup_begin(modify, check->rows, take_found, check);
	while (gc_id_sort_next(check->ids, &id, &len, &number))
	{
		CHECK_FOR_INTERRUPTS();
		gc_lookup_put(lookup, id, len, number);
	}
	gc_lookup_end(lookup);
}

/* ---- what becomes of them ---- */

static void
fail(const Check *check)
{
	const GcRelation *rel = check->run->rel;
	const char *more = "";

	if (check->there_count > IDS_SHOWN)
		more = psprintf(" and " INT64_FORMAT " more", check->there_count - IDS_SHOWN);
	gc_import_fail(
		check->run->import->id, "23505",
		psprintf("could not insert " INT64_FORMAT " %s into %s: Already there: %s%s.",
				 check->there_count, check->there_count == 1 ? "contact" : "contacts",
				 rel->label, check->shown.data, more));
}

/* The bits of the part that begins with that row; NULL: none is set. */
static uint8 *
bits_of(const Check *check, int64 first, int64 rows)
{
	uint8 *bits = NULL;

	for (int64 row = 0; row < rows; row++)
		if (check->there[(first + row) / 8] & 1 << (first + row) % 8)
		{
			if (bits == NULL)
				bits = palloc0(rows / 8 + 1);
			bits[row / 8] |= 1 << row % 8;
		}
	return bits;
}

static void
skip(const Check *check)
{
	int64 first = 0;
	ListCell *lc;

	foreach (lc, check->parts)
	{
		const GcPart *part = lfirst(lc);
		uint8 *bits = bits_of(check, first, part->rows);

		if (bits)
			gc_part_skip(check->run->import->id, part->part, bits, part->rows);
		first += part->rows;
	}
}

static void
look(GcImportRun *run, EState *estate)
{
	Check check = {.run = run};
	GcModify modify = {
		.verb = GC_VERB_INSERT, .rel = run->rel, .conn = run->conn, .list = run->list};

	modify.user_id = run->user_id;
	modify.target = gc_deliver_open(estate, run->conn, run->rel, run->list, &run->settings);
	initStringInfo(&check.shown);
	sort_ids(&check);
	look_up(&check, &modify);
	gc_id_sort_end(check.ids);
	gc_deliver_drain(estate);
	if (check.there_count > 0 && strcmp(run->import->on_duplicate, "error") == 0)
		fail(&check);
	else if (check.there_count > 0)
		skip(&check);
	gc_import_checked(run->import->id, gc_deliver_stat(modify.target).requests);
}

void
gc_import_check(GcImportRun *run)
{
	EState *estate;
	MemoryContext caller_cxt;

	if (strcmp(run->import->on_duplicate, "update") == 0)
		return;
	gc_import_transaction(run);
	estate = CreateExecutorState();
	caller_cxt = MemoryContextSwitchTo(estate->es_query_cxt);
	look(run, estate);
	MemoryContextSwitchTo(caller_cxt);
	FreeExecutorState(estate);
	CommitTransactionCommand();
}
