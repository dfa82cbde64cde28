/*
 * funcs/import_funcs.c
 *	  Imports in SQL: submit_import(), and what is done with what it has submitted.
 */
#include "postgres.h"

#include "api/dialect.h"
#include "base/seen.h"
#include "funcs/import_funcs.h"
#include "funcs/import_look.h"
#include "funcs/import_options.h"
#include "funcs/schema_funcs.h"
#include "store/import_control.h"
#include "store/imports.h"
#include "store/query_args.h"

#include "catalog/pg_class.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

/* Seen through exports.map. */
#pragma GCC visibility push(default)
PG_FUNCTION_INFO_V1(gc_fdw_submit_import);
PG_FUNCTION_INFO_V1(gc_fdw_retry_import);
PG_FUNCTION_INFO_V1(gc_fdw_resume_imports);
PG_FUNCTION_INFO_V1(gc_fdw_cancel_import);
#pragma GCC visibility pop

/* Of an import's key, and of a campaign's id. */
#define NAME_MAX_BYTES 1000

static GcSubmitter submit = NULL;

void
gc_import_funcs_init(GcSubmitter submitter)
{
	submit = submitter;
}

/* ---- submit_import ---- */

static const char *
text_arg(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

static void
check_word(const char *argument, const char *word, const char *const *words)
{
	StringInfoData valid;

	initStringInfo(&valid);
	for (const char *const *other = words; word && *other; other++)
	{
		if (strcmp(word, *other) == 0)
			return;
		appendStringInfo(&valid, "%s\"%s\"", valid.len > 0 ? ", " : "", *other);
	}
	if (word)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for %s: \"%s\"", argument, word),
						errhint("Valid values are %s.", valid.data)));
}

/* What is part of an index, or of a request's path. */
static void
check_name(const char *argument, const char *name)
{
	if (name && name[0] == '\0')
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must not be empty", argument),
						errhint("NULL is for imports without one.")));
	if (name && strlen(name) > NAME_MAX_BYTES)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s is too long", argument),
			 errdetail("It has %zu bytes, and can have %d.", strlen(name), NAME_MAX_BYTES)));
}

/* Before anything is asked for: does the server's dialect have the method? */
static void
check_method(Oid relid, const char *method)
{
	const ForeignServer *server;
	const GcDialect *dialect;

	if (method == NULL || strcmp(method, "auto") == 0 ||
		get_rel_relkind(relid) != RELKIND_FOREIGN_TABLE)
		return;
	server = GetForeignServer(GetForeignTable(relid)->serverid);
	dialect = gc_dialect(server->options);
	if (gc_dialect_way(dialect, method) == NULL)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("dialect \"%s\" has no method \"%s\" of imports", dialect->name,
							   method),
						errhint("Methods of server \"%s\" are %s.", server->servername,
								gc_dialect_methods(dialect))));
}

Datum
gc_fdw_submit_import(PG_FUNCTION_ARGS)
{
	GcSubmission submission = {0};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("submit_import() needs a foreign table and a query")));
	PreventCommandIfReadOnly("submit_import()");
	PreventCommandDuringRecovery("submit_import()");
	submission.relid = PG_GETARG_OID(0);
	submission.on_duplicate = text_arg(fcinfo, 2);
	submission.verification = text_arg(fcinfo, 3);
	submission.method = text_arg(fcinfo, 4);
	submission.import_key = text_arg(fcinfo, 5);
	check_name("import_key", submission.import_key);
	submission.campaign_id = text_arg(fcinfo, 6);
	check_name("campaign_id", submission.campaign_id);
	submission.webhook_url = text_arg(fcinfo, 7);
	if (!PG_ARGISNULL(8))
		gc_import_options_read(PG_GETARG_JSONB_P(8), &submission);
	check_word("on_duplicate", submission.on_duplicate,
			   (const char *const[]){"update", "ignore", "error", NULL});
	check_word("verification", submission.verification,
			   (const char *const[]){"strict", "relaxed", NULL});
	check_word("method", submission.method,
			   (const char *const[]){"auto", "contacts", "upload", "bulk", "import", NULL});
	check_method(submission.relid, submission.method);
	submission.query = gc_schema_fit(submission.relid, text_arg(fcinfo, 1), "submit_import");
	PG_RETURN_INT64(submit(&submission));
}

