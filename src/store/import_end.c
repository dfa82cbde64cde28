/*
 * store/import_end.c
 *	  What comes with the end of an import: its audit row, and what is to be done after it.
 */
#include "postgres.h"

#include "store/import_end.h"
#include "store/job.h"
#include "store/place.h"
#include "store/query.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

int gc_keep_payloads = 7 * SECS_PER_DAY;

static uint64
run_for(const char *command, int64 id)
{
	Oid type = INT8OID;
	Datum value = Int64GetDatum(id);

	return gc_query_run(command, 1, &type, &value, NULL);
}

static void
write_audit(int64 id)
{
	(void) run_for(
		"INSERT INTO gc_fdw.audit_log (at, by_role, application_name, operation, list_id, "
		" source_id, status, latency_ms, total, accepted, in_doubt, rejected, success_rate, "
		" requests, correlation_id, statements) "
		"SELECT q.ended_at, q.submitted_by, pg_catalog.current_setting('application_name'), "
		" 'IMPORT', q.list_id, q.id, "
		" CASE q.state WHEN 'done' THEN 'completed' ELSE q.state END, "
		" coalesce(extract(epoch FROM q.ended_at - q.started_at) * 1000, 0)::float8, "
		" q.rows_total, q.rows_accepted, q.rows_in_doubt, q.rows_rejected, "
		" coalesce(round(100.0 * q.rows_accepted / nullif(q.rows_total, 0), 2), 0), "
		" q.requests, (SELECT p.correlation_id FROM gc_fdw.import_parts p "
		"  WHERE p.import_id = q.id AND p.correlation_id IS NOT NULL "
		"  ORDER BY p.settled_at DESC, p.part DESC LIMIT 1), 1 "
		"FROM gc_fdw.import_queue q WHERE q.id = $1",
		id);
}

static bool
add_tasks(int64 id)
{
	uint64 tasks =
		run_for("INSERT INTO gc_fdw.import_tasks (import_id, task, state, next_attempt) "
				"SELECT q.id, t.task, 'pending', pg_catalog.clock_timestamp() "
				"FROM gc_fdw.import_queue q, "
				" LATERAL (VALUES ('campaign', q.campaign_id IS NOT NULL AND q.state = "
				"'done'), ('webhook', q.webhook_url IS NOT NULL)) AS t (task, wanted) "
				"WHERE q.id = $1 AND t.wanted",
				id);
	(void) run_for("UPDATE gc_fdw.import_queue SET webhook_state = 'pending' "
				   "WHERE id = $1 AND webhook_url IS NOT NULL",
				   id);
	return tasks > 0;
}

void
gc_import_ended(int64 id)
{
	GcQuery query;
	bool tasks;

	gc_query_begin_or_throw(&query);
	write_audit(id);
	tasks = add_tasks(id);
	gc_query_end(&query);
	/* With none to be had, whoever sends other imports sees to it. */
	if (tasks)
		gc_job_imports_at_commit();
}

void
gc_import_drop_payloads(void)
{
	Oid type = INT4OID;
	Datum value = Int32GetDatum(gc_keep_payloads);
	GcQuery query;

	gc_query_begin_or_throw(&query);
	(void) gc_query_run(
		"DELETE FROM gc_fdw.import_chunks WHERE import_id IN ("
		" SELECT id FROM gc_fdw.import_queue WHERE state IN ('done', 'failed', 'cancelled') "
		" AND ended_at <= pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => "
		"$1))",
		1, &type, &value, NULL);
	gc_query_end(&query);
}

/* ---- what is to be done ---- */

static int64
get_int64(int column)
{
	bool isnull;

	return DatumGetInt64(
		SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull));
}

GcTask *
gc_task_take(int lease)
{
	static const Oid types[] = {TEXTOID, OIDOID, INT4OID};
	Datum values[] = {CStringGetTextDatum(gc_place()), ObjectIdGetDatum(MyDatabaseId),
					  Int32GetDatum(lease)};
	GcTask *task = NULL;
	GcQuery query;

	gc_query_begin_or_throw(&query);
	if (gc_query_run(
			"WITH next AS MATERIALIZED (SELECT n.import_id, n.task FROM gc_fdw.import_tasks n "
			" JOIN gc_fdw.import_queue q ON q.id = n.import_id "
			" WHERE n.state = 'pending' AND n.next_attempt <= pg_catalog.clock_timestamp() "
			"  AND q.system_identifier = $1 AND q.database_oid = $2 "
			" ORDER BY n.next_attempt LIMIT 1 FOR UPDATE OF n SKIP LOCKED) "
			"UPDATE gc_fdw.import_tasks t SET attempts = attempts + 1, next_attempt = "
			" pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $3) "
			"FROM next WHERE t.import_id = next.import_id AND t.task = next.task "
			"RETURNING t.import_id, t.task, t.attempts::bigint",
			lengthof(types), types, values, NULL) > 0)
	{
		task = MemoryContextAlloc(query.cxt, sizeof(GcTask));
		task->import_id = get_int64(1);
		task->name = gc_query_text(&query, 0, 2);
		task->attempts = get_int64(3);
	}
	gc_query_end(&query);
	return task;
}

