/*
 * store/imports.c
 *	  Imports as the extension keeps them: gc_fdw.import_queue and import_parts.
 */
#include "postgres.h"

#include "store/import_held.h"
#include "store/imports.h"
#include "store/place.h"
#include "store/query_args.h"

#include "miscadmin.h"

/* Of an import q: what a worker can take up.  $1 and $2 are the place and the database. */
#define CAN_BE_SENT                                                                           \
	"(q.state IN ('staged', 'running') OR q.state = 'paused' AND "                            \
	" q.retry_at <= pg_catalog.clock_timestamp()) AND q.system_identifier = $1 AND "          \
	"q.database_oid = $2"

static int64
get_id(uint64 rows)
{
	return rows > 0 ? gc_args_int64_at(0, 1) : 0;
}

/* ---- submitting ---- */

static void
add_import(GcArgs *args, const GcImport *import)
{
	gc_args_text(args, import->list_id);
	gc_args_text(args, import->list_name);
	gc_args_text(args, import->server);
	gc_args_text(args, import->relation);
	gc_args_text(args, import->submitted_by);
	gc_args_text(args, import->method);
	gc_args_text(args, import->on_duplicate);
	gc_args_text(args, import->verification);
	gc_args_text(args, import->import_key);
	gc_args_text(args, import->campaign_id);
	gc_args_text(args, import->webhook_url);
	gc_args_text(args, import->options);
	gc_args_text(args, gc_place());
	gc_args_add(args, OIDOID, ObjectIdGetDatum(MyDatabaseId));
	gc_args_text(args, import->run_as);
}

static int64
find_by_key(const GcImport *import)
{
	GcArgs args = {0};

	gc_args_text(&args, import->list_id);
	gc_args_text(&args, import->import_key);
	return get_id(gc_query_look("SELECT id FROM gc_fdw.import_queue WHERE list_id = $1 AND "
								"import_key = $2 AND state NOT IN ('failed', 'cancelled')",
								args.count, args.types, args.values));
}

int64
gc_import_create(const GcImport *import, bool *is_new)
{
	GcArgs args = {0};
	GcQuery query;
	int64 id;

	gc_query_begin_or_throw(&query);
	add_import(&args, import);
	id = get_id(gc_args_run(
		"INSERT INTO gc_fdw.import_queue (list_id, list_name, server, relation, submitted_by, "
		" state, method, on_duplicate, verification, import_key, rows_total, submitted_at, "
		" campaign_id, webhook_url, options, system_identifier, database_oid, run_as) "
		"VALUES ($1, $2, $3::name, $4, $5::name, 'staged', $6, $7, $8, $9, 0, "
		" pg_catalog.statement_timestamp(), $10, $11, $12::jsonb, $13, $14, $15::name) "
		"ON CONFLICT (list_id, import_key) WHERE state NOT IN ('failed', 'cancelled') "
		"DO NOTHING RETURNING id",
		&args));
	*is_new = id != 0;
	if (id == 0)
		id = find_by_key(import);
	gc_query_end(&query);
	if (id == 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("the import with the key \"%s\" has just ended", import->import_key),
				 errhint("Submit it again.")));
	return id;
}

void
gc_import_stage(int64 id, int64 rows, int64 rejected, const char *method)
{
	GcArgs args = {0};

	gc_args_int64(&args, id);
	gc_args_int64(&args, rows + rejected);
	gc_args_int64(&args, rejected);
	gc_args_text(&args, method);
	(void) gc_args_run_alone(
		"UPDATE gc_fdw.import_queue SET rows_total = $2, rows_rejected = $3, "
		" method = $4 WHERE id = $1",
		&args);
}

/* ---- sending ---- */

List *
gc_import_waiting(void)
{
	GcArgs args = {0};
	List *waiting = NIL;
	GcQuery query;
	uint64 rows;

	gc_query_begin_or_throw(&query);
	gc_args_text(&args, gc_place());
	gc_args_add(&args, OIDOID, ObjectIdGetDatum(MyDatabaseId));
	rows = gc_args_run("SELECT id, list_id FROM gc_fdw.import_queue q WHERE " CAN_BE_SENT
					   " AND NOT " GC_IMPORT_IS_HELD " ORDER BY id",
					   &args);
	for (uint64 row = 0; row < rows; row++)
	{
		MemoryContext spi_cxt = MemoryContextSwitchTo(query.cxt);
		GcImportWaiting *import = palloc(sizeof(GcImportWaiting));

		import->id = gc_args_int64_at(row, 1);
		import->list_id = gc_query_text(&query, row, 2);
		waiting = lappend(waiting, import);
		MemoryContextSwitchTo(spi_cxt);
	}
	gc_query_end(&query);
	return waiting;
}

TimestampTz
gc_import_next_due(void)
{
	GcArgs args = {0};
	GcQuery query;
	TimestampTz due = 0;

	gc_query_begin_or_throw(&query);
	gc_args_text(&args, gc_place());
	gc_args_add(&args, OIDOID, ObjectIdGetDatum(MyDatabaseId));
	if (gc_args_run("SELECT pg_catalog.min(retry_at) FROM gc_fdw.import_queue q "
					"WHERE state = 'paused' AND system_identifier = $1 AND database_oid = $2 "
					" AND NOT " GC_IMPORT_IS_HELD,
					&args) > 0)
		due = gc_args_int64_at(0, 1);
	gc_query_end(&query);
	return due;
}

