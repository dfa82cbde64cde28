/*
 * fdw/reject.c
 *	  Rows that a statement goes on without: on_error 'reject'.
 */
#include "postgres.h"

#include "base/json.h"
#include "base/option.h"
#include "base/value.h"
#include "fdw/decode.h"
#include "fdw/reject.h"
#include "store/audit.h"
#include "store/rejects.h"
#include "store/stream.h"

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
	GcList *list;
	GcTarget *target;
	GcRejectRows *rows; /* NULL until the platform refuses one */
	MemoryContext cxt;	/* … and is reset behind each of them */
	GcVerb verb;
	bool stop;			 /* on_error 'stop' */
	bool at_commit;		 /* its rows are those of statements that are over */
	int64 import_id;	 /* … or of an import; 0: of none */
	GcRejectsKept *kept; /* or NULL */
	int max;
	int count;
	int late; /* of these, after the executor had counted them */
	int told; /* of these, in a NOTICE */
	int told_late;
	MemoryContextCallback on_reset;
};

static dlist_head rejecters = DLIST_STATIC_INIT(rejecters);

static void
rejecter_reset(void *arg)
{
	dlist_delete(&((GcRejecter *) arg)->node);
}

bool
gc_reject_goes_on(const GcRelation *rel)
{
	return strcmp(gc_option_string(rel->options, rel->server_options, "on_error"), "reject") ==
		   0;
}

int
gc_reject_max(const GcRelation *rel)
{
	return gc_option_int(rel->options, rel->server_options, "max_rejects");
}

static void refused(void *arg, const GcRefusal *refusal);

GcRejecter *
gc_reject_open(EState *estate, GcRelation *rel, GcList *list, GcTarget *target,
			   const GcTargetSettings *settings)
{
	GcRejecter *rejecter = MemoryContextAllocZero(estate->es_query_cxt, sizeof(GcRejecter));

	rejecter->estate = estate;
	rejecter->rel = rel;
	rejecter->list = list;
	rejecter->target = target;
	rejecter->verb = settings->verb;
	rejecter->stop = !gc_reject_goes_on(rel);
	rejecter->at_commit = settings->operation != NULL;
	rejecter->import_id = settings->import_id;
	rejecter->kept = settings->kept;
	rejecter->count = rejecter->told = settings->rejected;
	rejecter->max = gc_reject_max(rel);
	rejecter->on_reset.func = rejecter_reset;
	rejecter->on_reset.arg = rejecter;
	dlist_push_tail(&rejecters, &rejecter->node);
	MemoryContextRegisterResetCallback(estate->es_query_cxt, &rejecter->on_reset);
	if (rejecter->stop)
		return rejecter;
	if (rejecter->import_id == 0)
		gc_stream_open(GC_STREAM_REJECTS);
	rejecter->cxt = AllocSetContextCreate(estate->es_query_cxt, "gc_fdw refused rows",
										  ALLOCSET_DEFAULT_SIZES);
	gc_deliver_on_refusal(target, refused, rejecter);
	return rejecter;
}

/*
 * The row by the names and types of the table, so that it can be made one again
 * (jsonb_populate_record).
 */
static const char *
row_as_json(GcRelation *rel, Datum *values, bool *nulls)
{
	HeapTuple tuple = heap_form_tuple(rel->tupdesc, values, nulls);
	Datum row = heap_copy_tuple_as_datum(tuple, rel->tupdesc);

	return TextDatumGetCString(DirectFunctionCall1(row_to_json, row));
}

/* What rejected_rows.source_id is. */
static int64
source_id(const GcRejecter *rejecter)
{
	return rejecter->import_id != 0 ? rejecter->import_id
									: gc_audit_id(gc_deliver_audit(rejecter->target));
}

static _Noreturn void
throw_too_many(GcRejecter *rejecter, const GcProblem *problem)
{
	GcProblem last = *problem;

	if (rejecter->import_id == 0)
		gc_stream_flush();
	last.detail = psprintf("%s\nRows rejected before: %d, as many as max_rejects allows: see "
						   "gc_fdw.rejected_rows, source_id " INT64_FORMAT ".",
						   problem->detail, rejecter->count, source_id(rejecter));
	gc_deliver_refuse(rejecter->target, &last);
}

/* A row goes to gc_fdw.rejected_rows, or is one too many. */
static void
put(GcRejecter *rejecter, const GcProblem *problem, const char *id, const char *row_data,
	const char *correlation_id)
{
	GcAudit *audit = gc_deliver_audit(rejecter->target);
	GcReject reject = {
		.at = GetCurrentTimestamp(),
		.by_role = audit->entry.by_role,
		.list_id = audit->entry.list_id,
		.source = rejecter->import_id != 0 ? "import" : "statement",
		.source_id = source_id(rejecter),
		.key = id ? gc_value_display(id, strlen(id)) : NULL,
		.row_data = row_data,
		.code = problem->code,
		.reason = problem->reason ? problem->reason
								  : psprintf("%s: %s", problem->message, problem->detail),
		.field = problem->field,
		.correlation_id = correlation_id,
	};

	if (rejecter->kept)
		gc_rejects_keep(rejecter->kept, &reject);
	if (rejecter->import_id != 0)
		gc_rejects_write(&reject);
	else
		gc_rejects_put(&reject);
	gc_audit_take(audit, 1);
	audit->entry.rejected++;
	rejecter->count++;
}

void
gc_reject_text(GcRejecter *rejecter, const GcProblem *problem, const char *id,
			   const char *row_data, const char *correlation_id)
{
	if (rejecter->count >= rejecter->max)
		throw_too_many(rejecter, problem);
	put(rejecter, problem, id, row_data, correlation_id);
}