/* ---- retry_import ---- */

/* The keys that an import has rejected; NULL: none. */
static GcSeen *
rejected_keys(int64 id)
{
	MemoryContext caller_cxt = CurrentMemoryContext;
	GcSeen *keys = NULL;
	GcArgs args = {0};
	GcQuery query;
	uint64 rows;

	if (!gc_query_begin(&query))
		return NULL;
	gc_args_int64(&args, id);
	rows = gc_args_run("SELECT DISTINCT key FROM gc_fdw.rejected_rows "
					   "WHERE source = 'import' AND source_id = $1 AND key IS NOT NULL",
					   &args);
	MemoryContextSwitchTo(caller_cxt);
	if (rows > 0)
		keys = gc_seen_create(rows);
	for (uint64 row = 0; row < rows; row++)
	{
		char *key = gc_query_text(&query, row, 1);

		(void) gc_seen_note(keys, key, strlen(key));
		pfree(key);
	}
	gc_query_end(&query);
	MemoryContextSwitchTo(caller_cxt);
	return keys;
}

static void
check_retry(int64 id, const GcImport *import, const GcSeen *keys)
{
	if (strcmp(import->state, "done") != 0 && strcmp(import->state, "failed") != 0 &&
		strcmp(import->state, "cancelled") != 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("import " INT64_FORMAT " is not over", id),
						errhint("Wait for it with gc_fdw.await_import.")));
	if (keys == NULL)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("import " INT64_FORMAT " has rejected no row with a key", id)));
}

/* An import like that one, of those of the query's rows that it has rejected. */
Datum
gc_fdw_retry_import(PG_FUNCTION_ARGS)
{
	int64 id = PG_GETARG_INT64(0);
	GcSubmission submission = {0};
	GcLook seen;
	GcImport *import;

	gc_look_as_owner(id, &seen);
	import = gc_import_read(id);
	submission.only = rejected_keys(id);
	check_retry(id, import, submission.only);
	submission.relid =
		DatumGetObjectId(DirectFunctionCall1(regclassin, CStringGetDatum(import->relation)));
	submission.on_duplicate = import->on_duplicate;
	submission.verification = import->verification;
	submission.campaign_id = import->campaign_id;
	submission.webhook_url = import->webhook_url;
	gc_import_options_read(
		DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(import->options))),
		&submission);
	submission.query =
		gc_schema_fit(submission.relid, text_to_cstring(PG_GETARG_TEXT_PP(1)), "retry_import");
	PG_RETURN_INT64(submit(&submission));
}

/* ---- resume_imports, cancel_import ---- */

/* name[]: the roles whose imports the caller has a say in. */
static ArrayType *
own_roles(void)
{
	GcArgs args = {0};
	ArrayType *roles = NULL;
	MemoryContext caller_cxt = CurrentMemoryContext;
	Oid caller = GetUserId();
	GcQuery query;
	bool isnull;

	if (!gc_query_begin(&query))
		return NULL;
	gc_args_add(&args, OIDOID, ObjectIdGetDatum(caller));
	(void) gc_args_run("SELECT pg_catalog.array_agg(rolname) FROM pg_catalog.pg_roles "
					   "WHERE pg_catalog.pg_has_role($1, oid, 'USAGE')",
					   &args);
	MemoryContextSwitchTo(caller_cxt);
	roles = DatumGetArrayTypePCopy(
		SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	gc_query_end(&query);
	MemoryContextSwitchTo(caller_cxt);
	return roles;
}

Datum
gc_fdw_resume_imports(PG_FUNCTION_ARGS)
{
	GcLook seen;

	if (PG_ARGISNULL(0))
		PG_RETURN_INT32(gc_import_resume_all(own_roles()));
	gc_look_as_owner(PG_GETARG_INT64(0), &seen);
	PG_RETURN_INT32(gc_import_resume(PG_GETARG_INT64(0)) ? 1 : 0);
}

Datum
gc_fdw_cancel_import(PG_FUNCTION_ARGS)
{
	int64 id = PG_GETARG_INT64(0);
	GcLook seen;

	gc_look_as_owner(id, &seen);
	PG_RETURN_BOOL(gc_import_cancel(id));
}
