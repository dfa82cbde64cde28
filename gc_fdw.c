/*
 * gc_fdw.c
 *	  The composition root: settings, hooks, and the table of callbacks.
 *
 * The only file that may include everything.  The layers below it, lowest
 * first: base (values, no network), net (HTTP, quota, tokens), api (what the
 * platform offers), store (our own tables), fdw (the executor's side), funcs (SQL
 * functions), worker (the background worker).
 */
#include "postgres.h"

#include <curl/curl.h>

#include "api/import_jobs.h"
#include "api/request.h"
#include "api/resource.h"
#include "base/compat.h"
#include "base/option.h"
#include "base/progress.h"
#include "base/shared.h"
#include "base/stat.h"
#include "base/value.h"
#include "base/written.h"
#include "fdw/analyze.h"
#include "fdw/async.h"
#include "fdw/direct.h"
#include "fdw/drift.h"
#include "fdw/import_ledger.h"
#include "fdw/import_run.h"
#include "fdw/import_schema.h"
#include "fdw/import_task.h"
#include "fdw/modify.h"
#include "fdw/pending.h"
#include "fdw/plan.h"
#include "fdw/relation.h"
#include "fdw/scan.h"
#include "fdw/size.h"
#include "fdw/staged_forget.h"
#include "fdw/staging.h"
#include "fdw/truncate.h"
#include "fdw/webhook.h"
#include "funcs/forget_funcs.h"
#include "funcs/import_funcs.h"
#include "funcs/ledger_funcs.h"
#include "funcs/list_work.h"
#include "funcs/parent_funcs.h"
#include "funcs/schema_funcs.h"
#include "net/connection.h"
#include "net/download.h"
#include "net/quota.h"
#include "store/audit.h"
#include "store/contact_audit.h"
#include "store/import_end.h"
#include "store/import_find.h"
#include "store/import_wake.h"
#include "store/job.h"
#include "store/place.h"
#include "store/stream.h"
#include "worker/imports.h"
#include "worker/launcher.h"

#include "access/reloptions.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "executor/executor.h"
#include "foreign/foreign.h"
#include "utils/guc.h"

/* Seen through exports.map; default visibility is off, and PGDLLEXPORT empty on 15. */
#pragma GCC visibility push(default)
PG_MODULE_MAGIC;
extern void _PG_init(void);
PG_FUNCTION_INFO_V1(gc_fdw_handler);
PG_FUNCTION_INFO_V1(gc_fdw_validator);
PG_FUNCTION_INFO_V1(gc_fdw_disconnect);
#pragma GCC visibility pop

static ExecutorRun_hook_type prev_ExecutorRun = NULL;
static ExecutorFinish_hook_type prev_ExecutorFinish = NULL;

/*
 * A statement's last batch has to be answered before its row count is read,
 * which is right after ExecutorRun: EndForeignModify would be too late, and is
 * only called when the statement can no longer fail.
 */
static void
gc_ExecutorRun(GC_EXECUTOR_RUN_PARAMS)
{
	if (prev_ExecutorRun)
		prev_ExecutorRun(GC_EXECUTOR_RUN_ARGS);
	else
		standard_ExecutorRun(GC_EXECUTOR_RUN_ARGS);
	gc_modify_finish(queryDesc->estate);
}

/* Data-modifying CTEs that the query did not read to their end run here. */
static void
gc_ExecutorFinish(QueryDesc *queryDesc)
{
	if (prev_ExecutorFinish)
		prev_ExecutorFinish(queryDesc);
	else
		standard_ExecutorFinish(queryDesc);
	gc_modify_finish(queryDesc->estate);
}

