/*
 * fdw/staging.c
 *	  Contacts that become an import: deliver 'import', and submit_import (DESIGN 4.6).
 */
#include "postgres.h"

#include "base/option.h"
#include "base/value.h"
#include "fdw/drift.h"
#include "fdw/id_sort.h"
#include "fdw/reject.h"
#include "fdw/staged_parts.h"
#include "fdw/staging.h"
#include "fdw/webhook.h"
#include "store/imports.h"
#include "store/job.h"
#include "store/rejects.h"

#include "access/table.h"
#include "access/xact.h"
#include "executor/spi.h"
#include "foreign/foreign.h"
#include "lib/ilist.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/rel.h"

/* Ids that an error names. */
#define IDS_SHOWN 5

struct GcStaging
{
	dlist_node node; /* in stagings */
	EState *estate;
	GcRelation *rel;
	GcImport import; /* its id is 0 before the first row */
	GcConnection *conn;
	GcList *list;
	GcStagedParts *parts; /* NULL before the first row */
	GcIdSort *ids;		  /* NULL: they may come twice */
	int part_rows;		  /* 0: as the method has it */
	bool is_submitted;	  /* by submit_import(), which has made the import */
	int64 rows;
	int64 rejected;
	GcSeen *only; /* ids that are wanted; NULL: all are */
	int64 unwanted;
	bool ended;
	MemoryContextCallback on_reset;
};

static dlist_head stagings = DLIST_STATIC_INIT(stagings);

/* What is submitted at the moment, the innermost of them; NULL: nothing. */
typedef struct Submitting
{
	const GcSubmission *wanted;
	int64 import_id;
	bool opened; /* its statement has begun: what writes to the table now is another one's */
	struct Submitting *outer;
} Submitting;

static Submitting *submitting = NULL;

static void
staging_reset(void *arg)
{
	dlist_delete(&((GcStaging *) arg)->node);
}

static const char *
option(const GcRelation *rel, const char *given, const char *name)
{
	return given ? given : gc_option_string(rel->options, rel->server_options, name);
}

/* The table's name, as regclass takes it whatever the search path is. */
static const char *
qualified_name(const GcRelation *rel)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(rel->relid)),
									  rel->name);
}

/* What a statement that writes this table was submitted with; NULL: it was not. */
static const GcSubmission *
submitted(const GcRelation *rel)
{
	if (submitting && !submitting->opened && submitting->wanted->relid == rel->relid)
		return submitting->wanted;
	return NULL;
}

static void
describe(GcImport *import, const GcSubmission *wanted, const GcRelation *rel,
		 const GcList *list, Oid user_id)
{
	import->list_id = list->id;
	import->list_name = list->name;
	import->server = GetForeignServer(rel->server_id)->servername;
	import->relation = qualified_name(rel);
	import->submitted_by = GetUserNameFromId(GetUserId(), false);
	import->run_as = GetUserNameFromId(user_id, false);
	import->method = wanted->method ? wanted->method : "auto";
	import->on_duplicate = option(rel, wanted->on_duplicate, "on_duplicate");
	import->verification = option(rel, wanted->verification, "verification");
	import->import_key = wanted->import_key;
	import->campaign_id = wanted->campaign_id;
	import->webhook_url = wanted->webhook_url;
	import->options = wanted->options ? wanted->options : "{}";
}

bool
gc_staging_wanted(const GcRelation *rel)
{
	return submitted(rel) != NULL ||
		   strcmp(gc_option_string(rel->options, rel->server_options, "deliver"), "import") ==
			   0;
}

/* A submission may say for itself how its rows are verified. */
static void
verify_as(GcRelation *rel, const GcSubmission *wanted)
{
	if (wanted->verification)
		rel->strict = strcmp(wanted->verification, "strict") == 0;
}

void
gc_staging_prepare(GcRelation *rel)
{
	const GcSubmission *wanted = submitted(rel);

	if (wanted)
		verify_as(rel, wanted);
}