GcImport *
gc_import_read(int64 id)
{
	GcImport *import = palloc0(sizeof(GcImport));
	GcArgs args = {0};
	GcQuery query;
	bool found;

	gc_query_begin_or_throw(&query);
	gc_args_int64(&args, id);
	found = gc_args_run(
				"SELECT list_id, list_name, server, relation, submitted_by, state, method, "
				" on_duplicate, verification, import_key, campaign_id, webhook_url, options, "
				" run_as, rows_total, rows_rejected, (checked_at IS NOT NULL)::int::bigint "
				"FROM gc_fdw.import_queue WHERE id = $1",
				&args) > 0;
	if (found)
	{
		const char **texts[] = {
			&import->list_id,	 &import->list_name,	&import->server,
			&import->relation,	 &import->submitted_by, &import->state,
			&import->method,	 &import->on_duplicate, &import->verification,
			&import->import_key, &import->campaign_id,	&import->webhook_url,
			&import->options,	 &import->run_as};

		for (int i = 0; i < lengthof(texts); i++)
			*texts[i] = gc_query_text(&query, 0, i + 1);
		import->id = id;
		import->rows_total = gc_args_int64_at(0, lengthof(texts) + 1);
		import->rows_rejected = gc_args_int64_at(0, lengthof(texts) + 2);
		import->is_checked = gc_args_int64_at(0, lengthof(texts) + 3) != 0;
	}
	gc_query_end(&query);
	return found ? import : NULL;
}

bool
gc_import_begin(int64 id)
{
	GcArgs args = {0};

	gc_args_int64(&args, id);
	return gc_args_run_alone(
			   "UPDATE gc_fdw.import_queue SET state = 'running', "
			   " started_at = coalesce(started_at, pg_catalog.clock_timestamp()), "
			   " failure_code = NULL, failure_reason = NULL, retry_at = NULL "
			   "WHERE id = $1 AND (state IN ('staged', 'running') OR "
			   " state = 'paused' AND retry_at <= pg_catalog.clock_timestamp())",
			   &args) > 0;
}

/* The bytes of a bytea of the first row; NULL: it is null. */
static const uint8 *
get_bits(GcQuery *query, int column)
{
	bool isnull;
	Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);
	bytea *bits = isnull ? NULL : DatumGetByteaPP(value);
	uint8 *copy;

	if (bits == NULL)
		return NULL;
	copy = MemoryContextAlloc(query->cxt, VARSIZE_ANY_EXHDR(bits));
	return memcpy(copy, VARDATA_ANY(bits), VARSIZE_ANY_EXHDR(bits));
}

GcPart *
gc_part_begin(int64 id)
{
	GcArgs args = {0};
	GcPart *part = NULL;
	GcQuery query;

	gc_query_begin_or_throw(&query);
	gc_args_int64(&args, id);
	if (gc_args_run(
			"WITH next AS MATERIALIZED (SELECT n.part FROM gc_fdw.import_parts n "
			" JOIN gc_fdw.import_queue q ON q.id = n.import_id "
			" WHERE n.import_id = $1 AND n.state IN ('staged', 'sending', 'accepted') AND "
			"  q.state = 'running' AND NOT q.cancelling AND NOT " GC_IMPORT_IS_HELD
			" ORDER BY n.part LIMIT 1 FOR UPDATE OF n) "
			"UPDATE gc_fdw.import_parts p SET state = 'sending', attempts = attempts + 1, "
			" sent_at = coalesce(sent_at, pg_catalog.clock_timestamp()) "
			"FROM next WHERE p.import_id = $1 AND p.part = next.part "
			"RETURNING p.part::bigint, p.rows, p.bytes, p.attempts::bigint, p.method, "
			"p.skips, "
			"pg_catalog.encode(p.sha256, 'hex'), p.sent_at, p.job_id, "
			"'gc_fdw.import_chunks'::pg_catalog.regclass::pg_catalog.int8",
			&args) > 0)
	{
		part = MemoryContextAllocZero(query.cxt, sizeof(GcPart));
		part->part = gc_args_int64_at(0, 1);
		part->rows = gc_args_int64_at(0, 2);
		part->bytes = gc_args_int64_at(0, 3);
		part->attempts = gc_args_int64_at(0, 4) - 1;
		part->method = gc_query_text(&query, 0, 5);
		part->skips = get_bits(&query, 6);
		part->sha256 = gc_query_text(&query, 0, 7);
		part->sent_at = gc_args_int64_at(0, 8);
		part->job_id = gc_query_text(&query, 0, 9);
		part->chunks = (Oid) gc_args_int64_at(0, 10);
	}
	gc_query_end(&query);
	return part;
}

void
gc_part_accept(int64 id, int part, const char *job_id)
{
	GcArgs args = {0};

	gc_args_int64(&args, id);
	gc_args_add(&args, INT4OID, Int32GetDatum(part));
	gc_args_text(&args, job_id);
	(void) gc_args_run_alone("UPDATE gc_fdw.import_parts SET state = 'accepted', job_id = $3 "
							 "WHERE import_id = $1 AND part = $2",
							 &args);
}
