/*
 * store/erase.c
 *	  A contact leaves the extension's own tables: staged rows, rejected rows, the ledger.
 */
#include "postgres.h"

#include "store/erase.h"
#include "store/job.h"
#include "store/query_args.h"

#include "common/sha2.h"
#include "utils/array.h"

/*
 * A part that was sent may be with the platform still; and of an import that has been begun
 * a worker may be counting the rows that are there already, before any part goes.
 */
#define COLUMNS                                                                               \
	"p.import_id, p.part::bigint, (p.method = 'upload')::int::bigint, "                       \
	"(p.state = 'staged' AND q.state IN ('staged', 'running', 'paused'))::int::bigint, "      \
	"(p.state IN ('sending', 'accepted') OR p.state = 'staged' AND q.state = 'running' AND "  \
	" q.on_duplicate <> 'update' AND q.checked_at IS NULL)::int::bigint, "                    \
	"p.rows, p.skips, 'gc_fdw.import_chunks'::pg_catalog.regclass::pg_catalog.int8"

/* ---- staged rows ---- */

static const uint8 *
get_skips(GcQuery *query, uint64 row)
{
	bool isnull;
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 7, &isnull);
	bytea *bits = isnull ? NULL : DatumGetByteaPP(value);
	uint8 *copy;

	if (bits == NULL)
		return NULL;
	copy = MemoryContextAlloc(query->cxt, VARSIZE_ANY_EXHDR(bits));
	return memcpy(copy, VARDATA_ANY(bits), VARSIZE_ANY_EXHDR(bits));
}

static void
get_part(GcQuery *query, uint64 row, GcKeptPart *part)
{
	part->import_id = gc_args_int64_at(row, 1);
	part->part = gc_args_int64_at(row, 2);
	part->is_file = gc_args_int64_at(row, 3) != 0;
	part->is_open = gc_args_int64_at(row, 4) != 0;
	part->is_under_way = gc_args_int64_at(row, 5) != 0;
	part->rows = gc_args_int64_at(row, 6);
	part->skips = get_skips(query, row);
	part->chunks = (Oid) gc_args_int64_at(row, 8);
}

List *
gc_erase_parts(const char *server)
{
	GcArgs args = {0};
	List *parts = NIL;
	GcQuery query;
	uint64 rows;

	gc_query_begin_or_throw(&query);
	gc_args_text(&args, server);
	rows = gc_args_run(
		"SELECT " COLUMNS " FROM gc_fdw.import_parts p "
		"JOIN gc_fdw.import_queue q ON q.id = p.import_id "
		"WHERE ($1 IS NULL OR q.server = $1::name) AND EXISTS (SELECT FROM "
		" gc_fdw.import_chunks c WHERE c.import_id = p.import_id AND c.part = p.part) "
		"ORDER BY p.import_id, p.part",
		&args);
	for (uint64 row = 0; row < rows; row++)
	{
		GcKeptPart *part = MemoryContextAlloc(query.cxt, sizeof(GcKeptPart));
		MemoryContext spi_cxt = MemoryContextSwitchTo(query.cxt);

		get_part(&query, row, part);
		parts = lappend(parts, part);
		MemoryContextSwitchTo(spi_cxt);
	}
	gc_query_end(&query);
	return parts;
}

static void
add_part(GcArgs *args, const GcKeptPart *part)
{
	gc_args_int64(args, part->import_id);
	gc_args_add(args, INT4OID, Int32GetDatum(part->part));
}

bool
gc_erase_lock(GcKeptPart *part)
{
	GcArgs args = {0};
	GcQuery query;
	bool found;

	add_part(&args, part);
	gc_query_begin_or_throw(&query);
	/* In that order, as whoever ends or cancels an import has it. */
	(void) gc_args_run("SELECT FROM gc_fdw.import_queue WHERE id = $1 AND $2 IS NOT NULL "
					   "FOR UPDATE",
					   &args);
	(void) gc_args_run("SELECT FROM gc_fdw.import_parts WHERE import_id = $1 AND part = $2 "
					   "AND state = 'staged' FOR UPDATE",
					   &args);
	found = gc_args_run("SELECT " COLUMNS " FROM gc_fdw.import_parts p "
						"JOIN gc_fdw.import_queue q ON q.id = p.import_id "
						"WHERE p.import_id = $1 AND p.part = $2 AND EXISTS (SELECT FROM "
						" gc_fdw.import_chunks c WHERE c.import_id = $1 AND c.part = $2)",
						&args) > 0;
	if (found)
		get_part(&query, 0, part);
	gc_query_end(&query);
	return found;
}

static Datum
bytes_datum(const void *bytes, int len)
{
	return PointerGetDatum(cstring_to_text_with_len(bytes, len));
}