GcStaging *
gc_staging_open(EState *estate, GcConnection *conn, GcRelation *rel, GcList *list, Oid user_id)
{
	const GcSubmission nothing = {0};
	const GcSubmission *wanted = submitted(rel);
	MemoryContext caller_cxt = MemoryContextSwitchTo(estate->es_query_cxt);
	GcStaging *staging = palloc0(sizeof(GcStaging));

	staging->estate = estate;
	staging->rel = rel;
	staging->conn = conn;
	staging->list = list;
	describe(&staging->import, wanted ? wanted : &nothing, rel, list, user_id);
	staging->part_rows = wanted ? wanted->part_rows : 0;
	if (wanted)
	{
		submitting->opened = staging->is_submitted = true;
		staging->import.id = submitting->import_id;
		staging->only = submitting->wanted->only;
	}
	staging->on_reset.func = staging_reset;
	staging->on_reset.arg = staging;
	dlist_push_tail(&stagings, &staging->node);
	MemoryContextRegisterResetCallback(estate->es_query_cxt, &staging->on_reset);
	MemoryContextSwitchTo(caller_cxt);
	return staging;
}

/* A submission may be for some of its query's rows alone; they are known by what rejected_rows calls them. */
static bool
is_wanted(GcStaging *staging, const char *id)
{
	const char *shown;

	if (staging->only == NULL)
		return true;
	shown = id ? gc_value_display(id, strlen(id)) : NULL;
	if (shown && gc_seen_has(staging->only, shown, strlen(shown)))
		return true;
	staging->unwanted++;
	return false;
}

void
gc_staging_on_duplicate(GcStaging *staging, const char *word)
{
	if (!staging->is_submitted)
		staging->import.on_duplicate = word;
}

static void refuse_trimmed(void *arg, const GcRow *row, const char *column);

/*
 * There is a row: now the import is made, if it was not submitted.  A statement that has
 * none leaves nothing.
 */
static void
begin(GcStaging *staging)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(staging->estate->es_query_cxt);
	bool is_new;

	if (staging->import.id == 0)
		staging->import.id = gc_import_create(&staging->import, &is_new);
	staging->parts =
		gc_staged_parts_open(&(GcStagedPartsSetup){.import = &staging->import,
												   .conn = staging->conn,
												   .rel = staging->rel,
												   .list = staging->list,
												   .part_rows = staging->part_rows,
												   .refuse = refuse_trimmed,
												   .arg = staging});
	/* K8: under 'update' the last of them counts; else nobody can say which one is meant. */
	if (strcmp(staging->import.on_duplicate, "update") != 0)
		staging->ids = gc_id_sort_create(work_mem / 2);
	MemoryContextSwitchTo(caller_cxt);
}

const GcProblem *
gc_staging_check(const GcStaging *staging, const GcRow *row)
{
	GcProblem *problem;

	if (!row->made_id)
		return NULL;
	problem = palloc0(sizeof(GcProblem));
	problem->sqlstate = ERRCODE_NOT_NULL_VIOLATION;
	problem->code = "value.required";
	problem->message = psprintf("a row for %s has no contact id", staging->rel->label);
	problem->detail = "An import is sent again after a crash, and a contact with a random id "
					  "would be there twice.";
	problem->hint = "Give the foreign table the option \"key\", or its rows an id.";
	return problem;
}

void
gc_staging_row(GcStaging *staging, const GcRow *row)
{
	if (!is_wanted(staging, row->id))
		return;
	if (staging->parts == NULL)
		begin(staging);
	if (staging->ids)
		gc_id_sort_put(staging->ids, row->id, strlen(row->id), staging->rows);
	staging->rows++;
	gc_staged_parts_row(staging->parts, row);
}

static _Noreturn void
refuse(GcStaging *staging, const GcProblem *problem)
{
	const char *before = "";

	if (staging->rejected > 0)
		before = psprintf("\nRows rejected before: " INT64_FORMAT
						  ", as many as max_rejects allows.",
						  staging->rejected);
	ereport(ERROR, (errcode(problem->sqlstate), errmsg_internal("%s", problem->message),
					errdetail_internal("%s%s", problem->detail, before),
					problem->hint ? errhint("%s", problem->hint) : 0));
}

