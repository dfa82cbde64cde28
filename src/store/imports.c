/*
 * store/imports.c
 *	  Imports as the extension keeps them: gc_fdw.import_queue and import_parts.
 */
#include "postgres.h"

#include "store/import_end.h"
#include "store/import_wake.h"
#include "store/imports.h"
#include "store/place.h"
#include "store/query_args.h"

#include "miscadmin.h"

/* Of an import q: what a worker can take up.  $1 and $2 are the place and the database. */
#define CAN_BE_SENT                                                                           \
	"(q.state IN ('staged', 'running') OR q.state = 'paused' AND "                            \
	" q.retry_at <= pg_catalog.clock_timestamp()) AND q.system_identifier = $1 AND "          \
	"q.database_oid = $2"

/* Somebody has paused its list or server; the view imports says it the same way. */
#define IS_HELD                                                                               \
	"EXISTS (SELECT FROM gc_fdw.import_pauses h WHERE h.list_id = q.list_id OR "              \
	" h.list_id IS NULL AND h.server = q.server AND (h.list_name IS NULL OR "                 \
	"  pg_catalog.lower(h.list_name) = pg_catalog.lower(q.list_name)))"

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
run_alone(const char *command, GcArgs *args)
{
	GcQuery query;
	uint64 rows;

	begin(&query);
	rows = gc_args_run(command, args);
	gc_query_end(&query);
	return rows;
}

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

	begin(&query);
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
	(void) run_alone("UPDATE gc_fdw.import_queue SET rows_total = $2, rows_rejected = $3, "
					 " method = $4 WHERE id = $1",
					 &args);
}

/* ---- sending ---- */

List *
gc_import_waiting(void)
{
	GcArgs args = {0};
	List *ids = NIL;
	MemoryContext caller_cxt = CurrentMemoryContext;
	GcQuery query;
	uint64 rows;

	begin(&query);
	gc_args_text(&args, gc_place());
	gc_args_add(&args, OIDOID, ObjectIdGetDatum(MyDatabaseId));
	rows = gc_args_run("SELECT id FROM gc_fdw.import_queue q WHERE " CAN_BE_SENT
					   " AND NOT " IS_HELD " ORDER BY id",
					   &args);
	for (uint64 row = 0; row < rows; row++)
	{
		MemoryContext spi_cxt = MemoryContextSwitchTo(caller_cxt);
		int64 *id = palloc(sizeof(int64));

		*id = gc_args_int64_at(row, 1);
		ids = lappend(ids, id);
		MemoryContextSwitchTo(spi_cxt);
	}
	gc_query_end(&query);
	return ids;
}

