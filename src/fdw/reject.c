/*
 * fdw/reject.c
 *	  Rows that a statement goes on without: on_error 'reject'.
 */
#include "postgres.h"

#include "base/option.h"
#include "base/value.h"
#include "fdw/reject.h"
#include "store/audit.h"
#include "store/rejects.h"

#include "access/htup_details.h"
#include "lib/ilist.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

struct GcRejecter
{
	dlist_node node; /* in rejecters */
	EState *estate;
	GcRelation *rel;
	GcTarget *target;
	bool stop; /* on_error 'stop' */
	int max;
	int count;
	int told; /* of these, in a NOTICE */
	MemoryContextCallback on_reset;
};

static dlist_head rejecters = DLIST_STATIC_INIT(rejecters);

static void
rejecter_reset(void *arg)
{
	dlist_delete(&((GcRejecter *) arg)->node);
}

GcRejecter *
gc_reject_open(EState *estate, GcRelation *rel, GcTarget *target)
{
	GcRejecter *rejecter = MemoryContextAllocZero(estate->es_query_cxt, sizeof(GcRejecter));
	const char *on_error = gc_option_string(rel->options, rel->server_options, "on_error");

	rejecter->estate = estate;
	rejecter->rel = rel;
	rejecter->target = target;
	rejecter->stop = strcmp(on_error, "stop") == 0;
	rejecter->max = gc_option_int(rel->options, rel->server_options, "max_rejects");
	rejecter->on_reset.func = rejecter_reset;
	rejecter->on_reset.arg = rejecter;
	dlist_push_tail(&rejecters, &rejecter->node);
	MemoryContextRegisterResetCallback(estate->es_query_cxt, &rejecter->on_reset);
	if (!rejecter->stop)
		gc_rejects_open();
	return rejecter;
}

/*
 * The row by the names and types of the table, so that it can be made one again
 * (jsonb_populate_record).  The slot may be the query's, with a row type of its own.
 */
static const char *
row_as_json(GcRelation *rel, TupleTableSlot *slot)
{
	HeapTuple tuple = heap_form_tuple(rel->tupdesc, slot->tts_values, slot->tts_isnull);
	Datum row = heap_copy_tuple_as_datum(tuple, rel->tupdesc);

	return TextDatumGetCString(DirectFunctionCall1(row_to_json, row));
}

static _Noreturn void
throw_too_many(GcRejecter *rejecter, const GcProblem *problem)
{
	GcProblem last = *problem;

	gc_rejects_flush();
	last.detail = psprintf("%s\nRows rejected before: %d, as many as max_rejects allows: see "
						   "gc_fdw.rejected_rows, source_id " INT64_FORMAT ".",
						   problem->detail, rejecter->count,
						   gc_audit_id(gc_deliver_audit(rejecter->target)));
	gc_deliver_refuse(rejecter->target, &last);
}

void
gc_reject_row(GcRejecter *rejecter, const GcProblem *problem, const char *id,
			  TupleTableSlot *slot)
{
	GcAudit *audit = gc_deliver_audit(rejecter->target);
	GcReject reject;

	if (rejecter->stop)
		gc_deliver_refuse(rejecter->target, problem);
	if (rejecter->count >= rejecter->max)
		throw_too_many(rejecter, problem);
	reject = (GcReject){
		.at = GetCurrentTimestamp(),
		.by_role = audit->entry.by_role,
		.list_id = audit->entry.list_id,
		.source = "statement",
		.source_id = gc_audit_id(audit),
		.key = id ? gc_value_display(id, strlen(id)) : NULL,
		.row_data = row_as_json(rejecter->rel, slot),
		.code = problem->code,
		.reason = psprintf("%s: %s", problem->message, problem->detail),
		.field = problem->field,
	};
	gc_rejects_put(&reject);
	gc_audit_take(audit, 1);
	audit->entry.rejected++;
	rejecter->count++;
}

static void
tell(GcRejecter *rejecter)
{
	int count = rejecter->count - rejecter->told;

	rejecter->told = rejecter->count;
	if (count == 0)
		return;
	ereport(NOTICE,
			(errmsg_plural("%d row for %s was rejected", "%d rows for %s were rejected", count,
						   count, rejecter->rel->label),
			 errhint("See gc_fdw.rejected_rows, source_id " INT64_FORMAT ".",
					 gc_audit_id(gc_deliver_audit(rejecter->target)))));
}

void
gc_reject_finish(EState *estate)
{
	dlist_iter iter;

	dlist_foreach (iter, &rejecters)
	{
		GcRejecter *rejecter = dlist_container(GcRejecter, node, iter.cur);

		if (rejecter->estate != estate || rejecter->count == rejecter->told)
			continue;
		gc_rejects_flush();
		tell(rejecter);
	}
}