static void
reject(GcStaging *staging, const GcProblem *problem, const char *id, const char *row_data)
{
	GcReject reject;

	if (!gc_reject_goes_on(staging->rel) || staging->rejected >= gc_reject_max(staging->rel))
		refuse(staging, problem);
	if (staging->parts == NULL)
		begin(staging);
	reject = (GcReject){
		.at = GetCurrentTimestamp(),
		.by_role = staging->import.submitted_by,
		.list_id = staging->import.list_id,
		.source = "import",
		.source_id = staging->import.id,
		.key = id ? gc_value_display(id, strlen(id)) : NULL,
		.code = problem->code,
		.reason = problem->reason ? problem->reason
								  : psprintf("%s: %s", problem->message, problem->detail),
		.field = problem->field,
	};
	if (!is_wanted(staging, id))
		return;
	reject.row_data = row_data;
	gc_rejects_write(&reject);
	staging->rejected++;
}

/* Throws the problem unless a row may be rejected. */
static void
check_rejects(GcStaging *staging, const GcProblem *problem)
{
	if (!gc_reject_goes_on(staging->rel) || staging->rejected >= gc_reject_max(staging->rel))
		refuse(staging, problem);
}

void
gc_staging_reject(GcStaging *staging, const GcProblem *problem, const char *id,
				  TupleTableSlot *slot)
{
	check_rejects(staging, problem);
	reject(staging, problem, id, gc_reject_row_data(staging->rel, slot));
}

/* C6: a file's cells would be trimmed. */
static void
refuse_trimmed(void *arg, const GcRow *row, const char *column)
{
	GcStaging *staging = arg;
	GcProblem problem = {
		.sqlstate = ERRCODE_INVALID_PARAMETER_VALUE,
		.message = psprintf("column \"%s\" of %s has blanks at the beginning or the end",
							gc_value_display(column, strlen(column)), staging->rel->label),
		.detail = psprintf(
			"The list trims the cells of files (trimWhitespace).  Contact id: \"%s\".",
			gc_value_display(row->id, strlen(row->id))),
		.hint = "Trim it, or use method 'contacts', or verification 'relaxed'.",
		.code = "invalid.value",
		.field = gc_value_display(column, strlen(column)),
	};
	int len = row->len - row->cells - 2;

	check_rejects(staging, &problem);
	reject(
		staging, &problem, row->id,
		pg_any_to_server(psprintf("{%.*s}", len, row->json + row->cells), len + 2, PG_UTF8));
	staging->rows--;
}

/* ---- the end ---- */

static _Noreturn void
throw_repeated(GcStaging *staging, const char *shown, int64 count)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg_plural(INT64_FORMAT " row for %s repeats the contact id of another",
						   INT64_FORMAT " rows for %s repeat the contact id of another", count,
						   count, staging->rel->label),
			 errdetail_internal("Contact ids: %s%s.", shown, count > IDS_SHOWN ? ", …" : ""),
			 errhint("Remove them from the source, or use on_duplicate 'update'.")));
}

static void
check_ids(GcStaging *staging)
{
	StringInfoData last;
	StringInfoData shown;
	const char *id;
	int64 number;
	int64 repeated = 0;
	int len;

	if (staging->ids == NULL)
		return;
	initStringInfo(&last);
	initStringInfo(&shown);
	gc_id_sort_finish(staging->ids);
	while (gc_id_sort_next(staging->ids, &id, &len, &number))
	{
		CHECK_FOR_INTERRUPTS();
		if (last.len == len && memcmp(last.data, id, len) == 0 && ++repeated <= IDS_SHOWN)
			appendStringInfo(&shown, "%s\"%s\"", repeated > 1 ? ", " : "",
							 gc_value_display(pnstrdup(id, len), NAMEDATALEN));
		resetStringInfo(&last);
		appendBinaryStringInfo(&last, id, len);
	}
	if (repeated > 0)
		throw_repeated(staging, shown.data, repeated);
	gc_id_sort_end(staging->ids);
}

