/*
 * store/import_settle.c
 *	  What parts and imports come to: they are settled, paused, failed, cancelled.
 */
#include "postgres.h"

#include "store/import_end.h"
#include "store/import_held.h"
#include "store/import_wake.h"
#include "store/imports.h"
#include "store/query_args.h"

/* ---- what parts come to ---- */

static void
add_part(GcArgs *args, int64 id, int part)
{
	gc_args_int64(args, id);
	gc_args_add(args, INT4OID, Int32GetDatum(part));
}

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
	gc_args_text(&args, result->sha256);
	(void) gc_args_run("UPDATE gc_fdw.import_parts SET state = $3, rows_accepted = $4, "
					   " sha256 = coalesce(pg_catalog.decode($9, 'hex'), sha256), "
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

	gc_query_begin_or_throw(&query);
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
					"WHERE id = $1 AND state = 'running' AND " GC_IMPORT_IS_HELD,
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

	gc_query_begin_or_throw(&query);
	cancel_parts(id);
	settle(id);
	gc_query_end(&query);
}

void
gc_import_settle(int64 id)
{
	GcQuery query;

	gc_query_begin_or_throw(&query);
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
	gc_args_int64(&args, failure->rejected);
	(void) gc_args_run(
		"UPDATE gc_fdw.import_parts SET failure_code = $2, failure_reason = $3, "
		" rows_accepted = $4, rows_rejected = $5, state = 'failed', "
		" settled_at = pg_catalog.clock_timestamp() "
		"WHERE import_id = $1 AND state IN ('sending', 'accepted')",
		&args);
	cancel_parts(id);
	gc_args_int64(&args, failure->in_doubt);
	gc_args_int64(&args, failure->requests);
	(void) gc_args_run(
		"UPDATE gc_fdw.import_queue SET failure_code = $2, failure_reason = $3, "
		" requests = requests + $7, "
		" rows_accepted = rows_accepted + $4, rows_rejected = rows_rejected + $5, "
		" rows_in_doubt = $6 WHERE id = $1",
		&args);
	settle(id);
}

/* A part that was about to be sent, and was not. */
static void
take_back(int64 id)
{
	GcArgs args = {0};

	gc_args_int64(&args, id);
	(void) gc_args_run("UPDATE gc_fdw.import_parts SET state = 'staged', sent_at = NULL, "
					   " attempts = attempts - 1 WHERE import_id = $1 AND state = 'sending'",
					   &args);
}

/* It can go on some day: by itself, or when somebody has seen to the reason. */
static void
pause_for(int64 id, const GcImportFailure *failure)
{
	GcArgs args = {0};

	add_failure(&args, id, failure);
	gc_args_add(&args, BOOLOID, BoolGetDatum(failure->passes));
	gc_args_int64(&args, failure->requests);
	if (failure->is_untouched)
		take_back(id);
	if (gc_args_run("UPDATE gc_fdw.import_queue SET state = 'paused', failure_code = $2, "
					" requests = requests + $5, "
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

	gc_query_begin_or_throw(&query);
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

	gc_query_begin_or_throw(&query);
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
