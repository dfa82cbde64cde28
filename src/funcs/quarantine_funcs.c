/*
 * funcs/quarantine_funcs.c
 *	  quarantine(): one contact on every contact list, one number on campaigns' DNC lists.
 *
 * Each list has a row; what the platform has confirmed is in gc_fdw.contact_audit, whatever
 * becomes of the statement.
 */
#include "postgres.h"

#include "api/quarantine.h"
#include "base/cell.h"
#include "base/contact_id.h"
#include "base/value.h"
#include "funcs/list_work.h"
#include "funcs/server_arg.h"
#include "store/contact_audit.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Seen through exports.map. */
#pragma GCC visibility push(default)
PG_FUNCTION_INFO_V1(gc_fdw_quarantine);
#pragma GCC visibility pop

static void
put_rows(ReturnSetInfo *result, List *lists)
{
	ListCell *lc;

	foreach (lc, lists)
	{
		const GcListResult *list = lfirst(lc);
		const char *texts[] = {list->object, list->name, list->entry, list->result,
							   list->correlation_id};
		Datum values[lengthof(texts)] = {0};
		bool nulls[lengthof(texts)] = {0};

		for (int i = 0; i < lengthof(texts); i++)
		{
			const char *shown = gc_list_work_shown(texts[i]);

			nulls[i] = shown == NULL;
			if (shown)
				values[i] = CStringGetTextDatum(shown);
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

static void
put_audit(const GcListResult *list)
{
	bool is_contact = strcmp(list->object, "contact_lists") == 0;

	gc_contact_audit_put(&(GcContactChange){
		.list_id = gc_value_display(list->list_id, GC_AUDIT_LIST_SIZE),
		.contact_id = gc_value_display(list->entry, GC_CONTACT_ID_MAX),
		.change = is_contact ? "callable" : "dnc",
		.old_value = is_contact ? "true" : NULL,
		.new_value = is_contact ? "false" : "listed",
		.confirmed_at = GetCurrentTimestamp(),
		.correlation_id = gc_list_work_shown(list->correlation_id),
	});
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
	PreventCommandIfReadOnly("quarantine()");
	PreventCommandDuringRecovery("quarantine()");
	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("quarantine needs a key or a number")));
	if (!PG_ARGISNULL(0))
		gc_list_work_check_key(text_to_cstring(PG_GETARG_TEXT_PP(0)));
}

static void
run(ReturnSetInfo *result, const ForeignServer *server, const char *key, const char *number)
{
	GcListWork *work = gc_list_work_begin(server, "QUARANTINE", put_audit);

	if (key)
	{
		List *lists = gc_list_all(work->conn, &work->stat, NULL);

		gc_list_work_check_waiting(lists);
		put_rows(result,
				 gc_quarantine_contact(work->conn, &work->stat, lists, key, &work->watch));
	}
	if (number)
		put_rows(result, gc_quarantine_number(work->conn, &work->stat, number, &work->watch));
	gc_list_work_end(work,
					 "Column \"result\" says why.  Run it again: what is done is left alone.");
}

Datum
gc_fdw_quarantine(PG_FUNCTION_ARGS)
{
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
	run((ReturnSetInfo *) fcinfo->resultinfo, server, key, number);
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextDelete(cxt);
	return (Datum) 0;
}
