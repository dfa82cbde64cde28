/*
 * store/imports.c
 *	  Imports as the extension keeps them: gc_fdw.import_queue and import_parts.
 */
#include "postgres.h"

#include "store/import_end.h"
#include "store/imports.h"
#include "store/place.h"
#include "store/query.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

/* Values of one command. */
typedef struct Args
{
	int count;
	Oid types[24];
	Datum values[24];
	char nulls[24];
} Args;

static void
add(Args *args, Oid type, Datum value)
{
	args->types[args->count] = type;
	args->values[args->count] = value;
	args->nulls[args->count++] = ' ';
}

static void
add_text(Args *args, const char *string)
{
	add(args, TEXTOID, string ? CStringGetTextDatum(string) : (Datum) 0);
	if (string == NULL)
		args->nulls[args->count - 1] = 'n';
}

static void
add_int64(Args *args, int64 number)
{
	add(args, INT8OID, Int64GetDatum(number));
}

static uint64
run(const char *command, Args *args)
{
	return gc_query_run(command, args->count, args->types, args->values, args->nulls);
}

/* In a transaction of a worker or of whoever submits; the extension must be there. */
static void
begin(GcQuery *query)
{
	if (!gc_query_begin(query))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("there is no extension gc_fdw in this database")));
}

/* A command of its own. */
static uint64
run_alone(const char *command, Args *args)
{
	GcQuery query;
	uint64 rows;

	begin(&query);
	rows = run(command, args);
	gc_query_end(&query);
	return rows;
}

