/*
 * funcs/forget_funcs.c
 *	  forget_contact(): erasure of one contact.
 *
 * The extension's own tables first: an import that goes on meanwhile does not bring it back.
 * They are locked, as far as they have the contact, until the transaction ends.
 */
#include "postgres.h"

#include "api/contact_lists.h"
#include "api/forget.h"
#include "base/value.h"
#include "funcs/forget_funcs.h"
#include "funcs/list_work.h"
#include "funcs/server_arg.h"
#include "store/erase.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Seen through exports.map. */
#pragma GCC visibility push(default)
PG_FUNCTION_INFO_V1(gc_fdw_forget_contact);
#pragma GCC visibility pop

static int64 (*forget_staged)(const char *id, const char *server, List **refused) = NULL;

void
gc_forget_funcs_init(int64 (*staged)(const char *id, const char *server, List **refused))
{
	forget_staged = staged;
}

/* What is asked for. */
typedef struct Wanted
{
	ReturnSetInfo *result;
	GcListWork *work;
	const char *key;  /* as the caller has it … */
	const char *utf8; /* … and as the platform does */
	const ForeignServer *server;
	bool only; /* the only server of the database: whatever there is is its */
} Wanted;

/* "rows": -1 for what could not be erased. */
static void
put_row(const Wanted *wanted, const char *relation, int64 rows)
{
	Datum values[] = {CStringGetTextDatum(relation), Int64GetDatum(rows)};
	bool nulls[] = {false, rows < 0};

	tuplestore_putvalues(wanted->result->setResult, wanted->result->setDesc, values, nulls);
}

/* ---- the extension's tables ---- */

static void
erase_staged(const Wanted *wanted)
{
	List *refused;
	int64 rows = forget_staged(wanted->utf8, wanted->only ? NULL : wanted->server->servername,
							   &refused);
	ListCell *lc;

	put_row(wanted, "gc_fdw.import_chunks", rows);
	foreach (lc, refused)
	{
		int64 id = *(int64 *) lfirst(lc);

		put_row(wanted, psprintf("import " INT64_FORMAT, id), -1);
		ereport(WARNING, (errcode(ERRCODE_OBJECT_IN_USE),
						  errmsg("import " INT64_FORMAT " is sending the contact", id),
						  errdetail("A part of it that is under way has a row of it."),
						  errhint("Run it again when the import is over: see gc_fdw.imports; "
								  "cancel_import(" INT64_FORMAT ") ends it.",
								  id)));
	}
}

static void
erase_history(const Wanted *wanted, List *lists)
{
	GcErasure erasure = {.key = wanted->key,
						 .shown_key = gc_value_display(wanted->utf8, strlen(wanted->utf8))};
	ListCell *lc;

	if (!wanted->only)
	{
		/* Never none, which would be any. */
		erasure.list_ids = list_make1("");
		foreach (lc, lists)
			erasure.list_ids =
				lappend(erasure.list_ids,
						unconstify(char *, gc_list_work_shown(((GcList *) lfirst(lc))->id)));
	}
	foreach (lc, gc_erase_history(&erasure))
	{
		const GcErased *erased = lfirst(lc);

		put_row(wanted, psprintf("gc_fdw.%s", erased->table), erased->rows);
	}
}

/* ---- the platform's lists ---- */

static void
put_list(const Wanted *wanted, const GcListResult *list)
{
	char *label = psprintf("contact list \"%s\"", gc_list_work_shown(list->name));
	char *reason = gc_value_display(list->result, 1024);
	const char *end = *reason && reason[strlen(reason) - 1] == '.' ? "" : ".";

	put_row(wanted, label, list->failed ? -1 : list->changed);
	if (list->failed)
		ereport(WARNING,
				(errmsg("could not erase the contact from %s", label),
				 errdetail_internal("%s%s", reason, end),
				 list->correlation_id ? errcontext("correlation id: %s",
												   gc_list_work_shown(list->correlation_id))
									  : 0));
}

static void
run(Wanted *wanted)
{
	GcListWork *work;
	List *lists;
	ListCell *lc;

	work = wanted->work = gc_list_work_begin(wanted->server, "FORGET", NULL);
	lists = gc_list_all(work->conn, &work->stat, NULL);
	gc_list_work_check_waiting(lists);
	erase_staged(wanted);
	erase_history(wanted, lists);
	foreach (lc, gc_forget_contact(work->conn, &work->stat, lists, wanted->utf8, &work->watch))
		put_list(wanted, lfirst(lc));
	gc_list_work_end(work, "Run it again: what is done is left alone.");
}

static void
check_arguments(FunctionCallInfo fcinfo)
{
	PreventCommandIfReadOnly("forget_contact()");
	PreventCommandDuringRecovery("forget_contact()");
	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("forget_contact needs a key")));
	gc_list_work_check_key(text_to_cstring(PG_GETARG_TEXT_PP(0)));
}

Datum
gc_fdw_forget_contact(PG_FUNCTION_ARGS)
{
	Wanted wanted = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	MemoryContext caller_cxt = CurrentMemoryContext;
	MemoryContext cxt;

	check_arguments(fcinfo);
	wanted.server = gc_server_arg(PG_ARGISNULL(1) ? NULL : NameStr(*PG_GETARG_NAME(1)));
	wanted.only = gc_server_is_only();
	InitMaterializedSRF(fcinfo, 0);
	cxt = AllocSetContextCreate(caller_cxt, "gc_fdw forget", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(cxt);
	wanted.key = text_to_cstring(PG_GETARG_TEXT_PP(0));
	wanted.utf8 = gc_value_to_utf8(wanted.key);
	run(&wanted);
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextDelete(cxt);
	return (Datum) 0;
}