TimestampTz
gc_import_next_due(void)
{
	GcArgs args = {0};
	GcQuery query;
	TimestampTz due = 0;

	begin(&query);
	gc_args_text(&args, gc_place());
	gc_args_add(&args, OIDOID, ObjectIdGetDatum(MyDatabaseId));
	if (gc_args_run("SELECT pg_catalog.min(retry_at) FROM gc_fdw.import_queue q "
					"WHERE state = 'paused' AND system_identifier = $1 AND database_oid = $2 "
					" AND NOT " IS_HELD,
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

	begin(&query);
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
	return run_alone("UPDATE gc_fdw.import_queue SET state = 'running', "
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

static void
add_part(GcArgs *args, int64 id, int part)
{
	gc_args_int64(args, id);
	gc_args_add(args, INT4OID, Int32GetDatum(part));
}

GcPart *
gc_part_begin(int64 id)
{
	GcArgs args = {0};
	GcPart *part = NULL;
	GcQuery query;

	begin(&query);
	gc_args_int64(&args, id);
	if (gc_args_run(
			"WITH next AS MATERIALIZED (SELECT n.part FROM gc_fdw.import_parts n "
			" JOIN gc_fdw.import_queue q ON q.id = n.import_id "
			" WHERE n.import_id = $1 AND n.state IN ('staged', 'sending', 'accepted') AND "
			"  q.state = 'running' AND NOT q.cancelling AND NOT " IS_HELD
			" ORDER BY n.part LIMIT 1 FOR UPDATE OF n) "
			"UPDATE gc_fdw.import_parts p SET state = 'sending', attempts = attempts + 1, "
			" sent_at = pg_catalog.clock_timestamp() "
			"FROM next WHERE p.import_id = $1 AND p.part = next.part "
			"RETURNING p.part::bigint, p.rows, p.bytes, p.attempts::bigint, p.method, "
			"p.skips, "
			"pg_catalog.encode(p.sha256, 'hex')",
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
	}
	gc_query_end(&query);
	return part;
}

/* ---- what is there already ---- */

List *
gc_parts_list(int64 id)
{
	GcArgs args = {0};
	List *parts = NIL;
	GcQuery query;
	uint64 rows;

	begin(&query);
	gc_args_int64(&args, id);
	rows = gc_args_run("SELECT part::bigint, rows, method FROM gc_fdw.import_parts "
					   "WHERE import_id = $1 ORDER BY part",
					   &args);
	for (uint64 row = 0; row < rows; row++)
	{
		GcPart *part = MemoryContextAllocZero(query.cxt, sizeof(GcPart));
		MemoryContext spi_cxt = MemoryContextSwitchTo(query.cxt);

		part->part = gc_args_int64_at(row, 1);
		part->rows = gc_args_int64_at(row, 2);
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
	GcArgs args = {0};

	add_part(&args, id, part);
	gc_args_add(
		&args, BYTEAOID,
		PointerGetDatum(cstring_to_text_with_len((const char *) skips, (rows + 7) / 8)));
	(void) run_alone("UPDATE gc_fdw.import_parts SET skips = $3 "
					 "WHERE import_id = $1 AND part = $2",
					 &args);
}

void
gc_import_checked(int64 id, int64 requests)
{
	GcArgs args = {0};

	gc_args_int64(&args, id);
	gc_args_int64(&args, requests);
	(void) run_alone("UPDATE gc_fdw.import_queue SET requests = requests + $2, "
					 " checked_at = pg_catalog.clock_timestamp() WHERE id = $1",
					 &args);
}

/* ---- what parts come to ---- */

static void
settle_part(int64 id, int part, const GcPartResult *result)
{
	GcArgs args = {0};

	add_part(&args, id, part);
	gc_args_text(&args, result->state);
	gc_args_int64(&args, result->accepted);
	gc_args_int64(&args, result->rejected);
	gc_args_text(&args, result->correlation_id);
	gc_args_text(&args, result->failure_code);
	gc_args_text(&args, result->failure_reason);
	(void) gc_args_run("UPDATE gc_fdw.import_parts SET state = $3, rows_accepted = $4, "
					   " rows_rejected = $5, correlation_id = $6, failure_code = $7, "
					   " failure_reason = $8, settled_at = pg_catalog.clock_timestamp() "
					   "WHERE import_id = $1 AND part = $2",
					   &args);
}

static void
count_part(int64 id, const GcPartResult *result)
{
	GcArgs args = {0};

	gc_args_int64(&args, id);
	gc_args_int64(&args, result->accepted);
	gc_args_int64(&args, result->rejected);
	gc_args_int64(&args, result->skipped);
	gc_args_int64(&args, result->in_doubt);
	gc_args_int64(&args, result->requests);
	(void) gc_args_run(
		"UPDATE gc_fdw.import_queue SET rows_accepted = rows_accepted + $2, "
		" rows_rejected = rows_rejected + $3, rows_skipped = rows_skipped + $4, "
		" rows_in_doubt = $5, requests = requests + $6, retries = 0 WHERE id = $1",
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
		GcArgs args = {0};

		add_part(&args, id, part);
		(void) gc_args_run(
			"DELETE FROM gc_fdw.import_chunks WHERE import_id = $1 AND part = $2", &args);
	}
	gc_query_end(&query);
}

/* ---- ends ---- */

/* Listeners and who waits are told what has become of it, if that is an end or a pause. */
static void
tell(int64 id)
{
	GcArgs args = {0};

	gc_args_int64(&args, id);
	(void) gc_args_run(
		"SELECT pg_catalog.pg_notify('gc_fdw_imports', id || ' ' || state) "
		"FROM gc_fdw.import_queue WHERE id = $1 AND state NOT IN ('staged', 'running')",
		&args);
	gc_import_changed();
}

/* No more of it is sent; what may have been is in doubt. */
static void
cancel_parts(int64 id)
{
	GcArgs args = {0};

	gc_args_int64(&args, id);
	(void) gc_args_run(
		"UPDATE gc_fdw.import_queue SET rows_in_doubt = (SELECT "
		" coalesce(pg_catalog.sum(rows), 0)::bigint FROM gc_fdw.import_parts "
		" WHERE import_id = $1 AND state IN ('sending', 'accepted')) WHERE id = $1",
		&args);
	(void) gc_args_run("UPDATE gc_fdw.import_parts SET state = 'cancelled', "
					   " settled_at = pg_catalog.clock_timestamp() "
					   "WHERE import_id = $1 AND state IN ('staged', 'sending', 'accepted')",
					   &args);
}

/* Done, failed or cancelled, as its parts are, if they are all settled. */
static void
settle(int64 id)
{
	GcArgs args = {0};

	gc_args_int64(&args, id);
	if (gc_args_run(
			"UPDATE gc_fdw.import_queue q SET ended_at = pg_catalog.clock_timestamp(), "
			" retry_at = NULL, state = CASE WHEN p.failed THEN 'failed' "
			"  WHEN p.cancelled OR q.cancelling AND p.none THEN 'cancelled' ELSE 'done' END "
			"FROM (SELECT coalesce(pg_catalog.bool_or(state = 'failed'), false) AS failed, "
			"  coalesce(pg_catalog.bool_or(state = 'cancelled'), false) AS cancelled, "
			"  pg_catalog.count(*) = 0 AS none, coalesce(pg_catalog.bool_and("
			"   state IN ('done', 'failed', 'cancelled')), true) AS over "
			" FROM gc_fdw.import_parts WHERE import_id = $1) AS p "
			"WHERE q.id = $1 AND q.state IN ('staged', 'running', 'paused') AND p.over",
			&args) > 0)
	{
		gc_import_ended(id);
		tell(id);
	}
}

/* Its list or server is paused: it waits, as if nothing of it had been under way. */
static void
hold_back(int64 id)
{
	GcArgs args = {0};

	gc_args_int64(&args, id);
	if (gc_args_run("UPDATE gc_fdw.import_queue q SET state = 'staged' "
					"WHERE id = $1 AND state = 'running' AND " IS_HELD,
					&args) > 0)
		gc_import_changed();
}

static bool
is_cancelling(int64 id)
{
	GcArgs args = {0};

	gc_args_int64(&args, id);
	return gc_args_run("SELECT FROM gc_fdw.import_queue WHERE id = $1 AND cancelling", &args) >
		   0;
}

void
gc_import_cancel_now(int64 id)
{
	GcQuery query;

	begin(&query);
	cancel_parts(id);
	settle(id);
	gc_query_end(&query);
}

void
gc_import_settle(int64 id)
{
	GcQuery query;

	begin(&query);
	if (is_cancelling(id))
		cancel_parts(id);
	settle(id);
	hold_back(id);
	gc_query_end(&query);
}

static void
add_failure(GcArgs *args, int64 id, const GcImportFailure *failure)
{
	gc_args_int64(args, id);
	gc_args_text(args, failure->code);
	gc_args_text(args, failure->reason);
}

/* It ends with the part that is at work; what follows is not sent. */
static void
fail(int64 id, const GcImportFailure *failure)
{
	GcArgs args = {0};

	add_failure(&args, id, failure);
	gc_args_int64(&args, failure->accepted);
	(void) gc_args_run(
		"UPDATE gc_fdw.import_parts SET failure_code = $2, failure_reason = $3, "
		" rows_accepted = $4, state = 'failed', "
		" settled_at = pg_catalog.clock_timestamp() "
		"WHERE import_id = $1 AND state IN ('sending', 'accepted')",
		&args);
	cancel_parts(id);
	gc_args_int64(&args, failure->in_doubt);
	(void) gc_args_run(
		"UPDATE gc_fdw.import_queue SET failure_code = $2, failure_reason = $3, "
		" rows_accepted = rows_accepted + $4, rows_in_doubt = $5 WHERE id = $1",
		&args);
	settle(id);
}

/* It can go on some day: by itself, or when somebody has seen to the reason. */
static void
pause_for(int64 id, const GcImportFailure *failure)
{
	GcArgs args = {0};

	add_failure(&args, id, failure);
	gc_args_add(&args, BOOLOID, BoolGetDatum(failure->passes));
	if (gc_args_run("UPDATE gc_fdw.import_queue SET state = 'paused', failure_code = $2, "
					" failure_reason = $3, retries = retries + 1, retry_at = CASE WHEN $4 "
					"  THEN pg_catalog.clock_timestamp() + '1 min'::interval * "
					"   least(30, pg_catalog.power(2, least(retries, 5))) END, "
					" rows_in_doubt = (SELECT coalesce(pg_catalog.sum(rows), 0)::bigint "
					"  FROM gc_fdw.import_parts WHERE import_id = $1 AND "
					"   state IN ('sending', 'accepted')) "
					"WHERE id = $1 AND state IN ('staged', 'running')",
					&args) > 0)
		tell(id);
}

void
gc_import_stop(int64 id, const GcImportFailure *failure)
{
	GcQuery query;

	begin(&query);
	if (failure->is_final)
		fail(id, failure);
	else if (is_cancelling(id))
	{
		cancel_parts(id);
		settle(id);
	}
	else
		pause_for(id, failure);
	gc_query_end(&query);
}

void
gc_import_fail(int64 id, const char *failure_code, const char *failure_reason)
{
	const GcImportFailure failure = {.code = failure_code, .reason = failure_reason};
	GcArgs args = {0};
	GcQuery query;

	begin(&query);
	add_failure(&args, id, &failure);
	if (gc_args_run("UPDATE gc_fdw.import_queue SET state = 'failed', failure_code = $2, "
					" failure_reason = $3, ended_at = pg_catalog.clock_timestamp() "
					"WHERE id = $1 AND state = 'running'",
					&args) > 0)
	{
		(void) gc_args_run(
			"UPDATE gc_fdw.import_parts SET state = 'failed', failure_code = $2, "
			" failure_reason = $3, settled_at = pg_catalog.clock_timestamp() "
			"WHERE import_id = $1 AND state = 'staged'",
			&args);
		gc_import_ended(id);
		tell(id);
	}
	gc_query_end(&query);
}