static void
end(GcStaging *staging)
{
	const char *method;

	staging->ended = true;
	if (staging->parts == NULL)
	{
		if (staging->is_submitted)
			gc_job_imports_at_commit();
		return;
	}
	check_ids(staging);
	method = gc_staged_parts_close(staging->parts);
	gc_import_stage(staging->import.id, staging->rows, staging->rejected, method);
	gc_job_imports_at_commit();
	if (staging->rejected > 0)
		ereport(
			NOTICE,
			(errmsg_plural(INT64_FORMAT " row for %s was rejected",
						   INT64_FORMAT " rows for %s were rejected", staging->rejected,
						   staging->rejected, staging->rel->label),
			 errhint("See gc_fdw.rejected_rows, source 'import', source_id " INT64_FORMAT ".",
					 staging->import.id)));
	if (staging->unwanted > 0)
		ereport(NOTICE,
				(errmsg_plural(INT64_FORMAT " row was left out: its key had not been rejected",
							   INT64_FORMAT
							   " rows were left out: their keys had not been rejected",
							   staging->unwanted, staging->unwanted)));
	if (!staging->is_submitted)
		ereport(
			NOTICE,
			(errmsg("import " INT64_FORMAT " for %s begins when this transaction is committed",
					staging->import.id, staging->rel->label),
			 errdetail_plural("It is " INT64_FORMAT " row.", "It is " INT64_FORMAT " rows.",
							  staging->rows, staging->rows),
			 errhint("See gc_fdw.imports, or wait with gc_fdw.await_import.")));
}

void
gc_staging_finish(EState *estate)
{
	dlist_iter iter;

	dlist_foreach (iter, &stagings)
	{
		GcStaging *staging = dlist_container(GcStaging, node, iter.cur);

		if (staging->estate == estate && !staging->ended)
			end(staging);
	}
}

/* ---- submitting ---- */

/* The columns of the query's rows, for an INSERT to name. */
static char *
column_names(SPIPlanPtr plan)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));
	TupleDesc tupdesc = source->resultDesc;
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < tupdesc->natts; i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "",
						 quote_identifier(NameStr(TupleDescAttr(tupdesc, i)->attname)));
	return names.data;
}

/* The submission as an INSERT, which is planned and run as whoever submits it. */
static char *
as_insert(const GcSubmission *wanted, const GcRelation *rel)
{
	char *rows = psprintf("SELECT * FROM (%s\n) AS q", wanted->query);
	SPIPlanPtr plan = SPI_prepare(rows, 0, NULL);

	if (plan == NULL)
		elog(ERROR, "could not prepare a query: %s", SPI_result_code_string(SPI_result));
	return psprintf("INSERT INTO %s (%s) %s", qualified_name(rel), column_names(plan), rows);
}

static void
run_query(const GcSubmission *wanted, const GcRelation *rel)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	if (SPI_execute(as_insert(wanted, rel), false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not run the query of an import");
	SPI_finish();
}

/* What INSERT would ask for, before an import is made for the list. */
static GcRelation *
open_list(const GcSubmission *wanted, GcConnection **conn, GcList **list)
{
	Relation relation = table_open(wanted->relid, AccessShareLock);
	GcStat stat = {0};
	int64 spent = 0;
	GcRelation *rel;

	stat.spent = &spent;
	if (relation->rd_rel->relkind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a foreign table", RelationGetRelationName(relation))));
	rel = gc_relation_load(relation);
	*conn = gc_connection_get(GetUserId(), rel->server_id);
	verify_as(rel, wanted);
	*list = gc_drift_list(*conn, &stat, rel, true);
	table_close(relation, NoLock);
	return rel;
}

int64
gc_staging_submit(const GcSubmission *wanted)
{
	GcConnection *conn;
	GcList *list;
	GcRelation *rel = open_list(wanted, &conn, &list);
	Submitting mine = {.wanted = wanted, .outer = submitting};
	GcImport import = {0};
	bool is_new;

	gc_webhook_check(wanted->webhook_url, wanted->options);
	describe(&import, wanted, rel, list, GetUserId());
	mine.import_id = gc_import_create(&import, &is_new);
	if (!is_new)
		return mine.import_id;
	submitting = &mine;
	PG_TRY();
	{
		run_query(wanted, rel);
	}
	PG_FINALLY();
	{
		submitting = mine.outer;
	}
	PG_END_TRY();
	return mine.import_id;
}
