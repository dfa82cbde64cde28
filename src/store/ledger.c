/*
 * store/ledger.c
 *	  The ledger: which contacts were delivered to which list, and with what content.
 */
#include "postgres.h"

#include "store/ledger.h"
#include "store/query.h"
#include "store/table.h"

#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Entries that are written at once. */
#define BATCH		10000
#define BATCH_BYTES (4 * 1024 * 1024)

/* So many of them are tried first: where they are there already, so may be the others. */
#define PROBES 50

/* Room for entries at first: a statement may write to many lists. */
#define FIRST_ROOM 64

enum
{
	LIST_ID,
	CONTACT_ID,
	CONTENT_HASH,
	SENT_AT,
	SOURCE,
	SOURCE_ID,
	PART,
	COLUMNS
};

static const GcTableColumn columns[COLUMNS] = {
	[LIST_ID] = {"list_id", TEXTOID},
	[CONTACT_ID] = {"contact_id", TEXTOID},
	[CONTENT_HASH] = {"content_hash", BYTEAOID},
	[SENT_AT] = {"sent_at", TIMESTAMPTZOID},
	[SOURCE] = {"source", TEXTOID},
	[SOURCE_ID] = {"source_id", INT8OID},
	[PART] = {"part", INT4OID},
};

static const GcTableLayout layout = {"sent_contacts", false, COLUMNS, columns};

typedef struct Entry
{
	text *id;
	text *content;
	bytea *hash; /* of that, as soon as it is written */
	int number;	 /* in the order in which they came */
} Entry;

struct GcLedger
{
	Datum list_id;
	const char *source;
	Datum source_text;
	int64 source_id;
	int part;				 /* 0: none */
	MemoryContext batch_cxt; /* of the entries at hand */
	Entry *entries;
	int count;
	int room;
	int64 bytes;		 /* of their contents */
	TimestampTz sent_at; /* of those at hand */
	bool repeats;		 /* some of its contacts were in the ledger already */
};

