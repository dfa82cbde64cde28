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
#include "fdw/staged_row.h"
#include "store/ledger.h"
#include "store/parts.h"

#include "access/table.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* Puts a chunk's rows; "first": of its part. */
typedef void (*Reader)(GcLedger *ledger, char *payload, int len, bool first);

static void
put_contacts(GcLedger *ledger, char *payload, int len, bool first)
{
	char *at = payload;
	GcRow row;

	while (gc_staged_row_get(&at, payload + len, &row))
	{
		CHECK_FOR_INTERRUPTS();
		gc_ledger_put(ledger, row.id, row.json, row.len);
	}
}

static const struct
{
	const char *method;
	Reader put;
} readers[] = {{"contacts", put_contacts}};

/* NULL: the ledger cannot read parts of that method. */
static Reader
reader_of(const GcPart *part)
{
	for (int i = 0; i < lengthof(readers); i++)
		if (strcmp(readers[i].method, part->method) == 0)
			return readers[i].put;
	return NULL;
}

void
gc_import_ledger(GcImportRun *run, const GcPart *part)
{
	Reader put = reader_of(part);
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "gc_fdw import ledger",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller_cxt = MemoryContextSwitchTo(cxt);
	GcLedger *ledger = gc_ledger_open(run->import->list_id, run->import->id, part->part);
	MemoryContext chunk_cxt =
		AllocSetContextCreate(cxt, "gc_fdw import chunk", ALLOCSET_DEFAULT_SIZES);
	char *payload;
	int len;

	MemoryContextSwitchTo(chunk_cxt);
	for (int chunk = 1;
		 put && (payload = gc_parts_chunk(run->import->id, part->part, chunk, &len)) != NULL;
		 chunk++)
	{
		put(ledger, payload, len, chunk == 1);
		MemoryContextReset(chunk_cxt);
	}
	gc_ledger_flush(ledger);
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
