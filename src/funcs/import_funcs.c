/*
 * funcs/import_funcs.c
 *	  Imports in SQL: submit_import(), await_import() and their kin.
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/wait.h"
#include "funcs/import_funcs.h"
#include "funcs/import_options.h"
#include "funcs/schema_funcs.h"
#include "store/imports.h"
#include "store/job.h"
#include "store/query.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

/* Seen through exports.map. */
#pragma GCC visibility push(default)
PG_FUNCTION_INFO_V1(gc_fdw_submit_import);
PG_FUNCTION_INFO_V1(gc_fdw_await_import);
PG_FUNCTION_INFO_V1(gc_fdw_cancel_import);
#pragma GCC visibility pop

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

Datum
gc_fdw_submit_import(PG_FUNCTION_ARGS)
{
	GcSubmission submission = {0};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("submit_import needs a foreign table and a query")));
	PreventCommandIfReadOnly("submit_import()");
	PreventCommandDuringRecovery("submit_import()");
	submission.relid = PG_GETARG_OID(0);
	submission.on_duplicate = text_arg(fcinfo, 2);
	submission.verification = text_arg(fcinfo, 3);
	submission.method = text_arg(fcinfo, 4);
	submission.import_key = text_arg(fcinfo, 5);
	if (submission.import_key && submission.import_key[0] == '\0')
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("import_key must not be empty"),
						errhint("NULL is for imports without a key.")));
	submission.campaign_id = text_arg(fcinfo, 6);
	submission.webhook_url = text_arg(fcinfo, 7);
	if (!PG_ARGISNULL(8))
		gc_import_options_read(PG_GETARG_JSONB_P(8), &submission);
	check_word("on_duplicate", submission.on_duplicate,
			   (const char *const[]){"update", "ignore", "error", NULL});
	check_word("verification", submission.verification,
			   (const char *const[]){"strict", "relaxed", NULL});
	check_word("method", submission.method,
			   (const char *const[]){"auto", "contacts", "upload", NULL});
	submission.query = gc_schema_fit(submission.relid, text_arg(fcinfo, 1));
	PG_RETURN_INT64(submit(&submission));
}

/* ---- await_import ---- */

/* An import as it is now. */
typedef struct Look
{
	Datum row; /* of gc_fdw.imports */
	const char *state;
	const char *submitted_by;
	bool is_ours; /* of this very transaction */
} Look;

/* False: there is none. */
static bool
look(int64 id, Look *seen)
{
	static const Oid types[] = {INT8OID};
	Datum values[] = {Int64GetDatum(id)};
	GcQuery query;
	bool found;
	bool isnull;
	MemoryContext spi_cxt;

	if (!gc_query_begin(&query))
		return false;
	found = gc_query_look("SELECT i, i.state, i.submitted_by, q.xmin::text::bigint "
						  "FROM gc_fdw.imports i JOIN gc_fdw.import_queue q USING (id) "
						  "WHERE id = $1",
						  lengthof(types), types, values) > 0;
	if (found)
	{
		HeapTuple tuple = SPI_tuptable->vals[0];
		Datum row = SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &isnull);
		Datum xmin = SPI_getbinval(tuple, SPI_tuptable->tupdesc, 4, &isnull);

		seen->state = gc_query_text(&query, 0, 2);
		seen->submitted_by = gc_query_text(&query, 0, 3);
		seen->is_ours =
			TransactionIdIsCurrentTransactionId((TransactionId) DatumGetInt64(xmin));
		spi_cxt = MemoryContextSwitchTo(query.cxt);
		seen->row = datumCopy(row, false, -1);
		MemoryContextSwitchTo(spi_cxt);
	}
	gc_query_end(&query);
	return found;
}

/* Others' imports are not there for who may not see them. */
static bool
is_visible(const Look *seen)
{
	Oid role = get_role_oid(seen->submitted_by, true);

	return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS) ||
		   (OidIsValid(role) && has_privs_of_role(GetUserId(), role));
}

/* The import as it is now; throws if the caller may not see it. */
static void
must_look(int64 id, Look *seen)
{
	if (!look(id, seen) || !is_visible(seen))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("import " INT64_FORMAT " does not exist", id)));
}

static bool
is_over(const Look *seen)
{
	return strcmp(seen->state, "staged") != 0 && strcmp(seen->state, "running") != 0;
}

Datum
gc_fdw_await_import(PG_FUNCTION_ARGS)
{
	int64 id = PG_GETARG_INT64(0);
	TimestampTz until = DatumGetTimestampTz(
		DirectFunctionCall2(timestamptz_pl_interval,
							TimestampTzGetDatum(GetCurrentTimestamp()), PG_GETARG_DATUM(1)));
	MemoryContext look_cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw await", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller_cxt = MemoryContextSwitchTo(look_cxt);
	Look seen = {0};

	for (;;)
	{
		MemoryContextReset(look_cxt);
		must_look(id, &seen);
		if (is_over(&seen))
			break;
		if (seen.is_ours)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("import " INT64_FORMAT " was submitted by this transaction", id),
					 errdetail("It begins when the transaction is committed."),
					 errhint("Wait for it thereafter.")));
		if (GetCurrentTimestamp() >= until)
			break;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 50,
						 gc_wait_event(GC_WAIT_WORKER));
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	MemoryContextSwitchTo(caller_cxt);
	PG_RETURN_DATUM(datumCopy(seen.row, false, -1));
}

/* ---- cancel_import ---- */

/* To have a say in an import takes the privileges of who submitted it. */
static void
check_owner(int64 id)
{
	Look seen = {0};

	must_look(id, &seen);
	if (!has_privs_of_role(GetUserId(), get_role_oid(seen.submitted_by, true)))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("import " INT64_FORMAT " was submitted by another role", id),
						errdetail("It is \"%s\".", seen.submitted_by)));
}

Datum
gc_fdw_cancel_import(PG_FUNCTION_ARGS)
{
	int64 id = PG_GETARG_INT64(0);

	check_owner(id);
	PG_RETURN_BOOL(gc_import_cancel(id));
}