void
_PG_init(void)
{
	/* Once a process, and never undone: other libraries may use curl as well. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR), errmsg("could not initialise libcurl")));

	DefineCustomBoolVariable("gc_fdw.show_values", "Shows a cell's value in errors about it.",
							 "Cells are personal data, so messages leave them out by default.",
							 &gc_show_values, false, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable(
		"gc_fdw.max_requests", "Fails a statement that would need more requests than this.",
		"0 sets no limit; the server option of that name may set a lower one.",
		&gc_max_requests, 0, 0, INT_MAX, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable(
		"gc_fdw.commit_timeout",
		"Aborts a transaction whose contacts are not sent at COMMIT within "
		"this time.",
		"0 sets no limit; statement_timeout does not count there.", &gc_commit_timeout, 0, 0,
		INT_MAX, PGC_USERSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("gc_fdw.max_workers",
							"How many background workers send imports at a time.",
							"They are taken from max_worker_processes.", &gc_max_workers, 4, 1,
							1024, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable(
		"gc_fdw.keep_payloads", "How long the rows of an import that failed are kept.",
		"Those that were delivered go at once.", &gc_keep_payloads, 7 * SECS_PER_DAY, 0,
		INT_MAX, PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomStringVariable(
		"gc_fdw.cluster_id", "Names the place that imports belong to.",
		"Servers that take over from each other have the same.  Without it, a copy of this "
		"server in another place does not send the imports that it finds.",
		&gc_cluster_id, "", PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomStringVariable(
		"gc_fdw.webhook_hosts", "Hosts that webhooks of imports may go to.",
		"Names, with commas between; by default there are none.", &gc_webhook_hosts, "",
		PGC_SUSET, GUC_LIST_INPUT, NULL, NULL, NULL);
	DefineCustomStringVariable(
		"gc_fdw.databases", "Names the databases whose imports are seen to by themselves.",
		"With gc_fdw in shared_preload_libraries: what a crash left goes "
		"on, and what could not be sent is tried again.",
		&gc_launcher_databases, "", PGC_SIGHUP, GUC_LIST_INPUT, gc_launcher_check_databases,
		NULL, NULL);
	MarkGUCPrefixReserved("gc_fdw");

	gc_shared_declare(&gc_quota_part);
	gc_shared_declare(&gc_stat_part);
	gc_shared_declare(&gc_progress_part);
	gc_shared_declare(&gc_size_part);
	gc_shared_declare(&gc_written_part);
	gc_shared_declare(&gc_import_wake_part);
	gc_shared_init();

	gc_audit_init();
	gc_contact_audit_init();
	gc_pending_init();
	gc_job_init();
	gc_import_wake_init();
	gc_stream_init();
	gc_connection_init();
	gc_calls_init();
	gc_download_init();
	gc_schema_funcs_init(gc_drift_schema);
	gc_import_funcs_init(gc_staging_submit);
	gc_ledger_funcs_init(gc_ledger_list_id);
	gc_forget_funcs_init(gc_staged_forget);
	gc_list_work_init(gc_pending_count);
	gc_import_jobs_init(gc_import_of_job);
	gc_parent_funcs_init(gc_drift_list_name);
	gc_imports_init(gc_import_run, gc_import_task_run);
	gc_launcher_init();
	prev_ExecutorRun = ExecutorRun_hook;
	ExecutorRun_hook = gc_ExecutorRun;
	prev_ExecutorFinish = ExecutorFinish_hook;
	ExecutorFinish_hook = gc_ExecutorFinish;
}

Datum
gc_fdw_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	gc_plan_routine(routine);
	gc_scan_routine(routine);
	gc_async_routine(routine);
	gc_modify_routine(routine);
	gc_direct_routine(routine);
	gc_analyze_routine(routine);
	gc_truncate_routine(routine);
	gc_import_routine(routine);
	PG_RETURN_POINTER(routine);
}

static GcOptionPlace
place_of(Oid catalog)
{
	switch (catalog)
	{
		case ForeignServerRelationId:
			return GC_PLACE_SERVER;
		case UserMappingRelationId:
			return GC_PLACE_MAPPING;
		case ForeignTableRelationId:
			return GC_PLACE_TABLE;
		case AttributeRelationId:
			return GC_PLACE_COLUMN;
		default:
			return 0; /* the wrapper itself has no options */
	}
}

Datum
gc_fdw_validator(PG_FUNCTION_ARGS)
{
	List *options = untransformRelOptions(PG_GETARG_DATUM(0));
	ListCell *lc;

	gc_option_validate(options, place_of(PG_GETARG_OID(1)));
	/* Names of objects and attributes are the API's to know, not the option table's. */
	foreach (lc, options)
	{
		DefElem *def = lfirst(lc);
		const char *part;

		if (strcmp(def->defname, "object") == 0)
			(void) gc_resource_by_name(defGetString(def));
		else if (strcmp(def->defname, "attribute") == 0)
			(void) gc_resource_attribute(NULL, defGetString(def), &part);
	}
	if (PG_GETARG_OID(1) == ForeignTableRelationId)
		gc_relation_check_options(options);
	PG_RETURN_VOID();
}

Datum
gc_fdw_disconnect(PG_FUNCTION_ARGS)
{
	Oid server_id = InvalidOid;

	if (!PG_ARGISNULL(0))
		server_id = get_foreign_server_oid(NameStr(*PG_GETARG_NAME(0)), false);
	PG_RETURN_INT32(gc_connection_forget(server_id));
}
