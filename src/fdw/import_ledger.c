/*
 * fdw/import_ledger.c
 *	  A part of an import that the platform has taken, in the ledger.
 *
 * Read from its payload once more, whatever method it went by: what was sent is what
 * was staged.
 */
#include "postgres.h"

#include "fdw/import_ledger.h"
#include "fdw/import_parts.h"
#include "fdw/staged_csv.h"
#include "fdw/staged_row.h"
#include "store/ledger.h"
#include "store/parts.h"

#include "access/table.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"

typedef struct Reading
{
	GcLedger *ledger;
	const GcPart *part;
	int64 row;		 /* so many have been seen */
	bool has_header; /* of a file, has been seen */
} Reading;

/* Puts a chunk's rows. */
typedef void (*Reader)(Reading *reading, char *payload, int len);

/* Rows that were not sent are not delivered. */
static bool
was_sent(const Reading *reading)
{
	const uint8 *skips = reading->part->skips;

	return skips == NULL || (skips[reading->row / 8] & 1 << reading->row % 8) == 0;
}

static void
put_contacts(Reading *reading, char *payload, int len)
{
	char *at = payload;
	GcRow row;

	for (; gc_staged_row_get(&at, payload + len, &row); reading->row++)
	{
		CHECK_FOR_INTERRUPTS();
		if (was_sent(reading))
			gc_ledger_put(reading->ledger, row.id, row.json, row.len);
	}
}

/* Rows of a file, as they stand in it; the first of them all is the header. */
static void
put_file(Reading *reading, char *payload, int len)
{
	const char *content = pnstrdup(payload, len);
	char *cells[GC_CSV_MAX_COLUMNS];
	char *at = payload;
	char *row = at;
	int count;

	for (; gc_staged_csv_get(&at, payload + len, cells, lengthof(cells), &count); row = at)
	{
		CHECK_FOR_INTERRUPTS();
		if (!reading->has_header)
			reading->has_header = true;
		else
		{
			if (was_sent(reading))
				gc_ledger_put(reading->ledger, cells[0], content + (row - payload), at - row);
			reading->row++;
		}
	}
}

void
gc_import_ledger(GcImportRun *run, const GcPart *part)
{
	GcImportForm form =
		gc_dialect_way(gc_dialect(run->rel->server_options), part->method)->form;
	bool is_file = form == GC_IMPORT_FILE || form == GC_IMPORT_JOB_FILE;
	Reader put = is_file ? put_file : put_contacts;
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "gc_fdw import ledger",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller_cxt = MemoryContextSwitchTo(cxt);
	Reading reading = {gc_ledger_open(run->import->list_id, run->import->id, part->part),
					   part};
	MemoryContext chunk_cxt =
		AllocSetContextCreate(cxt, "gc_fdw import chunk", ALLOCSET_DEFAULT_SIZES);
	char *payload;
	int len;

	MemoryContextSwitchTo(chunk_cxt);
	for (int chunk = 1; (payload = gc_parts_chunk(part->chunks, run->import->id, part->part,
												  chunk, &len)) != NULL;
		 chunk++)
	{
		put(&reading, payload, len);
		MemoryContextReset(chunk_cxt);
	}
	gc_ledger_flush(reading.ledger);
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextDelete(cxt);
}

char *
gc_ledger_list_id(Oid relid)
{
	Relation relation = table_open(relid, AccessShareLock);
	GcStat stat = {0};
	int64 spent = 0;
	GcRelation *rel;
	const char *id;

	if (relation->rd_rel->relkind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a foreign table", RelationGetRelationName(relation))));
	stat.spent = &spent;
	rel = gc_relation_load(relation);
	id = rel->list_id;
	if (id == NULL)
		id = gc_list_get(gc_connection_get(GetUserId(), rel->server_id), &stat, NULL,
						 rel->list_name)
				 ->id;
	table_close(relation, AccessShareLock);
	return pstrdup(id);
}