/* The import shows the state of its webhook, and why its campaign was not restarted. */
static void
end_attempt(const GcTask *task, const char *state, const char *reason, double retry_after)
{
	static const Oid types[] = {INT8OID, TEXTOID, TEXTOID, TEXTOID, FLOAT8OID};
	Datum values[] = {Int64GetDatum(task->import_id), CStringGetTextDatum(task->name),
					  CStringGetTextDatum(state),
					  reason ? CStringGetTextDatum(reason) : (Datum) 0,
					  Float8GetDatum(retry_after)};
	char nulls[] = {' ', ' ', ' ', reason ? ' ' : 'n', ' '};
	GcQuery query;

	gc_query_begin_or_throw(&query);
	(void) gc_query_run("UPDATE gc_fdw.import_tasks SET state = $3, failure_reason = $4, "
						" ended_at = CASE WHEN $3 <> 'pending' THEN "
						"  pg_catalog.clock_timestamp() END, "
						" next_attempt = pg_catalog.clock_timestamp() + "
						"  pg_catalog.make_interval(secs => $5) "
						"WHERE import_id = $1 AND task = $2 AND state = 'pending'",
						lengthof(types), types, values, nulls);
	(void) gc_query_run(
		"UPDATE gc_fdw.import_queue SET "
		" webhook_state = CASE $2 WHEN 'webhook' THEN $3 ELSE webhook_state END, "
		" failure_reason = CASE $2 WHEN 'campaign' THEN $4 ELSE failure_reason "
		"END WHERE id = $1",
		lengthof(types) - 1, types, values, nulls);
	gc_query_end(&query);
}

void
gc_task_done(const GcTask *task)
{
	end_attempt(task, "done", NULL, 0);
}

void
gc_task_failed(const GcTask *task, const char *reason, double retry_after)
{
	end_attempt(task, retry_after < 0 ? "failed" : "pending", reason, Max(retry_after, 0));
}

TimestampTz
gc_task_next(void)
{
	static const Oid types[] = {TEXTOID, OIDOID};
	Datum values[] = {CStringGetTextDatum(gc_place()), ObjectIdGetDatum(MyDatabaseId)};
	TimestampTz next = DT_NOEND;
	GcQuery query;

	gc_query_begin_or_throw(&query);
	if (gc_query_look("SELECT n.next_attempt FROM gc_fdw.import_tasks n "
					  "JOIN gc_fdw.import_queue q ON q.id = n.import_id "
					  "WHERE n.state = 'pending' AND q.system_identifier = $1 AND "
					  " q.database_oid = $2 ORDER BY n.next_attempt LIMIT 1",
					  lengthof(types), types, values) > 0)
		next = DatumGetTimestampTz((Datum) get_int64(1));
	gc_query_end(&query);
	return next;
}

/*
 * The hash is that of the part's payload; of several parts, of their hashes one after the
 * other.
 */
char *
gc_import_summary(int64 id)
{
	GcQuery query;
	char *summary = NULL;

	gc_query_begin_or_throw(&query);
	if (run_for(
			"SELECT pg_catalog.row_to_json(s) FROM (SELECT q.list_id AS \"contactListId\", "
			" p.job_id AS \"jobId\", "
			" CASE q.state WHEN 'done' THEN 'completed' ELSE q.state END AS status, "
			" coalesce(extract(epoch FROM q.ended_at - q.started_at) * 1000, 0)::bigint "
			"  AS \"latencyMs\", "
			" q.rows_total AS \"totalContacts\", q.rows_accepted AS \"successfulContacts\", "
			" q.id AS \"importId\", q.rows_rejected AS \"failedContacts\", "
			" p.sha256 "
			"FROM gc_fdw.import_queue q, LATERAL (SELECT "
			" (pg_catalog.array_agg(job_id ORDER BY part DESC) "
			"   FILTER (WHERE job_id IS NOT NULL))[1] AS job_id, "
			" CASE count(*) WHEN 1 THEN pg_catalog.min(encode(sha256, 'hex')) "
			"  ELSE pg_catalog.encode(pg_catalog.sha256("
			"   pg_catalog.string_agg(sha256, ''::bytea ORDER BY part)), 'hex') END AS sha256 "
			" FROM gc_fdw.import_parts WHERE import_id = q.id) AS p WHERE q.id = $1) AS s",
			id) > 0)
		summary = gc_query_text(&query, 0, 1);
	gc_query_end(&query);
	return summary;
}