const char *
gc_reject_row_data(GcRelation *rel, TupleTableSlot *slot)
{
	/* The slot may be the query's, with a row type of its own. */
	slot_getallattrs(slot);
	return row_as_json(rel, slot->tts_values, slot->tts_isnull);
}

void
gc_reject_row(GcRejecter *rejecter, const GcProblem *problem, const char *id,
			  TupleTableSlot *slot)
{
	if (rejecter->stop)
		gc_deliver_refuse(rejecter->target, problem);
	gc_reject_text(rejecter, problem, id, gc_reject_row_data(rejecter->rel, slot), NULL);
}

/* ---- rows that the platform refuses ---- */

const char *
gc_reject_column(const GcRelation *rel, const char *field)
{
	for (int i = 0; field && i < rel->column_count; i++)
		if (rel->columns[i].attnum != 0 && rel->columns[i].field &&
			strcmp(rel->columns[i].field, field) == 0)
			return rel->columns[i].name;
	return field;
}

/* What the platform's refusal says, and for a NOTICE or an error whose contact it is. */
static const GcProblem *
problem_of(GcRejecter *rejecter, const GcFailure *failure, bool tried, const char *id)
{
	GcProblem *problem = palloc0(sizeof(GcProblem));

	problem->sqlstate = failure->sqlstate;
	problem->message = gc_verb_failed(rejecter->verb, 1, rejecter->rel->label);
	problem->detail = psprintf(
		"%s HTTP status %d (%s)%s%s",
		tried ? "The server answered with"
			  : "Not sent by itself: the first and last rows of its batch were refused "
				"with",
		failure->status, failure->code, failure->message ? ": " : ".",
		failure->message ? failure->message : "");
	problem->code = failure->code;
	problem->field = gc_reject_column(rejecter->rel, failure->field);
	problem->taken = true;
	if (id)
		problem->detail = psprintf("%s\nContact id: \"%s\".", problem->detail,
								   gc_value_display(id, NAMEDATALEN));
	return problem;
}

struct GcRejectRows
{
	GcRelation *rel;
	GcDecoder *decoder;
};

GcRejectRows *
gc_reject_rows_create(GcRelation *rel, GcList *list)
{
	GcRejectRows *rows = palloc(sizeof(GcRejectRows));

	rows->rel = rel;
	rows->decoder = gc_decoder_create(rel, list, NULL);
	return rows;
}

const char *
gc_reject_contact(GcRejectRows *rows, const char *contact, size_t len)
{
	GcRelation *rel = rows->rel;
	Datum *values = palloc(sizeof(Datum) * rel->tupdesc->natts);
	bool *nulls = palloc(sizeof(bool) * rel->tupdesc->natts);
	GcJson json;

	gc_json_init(&json, contact, len);
	if (!gc_decoder_row(rows->decoder, &json, values, nulls))
		elog(ERROR, "could not read a contact that was refused: %s", json.error);
	return row_as_json(rel, values, nulls);
}

/* The contact as a row of the table again, and its id. */
static const char *
read_back(GcRejecter *rejecter, const GcRefusal *refusal, const char **id)
{
	const char *row = gc_reject_contact(rejecter->rows, refusal->json, refusal->len);
	GcSpan span = gc_decoder_id(rejecter->rows->decoder);
	char *decoded = palloc(span.len + 1);

	decoded[Max(gc_json_unescape(&span, decoded), 0)] = '\0';
	*id = decoded;
	return row;
}

static void
refused(void *arg, const GcRefusal *refusal)
{
	GcRejecter *rejecter = arg;
	MemoryContext caller_cxt = CurrentMemoryContext;
	const GcFailure *failure = refusal->failure;
	const GcProblem *problem = refusal->problem;
	const char *row_data = refusal->row_data;
	const char *id = refusal->id;

	if (rejecter->rows == NULL)
	{
		MemoryContextSwitchTo(rejecter->estate->es_query_cxt);
		rejecter->rows = gc_reject_rows_create(rejecter->rel, rejecter->list);
	}
	MemoryContextSwitchTo(rejecter->cxt);
	if (refusal->json)
		row_data = read_back(rejecter, refusal, &id);
	if (failure)
		problem = problem_of(rejecter, failure, refusal->tried,
							 rejecter->count >= rejecter->max ? id : NULL);
	gc_reject_text(rejecter, problem, id, row_data, refusal->correlation_id);
	rejecter->late += refusal->counted;
	MemoryContextSwitchTo(caller_cxt);
	MemoryContextReset(rejecter->cxt);
}

static void
tell(GcRejecter *rejecter)
{
	int count = rejecter->count - rejecter->told;
	int late = rejecter->late - rejecter->told_late;
	bool is_copy = rejecter->estate->es_plannedstmt == NULL;
	const char *counted = NULL;

	rejecter->told = rejecter->count;
	rejecter->told_late = rejecter->late;
	if (count == 0)
		return;
	if (late > 0 && rejecter->at_commit)
		counted = psprintf("Statements have counted %d of them among their rows.", late);
	else if (late > 0 && is_copy)
		counted = psprintf("COPY counts %d of them among its rows.", late);
	ereport(NOTICE,
			(errmsg_plural("%d row for %s was rejected", "%d rows for %s were rejected", count,
						   count, rejecter->rel->label),
			 counted ? errdetail_internal("%s", counted) : 0,
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
		gc_stream_flush();
		tell(rejecter);
	}
}
