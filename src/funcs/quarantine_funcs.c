/*
 * funcs/quarantine_funcs.c
 *	  quarantine(): one contact on every contact list, one number on campaigns' DNC lists.
 *
 * Runs with the caller's user mapping.  Each list has a row; what the platform has confirmed
 * is in gc_fdw.contact_audit, whatever becomes of the transaction.
 */
#include "postgres.h"

#include "api/quarantine.h"
#include "base/cell.h"
#include "base/contact_id.h"
#include "base/value.h"
#include "store/audit.h"
#include "store/contact_audit.h"

#include "foreign/foreign.h"
#include "funcapi.h"
#include "funcs/server_arg.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Seen through exports.map. */
#pragma GCC visibility push(default)
PG_FUNCTION_INFO_V1(gc_fdw_quarantine);
#pragma GCC visibility pop

/* Characters that are shown of a name. */
#define NAME_SHOWN 256

typedef struct Work
{
	ReturnSetInfo *result;
	GcConnection *conn;
	GcStat stat;
	GcAudit *audit;
	int64 failed;
} Work;

static Datum
text_datum(const char *utf8, bool *isnull)
{
	*isnull = utf8 == NULL;
	return utf8 ? CStringGetTextDatum(gc_value_display(utf8, NAME_SHOWN)) : (Datum) 0;
}

static void
put_row(Work *work, const GcQuarantine *list)
{
	const char *texts[] = {list->object, list->name, list->entry, list->result,
						   list->correlation_id};
	Datum values[lengthof(texts)];
	bool nulls[lengthof(texts)];

	for (int i = 0; i < lengthof(texts); i++)
		values[i] = text_datum(texts[i], &nulls[i]);
	tuplestore_putvalues(work->result->setResult, work->result->setDesc, values, nulls);
}

static void
put_audit(const GcQuarantine *list)
{
	bool is_contact = strcmp(list->object, "contact_lists") == 0;

	gc_contact_audit_put(&(GcContactChange){
		.list_id = gc_value_display(list->list_id, GC_AUDIT_LIST_SIZE),
		.contact_id = gc_value_display(list->entry, GC_CONTACT_ID_MAX),
		.change = is_contact ? "callable" : "dnc",
		.old_value = is_contact ? "true" : NULL,
		.new_value = is_contact ? "false" : "listed",
		.confirmed_at = GetCurrentTimestamp(),
		.correlation_id = list->correlation_id,
	});
}

static void
put_lists(Work *work, List *lists)
{
	ListCell *lc;

	foreach (lc, lists)
	{
		const GcQuarantine *list = lfirst(lc);

		put_row(work, list);
		if (list->changed)
			put_audit(list);
		gc_audit_take(work->audit, list->changed || list->failed);
		work->audit->entry.accepted += list->changed;
		work->audit->entry.rejected += list->failed;
		work->failed += list->failed;
	}
}

/* E.164, as a phone column's cell under strict verification: the platform takes others, and never dials them. */
static const char *
number_arg(FunctionCallInfo fcinfo)
{
	const GcCellRule rule = {.format = GC_CELL_E164, .max_chars = GC_CELL_MAX_CHARS};
	char *number = gc_value_to_utf8(text_to_cstring(PG_GETARG_TEXT_PP(1)));

	if (*number == '\0' || gc_cell_check(&rule, number, strlen(number)) != GC_CELL_FINE)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the number is not in E.164 form"),
						errhint("%s", gc_cell_format_hint(GC_CELL_E164))));
	return number;
}

static void
check_arguments(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("quarantine needs a key or a number")));
	if (!PG_ARGISNULL(0) && VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(0)) == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the key must not be empty")));
}

static void
release(void *arg)
{
	gc_audit_release(((Work *) arg)->audit);
}

/* The audit reads the figures until it is released, an error or not. */
static Work *
begin(ReturnSetInfo *result, const ForeignServer *server)
{
	Work *work = palloc0(sizeof(Work));
	MemoryContextCallback *on_reset = palloc0(sizeof(MemoryContextCallback));

	work->result = result;
	work->conn = gc_connection_get(GetUserId(), server->serverid);
	work->stat.spent = palloc0(sizeof(int64));
	work->audit = gc_audit_begin(psprintf("server \"%s\"", server->servername), "",
								 "QUARANTINE", NULL, &work->stat);
	on_reset->func = release;
	on_reset->arg = work;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, on_reset);
	return work;
}

static void
tell_failures(const Work *work)
{
	ereport(
		WARNING,
		(errmsg_plural(INT64_FORMAT " list could not be seen to",
					   INT64_FORMAT " lists could not be seen to", work->failed, work->failed),
		 errhint("Column \"result\" says why.  Run it again: what is done is left alone.")));
}

static void
run(Work *work, const char *key, const char *number)
{
	if (key)
		put_lists(work, gc_quarantine_contact(work->conn, &work->stat, key));
	if (number)
		put_lists(work, gc_quarantine_number(work->conn, &work->stat, number));
	gc_audit_complete(work->audit);
	if (work->failed > 0)
		tell_failures(work);
}

Datum
gc_fdw_quarantine(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const char *key = NULL;
	const char *number = NULL;
	ForeignServer *server;
	MemoryContext caller_cxt = CurrentMemoryContext;
	MemoryContext cxt;

	check_arguments(fcinfo);
	if (!PG_ARGISNULL(1))
		number = number_arg(fcinfo);
	server = gc_server_arg(PG_ARGISNULL(2) ? NULL : NameStr(*PG_GETARG_NAME(2)));
	InitMaterializedSRF(fcinfo, 0);
	cxt = AllocSetContextCreate(caller_cxt, "gc_fdw quarantine", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(cxt);
	if (!PG_ARGISNULL(0))
		key = gc_value_to_utf8(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	run(begin(result, server), key, number);
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextDelete(cxt);
	return (Datum) 0;
}
