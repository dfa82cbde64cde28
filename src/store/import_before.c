/*
 * store/import_before.c
 *	  What was there before an import, or is not of it: contacts that it skips, others' events.
 */
#include "postgres.h"

#include "store/import_before.h"
#include "store/imports.h"
#include "store/query_args.h"

#include "utils/builtins.h"

List *
gc_parts_list(int64 id)
{
	GcArgs args = {0};
	List *parts = NIL;
	GcQuery query;
	uint64 rows;

	gc_query_begin_or_throw(&query);
	gc_args_int64(&args, id);
	rows = gc_args_run("SELECT part::bigint, rows, method, "
					   "'gc_fdw.import_chunks'::pg_catalog.regclass::pg_catalog.int8 FROM "
					   "gc_fdw.import_parts "
					   "WHERE import_id = $1 ORDER BY part",
					   &args);
	for (uint64 row = 0; row < rows; row++)
	{
		GcPart *part = MemoryContextAllocZero(query.cxt, sizeof(GcPart));
		MemoryContext spi_cxt = MemoryContextSwitchTo(query.cxt);

		part->part = gc_args_int64_at(row, 1);
		part->rows = gc_args_int64_at(row, 2);
		part->method = gc_query_text(&query, row, 3);
		part->chunks = (Oid) gc_args_int64_at(row, 4);
		parts = lappend(parts, part);
		MemoryContextSwitchTo(spi_cxt);
	}
	gc_query_end(&query);
	return parts;
}

void
gc_part_skip(int64 id, int part, const uint8 *skips, int64 rows)
{
	GcArgs args = {0};

	gc_args_int64(&args, id);
	gc_args_add(&args, INT4OID, Int32GetDatum(part));
	gc_args_add(
		&args, BYTEAOID,
		PointerGetDatum(cstring_to_text_with_len((const char *) skips, (rows + 7) / 8)));
	(void) gc_args_run_alone(
		"UPDATE gc_fdw.import_parts SET skips = $3 WHERE import_id = $1 AND part = $2", &args);
}

void
gc_import_checked(int64 id, int64 requests)
{
	GcArgs args = {0};

	gc_args_int64(&args, id);
	gc_args_int64(&args, requests);
	(void) gc_args_run_alone("UPDATE gc_fdw.import_queue SET requests = requests + $2, "
							 " checked_at = pg_catalog.clock_timestamp() WHERE id = $1",
							 &args);
}

bool
gc_part_is_anothers(const char *correlation_id, int64 id, int part)
{
	GcArgs args = {0};
	GcQuery query;
	bool found;

	gc_args_text(&args, correlation_id);
	gc_args_int64(&args, id);
	gc_args_add(&args, INT4OID, Int32GetDatum(part));
	gc_query_begin_or_throw(&query);
	found = gc_args_run("SELECT FROM gc_fdw.import_parts WHERE correlation_id = $1 AND "
						" (import_id <> $2 OR part <> $3) LIMIT 1",
						&args) > 0;
	gc_query_end(&query);
	return found;
}