static GcLedger *
open_for(const char *list_id, const char *source, int64 source_id, int part)
{
	GcLedger *ledger = palloc0(sizeof(GcLedger));

	ledger->list_id = CStringGetTextDatum(list_id);
	ledger->source = source;
	ledger->source_text = CStringGetTextDatum(source);
	ledger->source_id = source_id;
	ledger->part = part;
	ledger->room = FIRST_ROOM;
	ledger->entries = palloc(sizeof(Entry) * ledger->room);
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

/* ---- what is written ---- */

static int
compare_ids(const text *a, const text *b)
{
	int a_len = VARSIZE(a) - VARHDRSZ;
	int b_len = VARSIZE(b) - VARHDRSZ;
	int result = memcmp(VARDATA(a), VARDATA(b), Min(a_len, b_len));

	return result != 0 ? result : a_len - b_len;
}

static int
compare_entries(const void *a, const void *b)
{
	const Entry *left = a;
	const Entry *right = b;
	int result = compare_ids(left->id, right->id);

	return result != 0 ? result : left->number - right->number;
}

/* In the order of the index, in which sessions do not wait for each other in a circle; the last of each id. */
static void
sort_entries(GcLedger *ledger)
{
	int kept = 0;

	qsort(ledger->entries, ledger->count, sizeof(Entry), compare_entries);
	for (int i = 0; i < ledger->count; i++)
		if (i + 1 == ledger->count ||
			compare_ids(ledger->entries[i].id, ledger->entries[i + 1].id) != 0)
			ledger->entries[kept++] = ledger->entries[i];
	ledger->count = kept;
}

/*
 * No state of a hash outlives the call: the transaction's abort would end it, too.  One for
 * each entry would cost more than its hash.
 */
static void
hash_entries(GcLedger *ledger)
{
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);

	if (hash == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	for (int i = 0; i < ledger->count; i++)
	{
		text *content = ledger->entries[i].content;
		bytea *result = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);

		SET_VARSIZE(result, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
		if (pg_cryptohash_init(hash) < 0 ||
			pg_cryptohash_update(hash, (const uint8 *) VARDATA(content),
								 VARSIZE(content) - VARHDRSZ) < 0 ||
			pg_cryptohash_final(hash, (uint8 *) VARDATA(result), PG_SHA256_DIGEST_LENGTH) < 0)
			elog(ERROR, "could not compute a SHA-256: %s", pg_cryptohash_error(hash));
		ledger->entries[i].hash = result;
	}
	pg_cryptohash_free(hash);
}

/* Leaves out the ids that the query has found, which are in the order of the entries. */
static void
leave_out_found(GcLedger *ledger)
{
	uint64 found = 0;
	int kept = 0;

	for (int i = 0; i < ledger->count; i++)
	{
		int order = 1;

		while (found < SPI_processed && order > 0)
		{
			bool isnull;
			text *key = DatumGetTextP(
				SPI_getbinval(SPI_tuptable->vals[found], SPI_tuptable->tupdesc, 1, &isnull));

			order = compare_ids(ledger->entries[i].id, key);
			found += order > 0;
		}
		if (order != 0)
			ledger->entries[kept++] = ledger->entries[i];
	}
	ledger->count = kept;
}

static void
leave_out_rejected(GcLedger *ledger)
{
	static const Oid types[] = {TEXTOID, INT8OID, TEXTOID, TEXTOID};
	Entry *last = &ledger->entries[ledger->count - 1];

	if (gc_query_run(
			"SELECT r.key FROM gc_fdw.rejected_rows r WHERE r.source = $1 AND "
			" r.source_id = $2 AND r.key COLLATE \"C\" BETWEEN $3 AND $4 ORDER BY r.key "
			"COLLATE \"C\"",
			lengthof(types), types,
			(Datum[]){ledger->source_text, Int64GetDatum(ledger->source_id),
					  PointerGetDatum(ledger->entries[0].id), PointerGetDatum(last->id)},
			NULL) > 0)
		leave_out_found(ledger);
}

static void
fill(void *arg, int row, Datum *values, bool *isnull)
{
	GcLedger *ledger = arg;
	Entry *entry = &ledger->entries[row];

	values[LIST_ID] = ledger->list_id;
	values[CONTACT_ID] = PointerGetDatum(entry->id);
	values[CONTENT_HASH] = PointerGetDatum(entry->hash);
	values[SENT_AT] = TimestampTzGetDatum(ledger->sent_at);
	values[SOURCE] = ledger->source_text;
	values[SOURCE_ID] = Int64GetDatum(ledger->source_id);
	values[PART] = Int32GetDatum(ledger->part);
	isnull[PART] = ledger->part == 0;
}

/* Inserts entries as long as none of them is there; those that are left stay. */
static void
insert_new(GcLedger *ledger)
{
	GcTable *table = ledger->repeats ? NULL : gc_table_open(&layout);
	bool *repeats;
	int done = 0;
	int left = 0;

	if (table == NULL)
		return;
	repeats = palloc0(sizeof(bool) * ledger->count);
	while (gc_table_takes_many(table) && done < ledger->count && !ledger->repeats)
	{
		int count = Min(done == 0 ? PROBES : GC_TABLE_MANY, ledger->count - done);

		ledger->repeats = gc_table_insert_many(table, done, count, fill, ledger, repeats);
		done += count;
	}
	gc_table_close(table);
	for (int i = 0; i < ledger->count; i++)
		if (i >= done || repeats[i])
			ledger->entries[left++] = ledger->entries[i];
	ledger->count = left;
}

static Datum
array_of(const GcLedger *ledger, bool hashes)
{
	Datum *elements = palloc(sizeof(Datum) * ledger->count);

	for (int i = 0; i < ledger->count; i++)
		elements[i] = hashes ? PointerGetDatum(ledger->entries[i].hash)
							 : PointerGetDatum(ledger->entries[i].id);
	return PointerGetDatum(construct_array(
		elements, ledger->count, hashes ? BYTEAOID : TEXTOID, -1, false, TYPALIGN_INT));
}

/* Writes entries which may be there already. */
static void
write_all(GcLedger *ledger)
{
	static const Oid types[] = {TEXTOID, TEXTARRAYOID, BYTEAARRAYOID, INT8OID,
								INT4OID, TEXTOID,	   TIMESTAMPTZOID};

	(void) gc_query_run(
		"INSERT INTO gc_fdw.sent_contacts AS l "
		" (list_id, contact_id, content_hash, sent_at, source, source_id, part) "
		"SELECT $1, u.id, u.hash, $7, $6, $4, nullif($5, 0) FROM unnest($2, $3) AS u (id, "
		"hash) "
		"ON CONFLICT (list_id, contact_id) DO UPDATE SET content_hash = "
		"EXCLUDED.content_hash, "
		" sent_at = EXCLUDED.sent_at, source = EXCLUDED.source, "
		" source_id = EXCLUDED.source_id, part = EXCLUDED.part",
		lengthof(types), types,
		(Datum[]){ledger->list_id, array_of(ledger, false), array_of(ledger, true),
				  Int64GetDatum(ledger->source_id), Int32GetDatum(ledger->part),
				  ledger->source_text, TimestampTzGetDatum(ledger->sent_at)},
		NULL);
}

void
gc_ledger_flush(GcLedger *ledger)
{
	MemoryContext caller_cxt;
	GcQuery query;

	if (ledger->count == 0 || !gc_query_begin(&query))
		return;
	caller_cxt = MemoryContextSwitchTo(ledger->batch_cxt);
	ledger->sent_at = GetCurrentTimestamp();
	sort_entries(ledger);
	leave_out_rejected(ledger);
	hash_entries(ledger);
	insert_new(ledger);
	if (ledger->count > 0)
		write_all(ledger);
	MemoryContextSwitchTo(caller_cxt);
	gc_query_end(&query);
	ledger->count = ledger->bytes = 0;
	MemoryContextReset(ledger->batch_cxt);
}

void
gc_ledger_put(GcLedger *ledger, const char *id, const char *content, size_t len)
{
	MemoryContext caller_cxt;
	Entry *entry;

	if (ledger->count == ledger->room)
	{
		ledger->room = Min(ledger->room * 2, BATCH);
		ledger->entries = repalloc(ledger->entries, sizeof(Entry) * ledger->room);
	}
	entry = &ledger->entries[ledger->count];
	caller_cxt = MemoryContextSwitchTo(ledger->batch_cxt);
	entry->id = cstring_to_text(pg_any_to_server(id, strlen(id), PG_UTF8));
	entry->content = cstring_to_text_with_len(content, len);
	entry->number = ledger->count++;
	MemoryContextSwitchTo(caller_cxt);
	ledger->bytes += len;
	if (ledger->count == BATCH || ledger->bytes >= BATCH_BYTES)
		gc_ledger_flush(ledger);
}
