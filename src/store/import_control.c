/*
 * store/import_control.c
 *	  What users do with imports: resume and cancel them, pause lists and servers.
 */
#include "postgres.h"

#include "store/import_control.h"
#include "store/import_end.h"
#include "store/import_wake.h"
#include "store/imports.h"
#include "store/job.h"
#include "store/place.h"
#include "store/query_args.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

/* What lets an import go on. */
#define RESUMED                                                                               \
	"state = CASE state WHEN 'paused' THEN 'staged' ELSE state END, retry_at = NULL, "        \
	"retries = 0"

static void
add_place(GcArgs *args)
{
	gc_args_text(args, gc_place());
	gc_args_add(args, OIDOID, ObjectIdGetDatum(MyDatabaseId));
}

/* ---- resume ---- */

bool
gc_import_resume(int64 id)
{
	GcArgs args = {0};

	add_place(&args);
	gc_args_int64(&args, id);
	if (gc_args_run_alone(
			"UPDATE gc_fdw.import_queue SET system_identifier = $1, database_oid = "
			"$2, " RESUMED " WHERE id = $3 AND state IN ('staged', 'running', 'paused')",
			&args) == 0)
		return false;
	gc_job_imports_at_commit();
	return true;
}

int64
gc_import_resume_all(ArrayType *roles)
{
	GcArgs args = {0};
	GcQuery query;
	int64 count;

	gc_query_begin_or_throw(&query);
	add_place(&args);
	gc_args_add(&args, NAMEARRAYOID, PointerGetDatum(roles));
	/* Those that wait are left alone: a worker may be at one. */
	count = gc_args_run("SELECT FROM gc_fdw.import_queue WHERE state IN ('staged', 'running') "
						"AND system_identifier = $1 AND database_oid = $2 AND "
						"submitted_by = ANY ($3)",
						&args);
	count += gc_args_run("UPDATE gc_fdw.import_queue SET " RESUMED " WHERE state = 'paused' "
						 "AND system_identifier = $1 AND database_oid = $2 AND "
						 "submitted_by = ANY ($3) AND (retry_at IS NULL OR "
						 " retry_at <= pg_catalog.clock_timestamp())",
						 &args);
	gc_query_end(&query);
	/* Or a campaign or webhook waits for somebody. */
	if (count > 0 || gc_task_next() <= GetCurrentTimestamp())
		gc_job_imports_at_commit();
	return count;
}

/* ---- cancel ---- */

bool
gc_import_cancel(int64 id)
{
	GcArgs args = {0};
	GcQuery query;
	bool open;
	bool at_work = false;

	gc_query_begin_or_throw(&query);
	add_place(&args);
	gc_args_int64(&args, id);
	open = gc_args_run("UPDATE gc_fdw.import_queue SET cancelling = true "
					   "WHERE id = $3 AND state IN ('staged', 'running', 'paused') "
					   "RETURNING (state = 'running' AND system_identifier = $1 AND "
					   " database_oid = $2)::int::bigint",
					   &args) > 0;
	if (open)
		at_work = gc_args_int64_at(0, 1) != 0;
	gc_query_end(&query);
	if (at_work)
		gc_job_imports_at_commit(); /* whoever sent it may have crashed */
	else if (open)
		gc_import_cancel_now(id);
	return open;
}

/* ---- pause ---- */

static void
add_pause(GcArgs *args, const GcImportPause *pause)
{
	gc_args_text(args, pause->server);
	gc_args_text(args, pause->list_id);
	gc_args_text(args, pause->list_name);
}

void
gc_import_hold(const GcImportPause *pause, const char *reason)
{
	GcArgs args = {0};

	add_pause(&args, pause);
	gc_args_text(&args, reason);
	gc_args_text(&args, GetUserNameFromId(GetUserId(), false));
	(void) gc_args_run_alone(
		"INSERT INTO gc_fdw.import_pauses (server, list_id, list_name, reason, by_role, at) "
		"VALUES ($1::name, $2, $3, $4, $5::name, pg_catalog.statement_timestamp()) "
		"ON CONFLICT (server, coalesce(list_id, ''), coalesce(list_name, '')) "
		"DO UPDATE SET reason = excluded.reason, by_role = excluded.by_role, "
		" at = excluded.at",
		&args);
	gc_import_changed();
}

bool
gc_import_release(const GcImportPause *pause)
{
	GcArgs args = {0};

	add_pause(&args, pause);
	if (gc_args_run_alone(
			"DELETE FROM gc_fdw.import_pauses WHERE server = $1::name AND "
			" list_id IS NOT DISTINCT FROM $2 AND list_name IS NOT DISTINCT FROM $3",
			&args) == 0)
		return false;
	gc_job_imports_at_commit();
	return true;
}
