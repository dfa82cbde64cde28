/*
 * store/ledger.c
 *	  The ledger: which contacts were delivered to which list, and with what content.
 */
#include "postgres.h"

#include "store/ledger.h"
#include "store/query.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

/* Entries that are written by one command. */
#define BATCH 10000

/* Room for entries at first: a statement may write to many lists. */
#define FIRST_ROOM 64

struct GcLedger
{
	const char *list_id;
	const char *source;
	int64 source_id;
	int part;				 /* 0: none */
	MemoryContext batch_cxt; /* of the entries at hand */
	Datum *ids;
	Datum *hashes;
	int count;
	int room;
};

static GcLedger *
open_for(const char *list_id, const char *source, int64 source_id, int part)
{
	GcLedger *ledger = palloc0(sizeof(GcLedger));

	ledger->list_id = list_id;
	ledger->source = source;
	ledger->source_id = source_id;
	ledger->part = part;
	ledger->room = FIRST_ROOM;
	ledger->ids = palloc(sizeof(Datum) * ledger->room);
	ledger->hashes = palloc(sizeof(Datum) * ledger->room);
	ledger->batch_cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw ledger", ALLOCSET_DEFAULT_SIZES);
	return ledger;
}

GcLedger *
gc_ledger_open(const char *list_id, int64 import_id, int part)
{
	return open_for(list_id, "import", import_id, part);
}

GcLedger *
gc_ledger_open_statement(const char *list_id, int64 audit_id)
{
	return open_for(list_id, "statement", audit_id, 0);
}

/* No state of a hash outlives the call: the transaction's abort would end it, too. */
static Datum
hash_of(const char *content, size_t len)
{
	bytea *bytes = (bytea *) cstring_to_text_with_len(content, len);
	Datum hash = DirectFunctionCall1(sha256_bytea, PointerGetDatum(bytes));

	pfree(bytes);
	return hash;
}

static Datum
array_of(Datum *elements, int count, Oid type)
{
	return PointerGetDatum(construct_array(elements, count, type, -1, false, TYPALIGN_INT));
}

void
gc_ledger_flush(GcLedger *ledger)
{
	static const Oid types[] = {TEXTOID, TEXTARRAYOID, BYTEAARRAYOID,
								INT8OID, INT4OID,	   TEXTOID};
	MemoryContext caller_cxt;
	GcQuery query;

	if (ledger->count == 0 || !gc_query_begin(&query))
		return;
	caller_cxt = MemoryContextSwitchTo(ledger->batch_cxt);
	(void) gc_query_run(
		"INSERT INTO gc_fdw.sent_contacts AS l "
		" (list_id, contact_id, content_hash, sent_at, source, source_id, part) "
		"SELECT DISTINCT ON (u.id COLLATE \"C\") $1, u.id, u.hash, "
		" pg_catalog.clock_timestamp(), $6, $4, nullif($5, 0) "
		"FROM unnest($2, $3) WITH ORDINALITY AS u (id, hash, n) "
		"WHERE NOT EXISTS (SELECT FROM gc_fdw.rejected_rows r "
		" WHERE r.source = $6 AND r.source_id = $4 AND r.key = u.id) "
		"ORDER BY u.id COLLATE \"C\", u.n DESC "
		"ON CONFLICT (list_id, contact_id) DO UPDATE SET content_hash = "
		"EXCLUDED.content_hash, "
		" sent_at = EXCLUDED.sent_at, source = EXCLUDED.source, "
		" source_id = EXCLUDED.source_id, part = EXCLUDED.part",
		lengthof(types), types,
		(Datum[]){CStringGetTextDatum(ledger->list_id),
				  array_of(ledger->ids, ledger->count, TEXTOID),
				  array_of(ledger->hashes, ledger->count, BYTEAOID),
				  Int64GetDatum(ledger->source_id), Int32GetDatum(ledger->part),
				  CStringGetTextDatum(ledger->source)},
		NULL);
	MemoryContextSwitchTo(caller_cxt);
	gc_query_end(&query);
	ledger->count = 0;
	MemoryContextReset(ledger->batch_cxt);
}

void
gc_ledger_put(GcLedger *ledger, const char *id, const char *content, size_t len)
{
	MemoryContext caller_cxt;

	if (ledger->count == ledger->room)
	{
		ledger->room = Min(ledger->room * 2, BATCH);
		ledger->ids = repalloc(ledger->ids, sizeof(Datum) * ledger->room);
		ledger->hashes = repalloc(ledger->hashes, sizeof(Datum) * ledger->room);
	}
	caller_cxt = MemoryContextSwitchTo(ledger->batch_cxt);
	ledger->ids[ledger->count] =
		CStringGetTextDatum(pg_any_to_server(id, strlen(id), PG_UTF8));
	ledger->hashes[ledger->count++] = hash_of(content, len);
	MemoryContextSwitchTo(caller_cxt);
	if (ledger->count == BATCH)
		gc_ledger_flush(ledger);
}