static int64
get_int64(uint64 row, int column)
{
	bool isnull;
	Datum value =
		SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

static int64
get_id(uint64 rows)
{
	return rows > 0 ? get_int64(0, 1) : 0;
}

/* ---- submitting ---- */

static void
add_import(Args *args, const GcImport *import)
{
	add_text(args, import->list_id);
	add_text(args, import->list_name);
	add_text(args, import->server);
	add_text(args, import->relation);
	add_text(args, import->submitted_by);
	add_text(args, import->method);
	add_text(args, import->on_duplicate);
	add_text(args, import->verification);
	add_text(args, import->import_key);
	add_text(args, import->campaign_id);
	add_text(args, import->webhook_url);
	add_text(args, import->options);
	add_text(args, gc_place());
	add(args, OIDOID, ObjectIdGetDatum(MyDatabaseId));
	add_text(args, import->run_as);
}

static int64
find_by_key(const GcImport *import)
{
	Args args = {0};

	add_text(&args, import->list_id);
	add_text(&args, import->import_key);
	return get_id(gc_query_look("SELECT id FROM gc_fdw.import_queue WHERE list_id = $1 AND "
								"import_key = $2 AND state NOT IN ('failed', 'cancelled')",
								args.count, args.types, args.values));
}

int64
gc_import_create(const GcImport *import, bool *is_new)
{
	Args args = {0};
	GcQuery query;
	int64 id;

	begin(&query);
	add_import(&args, import);
	id = get_id(run(
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
	Args args = {0};

	add_int64(&args, id);
	add_int64(&args, rows + rejected);
	add_int64(&args, rejected);
	add_text(&args, method);
	(void) run_alone("UPDATE gc_fdw.import_queue SET rows_total = $2, rows_rejected = $3, "
					 " method = $4 WHERE id = $1",
					 &args);
}

/* ---- by whoever submitted it ---- */

bool
gc_import_resume(int64 id)
{
	Args args = {0};

	add_int64(&args, id);
	add_text(&args, gc_place());
	add(&args, OIDOID, ObjectIdGetDatum(MyDatabaseId));
	return run_alone(
			   "UPDATE gc_fdw.import_queue SET system_identifier = $2, database_oid = $3, "
			   " state = CASE state WHEN 'paused' THEN 'staged' ELSE state END "
			   "WHERE id = $1 AND state IN ('staged', 'running', 'paused')",
			   &args) > 0;
}

bool
gc_import_cancel(int64 id)
{
	Args args = {0};
	GcQuery query;
	bool any;

	begin(&query);
	add_int64(&args, id);
	(void) run("UPDATE gc_fdw.import_parts SET state = 'cancelled', "
			   " settled_at = pg_catalog.clock_timestamp() "
			   "WHERE import_id = $1 AND state = 'staged'",
			   &args);
	any = run("UPDATE gc_fdw.import_queue q SET state = 'cancelled', "
			  " ended_at = pg_catalog.clock_timestamp() "
			  "WHERE id = $1 AND state IN ('staged', 'running', 'paused') AND NOT EXISTS ("
			  " SELECT FROM gc_fdw.import_parts p WHERE p.import_id = q.id AND "
			  "  p.state IN ('sending', 'accepted'))",
			  &args) > 0;
	gc_query_end(&query);
	if (any)
		gc_import_ended(id);
	return any;
}

/* ---- sending ---- */

List *
gc_import_waiting(void)
{
	Args args = {0};
	List *ids = NIL;
	MemoryContext caller_cxt = CurrentMemoryContext;
	GcQuery query;
	uint64 rows;

	begin(&query);
	add_text(&args, gc_place());
	add(&args, OIDOID, ObjectIdGetDatum(MyDatabaseId));
	rows = run("SELECT id FROM gc_fdw.import_queue WHERE state IN ('staged', 'running') AND "
			   "system_identifier = $1 AND database_oid = $2 ORDER BY id",
			   &args);
	for (uint64 row = 0; row < rows; row++)
	{
		MemoryContext spi_cxt = MemoryContextSwitchTo(caller_cxt);
		int64 *id = palloc(sizeof(int64));

		*id = get_int64(row, 1);
		ids = lappend(ids, id);
		MemoryContextSwitchTo(spi_cxt);
	}
	gc_query_end(&query);
	return ids;
}

GcImport *
gc_import_read(int64 id)
{
	GcImport *import = palloc0(sizeof(GcImport));
	Args args = {0};
	GcQuery query;
	bool found;

	begin(&query);
	add_int64(&args, id);
	found = run("SELECT list_id, list_name, server, relation, submitted_by, state, method, "
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
		import->rows_total = get_int64(0, lengthof(texts) + 1);
		import->rows_rejected = get_int64(0, lengthof(texts) + 2);
		import->is_checked = get_int64(0, lengthof(texts) + 3) != 0;
	}
	gc_query_end(&query);
	return found ? import : NULL;
}

bool
gc_import_begin(int64 id)
{
	Args args = {0};

	add_int64(&args, id);
	return run_alone("UPDATE gc_fdw.import_queue SET state = 'running', "
					 " started_at = coalesce(started_at, pg_catalog.clock_timestamp()), "
					 " failure_code = NULL, failure_reason = NULL "
					 "WHERE id = $1 AND state IN ('staged', 'running')",
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

static void
add_part(Args *args, int64 id, int part)
{
	add_int64(args, id);
	add(args, INT4OID, Int32GetDatum(part));
}

GcPart *
gc_part_begin(int64 id)
{
	Args args = {0};
	GcPart *part = NULL;
	GcQuery query;

	begin(&query);
	add_int64(&args, id);
	if (run("WITH next AS MATERIALIZED (SELECT n.part FROM gc_fdw.import_parts n "
			" JOIN gc_fdw.import_queue q ON q.id = n.import_id "
			" WHERE n.import_id = $1 AND n.state IN ('staged', 'sending', 'accepted') AND "
			"  q.state = 'running' ORDER BY n.part LIMIT 1 FOR UPDATE OF n) "
			"UPDATE gc_fdw.import_parts p SET state = 'sending', attempts = attempts + 1, "
			" sent_at = pg_catalog.clock_timestamp() "
			"FROM next WHERE p.import_id = $1 AND p.part = next.part "
			"RETURNING p.part::bigint, p.rows, p.bytes, p.attempts::bigint, p.method, "
			"p.skips, "
			"pg_catalog.encode(p.sha256, 'hex')",
			&args) > 0)
	{
		part = MemoryContextAllocZero(query.cxt, sizeof(GcPart));
		part->part = get_int64(0, 1);
		part->rows = get_int64(0, 2);
		part->bytes = get_int64(0, 3);
		part->attempts = get_int64(0, 4) - 1;
		part->method = gc_query_text(&query, 0, 5);
		part->skips = get_bits(&query, 6);
		part->sha256 = gc_query_text(&query, 0, 7);
	}
	gc_query_end(&query);
	return part;
}

/* ---- what is there already ---- */

List *
gc_parts_list(int64 id)
{
	Args args = {0};
	List *parts = NIL;
	GcQuery query;
	uint64 rows;

	begin(&query);
	add_int64(&args, id);
	rows = run("SELECT part::bigint, rows, method FROM gc_fdw.import_parts "
			   "WHERE import_id = $1 ORDER BY part",
			   &args);
	for (uint64 row = 0; row < rows; row++)
	{
		GcPart *part = MemoryContextAllocZero(query.cxt, sizeof(GcPart));
		MemoryContext spi_cxt = MemoryContextSwitchTo(query.cxt);

		part->part = get_int64(row, 1);
		part->rows = get_int64(row, 2);
		part->method = gc_query_text(&query, row, 3);
		parts = lappend(parts, part);
		MemoryContextSwitchTo(spi_cxt);
	}
	gc_query_end(&query);
	return parts;
}

void
gc_part_skip(int64 id, int part, const uint8 *skips, int64 rows)
{
	Args args = {0};

	add_part(&args, id, part);
	add(&args, BYTEAOID,
		PointerGetDatum(cstring_to_text_with_len((const char *) skips, (rows + 7) / 8)));
	(void) run_alone("UPDATE gc_fdw.import_parts SET skips = $3 "
					 "WHERE import_id = $1 AND part = $2",
					 &args);
}

void
gc_import_checked(int64 id, int64 requests)
{
	Args args = {0};

	add_int64(&args, id);
	add_int64(&args, requests);
	(void) run_alone("UPDATE gc_fdw.import_queue SET requests = requests + $2, "
					 " checked_at = pg_catalog.clock_timestamp() WHERE id = $1",
					 &args);
}

void
gc_import_fail(int64 id, const char *failure_code, const char *failure_reason)
{
	Args args = {0};
	GcQuery query;
	uint64 any;

	begin(&query);
	add_int64(&args, id);
	add_text(&args, failure_code);
	add_text(&args, failure_reason);
	any = run("UPDATE gc_fdw.import_queue SET state = 'failed', failure_code = $2, "
			  " failure_reason = $3, ended_at = pg_catalog.clock_timestamp() "
			  "WHERE id = $1 AND state = 'running'",
			  &args);
	if (any > 0)
		(void) run("UPDATE gc_fdw.import_parts SET state = 'failed', failure_code = $2, "
				   " failure_reason = $3, settled_at = pg_catalog.clock_timestamp() "
				   "WHERE import_id = $1 AND state = 'staged'",
				   &args);
	gc_query_end(&query);
	if (any > 0)
		gc_import_ended(id);
}

/* ---- what parts come to ---- */

static void
settle_part(int64 id, int part, const GcPartResult *result)
{
	Args args = {0};

	add_part(&args, id, part);
	add_text(&args, result->state);
	add_int64(&args, result->accepted);
	add_int64(&args, result->rejected);
	add_text(&args, result->correlation_id);
	add_text(&args, result->failure_code);
	add_text(&args, result->failure_reason);
	(void) run("UPDATE gc_fdw.import_parts SET state = $3, rows_accepted = $4, "
			   " rows_rejected = $5, correlation_id = $6, failure_code = $7, "
			   " failure_reason = $8, settled_at = pg_catalog.clock_timestamp() "
			   "WHERE import_id = $1 AND part = $2",
			   &args);
}

static void
count_part(int64 id, const GcPartResult *result)
{
	Args args = {0};

	add_int64(&args, id);
	add_int64(&args, result->accepted);
	add_int64(&args, result->rejected);
	add_int64(&args, result->skipped);
	add_int64(&args, result->in_doubt);
	add_int64(&args, result->requests);
	(void) run("UPDATE gc_fdw.import_queue SET rows_accepted = rows_accepted + $2, "
			   " rows_rejected = rows_rejected + $3, rows_skipped = rows_skipped + $4, "
			   " rows_in_doubt = $5, requests = requests + $6 WHERE id = $1",
			   &args);
}

void
gc_part_settle(int64 id, int part, const GcPartResult *result)
{
	GcQuery query;

	begin(&query);
	settle_part(id, part, result);
	count_part(id, result);
	if (strcmp(result->state, "done") == 0)
	{
		Args args = {0};

		add_part(&args, id, part);
		(void) run("DELETE FROM gc_fdw.import_chunks WHERE import_id = $1 AND part = $2",
				   &args);
	}
	gc_query_end(&query);
}

void
gc_import_settle(int64 id)
{
	Args args = {0};
	uint64 ended;

	add_int64(&args, id);
	ended = run_alone(
		"UPDATE gc_fdw.import_queue q SET ended_at = pg_catalog.clock_timestamp(), "
		" state = CASE WHEN p.failed THEN 'failed' WHEN p.cancelled THEN 'cancelled' "
		"  ELSE 'done' END "
		"FROM (SELECT coalesce(pg_catalog.bool_or(state = 'failed'), false) AS failed, "
		"  coalesce(pg_catalog.bool_or(state = 'cancelled'), false) AS cancelled, "
		"  coalesce(pg_catalog.bool_and(state IN ('done', 'failed', 'cancelled')), true) AS "
		"over "
		" FROM gc_fdw.import_parts WHERE import_id = $1) AS p "
		"WHERE q.id = $1 AND q.state = 'running' AND p.over",
		&args);
	if (ended > 0)
		gc_import_ended(id);
}

void
gc_import_pause(int64 id, const char *failure_code, const char *failure_reason)
{
	Args args = {0};

	add_int64(&args, id);
	add_text(&args, failure_code);
	add_text(&args, failure_reason);
	(void) run_alone("UPDATE gc_fdw.import_queue SET state = 'paused', failure_code = $2, "
					 " failure_reason = $3 WHERE id = $1 AND state = 'running'",
					 &args);
}