void
gc_erase_chunk(const GcKeptPart *part, int chunk, const char *bytes, int len)
{
	GcArgs args = {0};

	add_part(&args, part);
	gc_args_add(&args, INT4OID, Int32GetDatum(chunk));
	gc_args_add(&args, BYTEAOID, bytes_datum(bytes, len));
	(void) gc_args_run_alone("UPDATE gc_fdw.import_chunks SET payload = $4 "
							 "WHERE import_id = $1 AND part = $2 AND chunk = $3",
							 &args);
}

void
gc_erase_settle(const GcKeptPart *part, const GcLeftPart *left)
{
	int64 rows = part->rows - left->erased;
	GcArgs args = {0};
	GcQuery query;

	add_part(&args, part);
	gc_args_int64(&args, left->erased);
	gc_query_begin_or_throw(&query);
	(void) gc_args_run("UPDATE gc_fdw.import_queue SET rows_total = rows_total - $3 "
					   "WHERE id = $1 AND $2 IS NOT NULL",
					   &args);
	gc_args_int64(&args, left->bytes);
	gc_args_add(&args, BYTEAOID, bytes_datum(left->sha256, PG_SHA256_DIGEST_LENGTH));
	gc_args_add(&args, BYTEAOID,
				left->skips ? bytes_datum(left->skips, (rows + 7) / 8) : (Datum) 0);
	args.nulls[args.count - 1] = left->skips ? ' ' : 'n';
	(void) gc_args_run(
		"UPDATE gc_fdw.import_parts SET rows = rows - $3, bytes = $4, sha256 = $5, "
		" skips = $6, state = CASE WHEN rows = $3 THEN 'done' ELSE state END, "
		" settled_at = CASE WHEN rows = $3 THEN pg_catalog.clock_timestamp() END "
		"WHERE import_id = $1 AND part = $2",
		&args);
	if (rows == 0)
	{
		args.count = 2;
		(void) gc_args_run(
			"DELETE FROM gc_fdw.import_chunks WHERE import_id = $1 AND part = $2", &args);
	}
	gc_query_end(&query);
	/* A worker may have found it locked. */
	gc_job_imports_at_commit();
}

/* ---- history ---- */

static void
add_lists(GcArgs *args, List *list_ids)
{
	Datum *ids = palloc(sizeof(Datum) * Max(list_length(list_ids), 1));
	ListCell *lc;

	foreach (lc, list_ids)
		ids[foreach_current_index(lc)] = CStringGetTextDatum(lfirst(lc));
	gc_args_add(args, TEXTARRAYOID,
				PointerGetDatum(construct_array(ids, list_length(list_ids), TEXTOID, -1, false,
												TYPALIGN_INT)));
	if (list_ids == NIL)
		args->nulls[args->count - 1] = 'n';
}

/* $1: the key; $2: as it is shown; $3: the lists, or NULL.  Each command has all three. */
#define OF_LISTS "($3 IS NULL OR list_id = ANY ($3)) AND ($1 || $2) IS NOT NULL"
#define QUOTED	 "('\"' || $2 || '\"')"
static const struct
{
	const char *table;
	const char *command;
} commands[] = {
	{"rejected_rows", "DELETE FROM gc_fdw.rejected_rows WHERE key = $2 AND " OF_LISTS},
	{"sent_contacts", "DELETE FROM gc_fdw.sent_contacts WHERE contact_id = $1 AND " OF_LISTS},
	{"import_queue", "UPDATE gc_fdw.import_queue SET failure_reason = "
					 " pg_catalog.replace(failure_reason, " QUOTED ", '(forgotten)') "
					 "WHERE pg_catalog.strpos(failure_reason, " QUOTED ") > 0 AND " OF_LISTS},
	{"import_parts", "UPDATE gc_fdw.import_parts p SET failure_reason = "
					 " pg_catalog.replace(p.failure_reason, " QUOTED ", '(forgotten)') "
					 "FROM gc_fdw.import_queue q WHERE q.id = p.import_id AND "
					 " pg_catalog.strpos(p.failure_reason, " QUOTED ") > 0 AND " OF_LISTS},
};

List *
gc_erase_history(const GcErasure *erasure)
{
	GcArgs args = {0};
	List *erased = NIL;
	GcQuery query;

	gc_args_text(&args, erasure->key);
	gc_args_text(&args, erasure->shown_key);
	add_lists(&args, erasure->list_ids);
	gc_query_begin_or_throw(&query);
	for (int i = 0; i < lengthof(commands); i++)
	{
		GcErased *one = MemoryContextAlloc(query.cxt, sizeof(GcErased));
		MemoryContext spi_cxt;

		one->table = commands[i].table;
		one->rows = gc_args_run(commands[i].command, &args);
		spi_cxt = MemoryContextSwitchTo(query.cxt);
		erased = lappend(erased, one);
		MemoryContextSwitchTo(spi_cxt);
	}
	gc_query_end(&query);
	return erased;
}
