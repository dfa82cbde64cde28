/*
 * fdw/import_run.c
 *	  Sends an import: what a worker does (DESIGN 4.6).
 *
 * Each part is sent in a transaction of its own, which holds neither a snapshot
 * nor a lock meanwhile, and ends with what became of the part.  That it is about
 * to be sent is committed before: a part that is found so, after a crash, may be
 * there, and is read back first.
 */
#include "postgres.h"

#include "api/dialect.h"
#include "fdw/import_check.h"
#include "fdw/import_parts.h"
#include "fdw/import_run.h"
#include "fdw/modify_state.h"
#include "store/parts.h"

#include "access/table.h"
#include "access/xact.h"
#include "commands/extension.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* ---- setting out ---- */

/* The foreign table as it is now; throws if there is none of that name any more. */
static GcRelation *
load_table(const GcImport *import)
{
	Oid relid =
		DatumGetObjectId(DirectFunctionCall1(regclassin, CStringGetDatum(import->relation)));
	Relation relation = table_open(relid, AccessShareLock);
	GcRelation *rel;

	if (relation->rd_rel->relkind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("%s is no foreign table any more", import->relation)));
	rel = gc_relation_load(relation);
	rel->tupdesc = CreateTupleDescCopy(rel->tupdesc);
	table_close(relation, AccessShareLock);
	return rel;
}

void
gc_import_transaction(const GcImportRun *run)
{
	StartTransactionCommand();
	if (get_extension_oid("gc_fdw", true) != run->extension)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("the extension gc_fdw was dropped while it sent an import")));
}

static void
prepare(GcImportRun *run)
{
	GcImport *import = run->import;
	GcStat stat = {0};
	int64 spent = 0;

	stat.spent = &spent;
	run->rel = load_table(import);
	run->user_id = get_role_oid(import->run_as, false);
	run->conn = gc_connection_get(run->user_id, run->rel->server_id);
	run->list = gc_list_get(run->conn, &stat, import->list_id, NULL);
	gc_relation_call(run->rel, run->list);
	gc_modify_settings(run->rel, GC_VERB_INSERT, &run->settings);
	run->settings.operation = "IMPORT";
	run->settings.by_role = import->submitted_by;
	run->settings.import_id = import->id;
	run->settings.rejected = import->rows_rejected;
	run->settings.kept = &run->kept;
}

/* Reads the import; false: there is nothing to send. */
static bool
set_out(GcImportRun *run, int64 id)
{
	bool begun;

	StartTransactionCommand();
	MemoryContextSwitchTo(run->cxt);
	run->extension = get_extension_oid("gc_fdw", true);
	run->import = gc_import_read(id);
	begun = run->import && gc_import_begin(id);
	CommitTransactionCommand();
	return begun;
}

/* ---- parts ---- */

static const GcImportMethod methods[] = {[GC_IMPORT_POSTS] = gc_import_contacts,
										 [GC_IMPORT_FILE] = gc_import_upload,
										 [GC_IMPORT_APPEND] = gc_import_job,
										 [GC_IMPORT_QUEUE] = gc_import_job,
										 [GC_IMPORT_JOB_FILE] = gc_import_job};

static GcImportMethod
method_of(const GcImportRun *run, const GcPart *part)
{
	const GcImportWay *way =
		gc_dialect_way(gc_dialect(run->rel->server_options), part->method);

	if (way == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("part %d of the import is to be sent by method \"%s\", which the "
						"server's dialect does not have",
						part->part, part->method)));
	return methods[way->form];
}

/* The next part, which is about to be sent; NULL: there is none, or somebody has stopped it. */
static GcPart *
next_part(GcImportRun *run)
{
	GcPart *part;

	gc_import_transaction(run);
	MemoryContextSwitchTo(run->cxt);
	part = gc_part_begin(run->import->id);
	CommitTransactionCommand();
	return part;
}

/* F2: a part that has failed ends all of it. */
static void
end_with(const GcImportRun *run, const GcPartResult *result)
{
	const GcImportFailure failure = {.is_final = true,
									 .code = result->failure_code,
									 .reason = result->failure_reason,
									 .in_doubt = result->in_doubt};

	gc_import_stop(run->import->id, &failure);
}

static void
send_part(GcImportRun *run, const GcPart *part)
{
	GcPartResult result = {.state = "done"};

	gc_rejects_drop_kept(&run->kept);
	gc_import_transaction(run);
	run->sending = true;
	method_of(run, part)(run, part, &result);
	run->sending = run->is_untouched = false;
	run->entry = NULL;
	run->stat = NULL;
	run->settings.rejected += result.rejected;
	/* Another extension in its place may have an import of this id, too. */
	gc_parts_keep(part->chunks);
	if (strcmp(result.state, "done") == 0 || result.is_counted)
		gc_import_ledger(run, part);
	gc_part_settle(run->import->id, part->part, &result);
	if (strcmp(result.state, "failed") == 0)
		end_with(run, &result);
	CommitTransactionCommand();
}

/* ---- the import ---- */

static void
send_all(GcImportRun *run)
{
	GcPart *part;

	gc_import_transaction(run);
	MemoryContextSwitchTo(run->cxt);
	prepare(run);
	CommitTransactionCommand();
	if (!run->import->is_checked)
		gc_import_check(run);
	while ((part = next_part(run)) != NULL)
		send_part(run, part);
	gc_import_transaction(run);
	gc_import_settle(run->import->id);
	CommitTransactionCommand();
}

/* Does such an error pass by itself: the network, the platform's moods, a lack of room? */
static bool
passes(int sqlstate)
{
	switch (ERRCODE_TO_CATEGORY(sqlstate))
	{
		case ERRCODE_CONNECTION_EXCEPTION:
		case ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION:
		case ERRCODE_TRANSACTION_ROLLBACK:
		case ERRCODE_INSUFFICIENT_RESOURCES:
		case ERRCODE_SYSTEM_ERROR:
			return true;
	}
	return sqlstate == ERRCODE_LOCK_NOT_AVAILABLE || sqlstate == ERRCODE_FDW_ERROR;
}

/* Is it about what is sent, so that it would be refused again? */
static bool
is_about_data(int sqlstate)
{
	switch (ERRCODE_TO_CATEGORY(sqlstate))
	{
		case ERRCODE_DATA_EXCEPTION:
		case ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION:
		case ERRCODE_PROGRAM_LIMIT_EXCEEDED:
			return true;
	}
	return sqlstate == ERRCODE_DATA_CORRUPTED;
}

static GcImportFailure
read_failure(const GcImportRun *run, const ErrorData *error)
{
	GcImportFailure failure = {
		.is_final = run->sending && !run->asks && is_about_data(error->sqlerrcode),
		.passes = passes(error->sqlerrcode),
		.code = unpack_sql_state(error->sqlerrcode),
		.reason =
			error->detail ? psprintf("%s: %s", error->message, error->detail) : error->message,
	};

	/* It waits for somebody, who is told what to do. */
	if (!failure.is_final && !failure.passes && error->hint)
		failure.reason = psprintf("%s  %s", failure.reason, error->hint);
	failure.is_untouched = run->is_untouched;
	if (run->stat)
		failure.requests = run->stat->requests;
	if (run->entry)
	{
		failure.accepted = run->entry->accepted;
		failure.rejected = run->entry->rejected;
		failure.in_doubt = run->entry->in_doubt;
	}
	return failure;
}

/* It pauses or fails, with the error as its reason. */
static void
stop(GcImportRun *run)
{
	ErrorData *error;
	GcImportFailure failure;

	MemoryContextSwitchTo(run->cxt);
	error = CopyErrorData();
	failure = read_failure(run, error);
	failure.code = pstrdup(failure.code);
	FlushErrorState();
	AbortOutOfAnyTransaction();
	gc_import_transaction(run);
	/* The transaction has taken along what its part had rejected. */
	if (failure.is_final)
		(void) gc_rejects_write_kept(&run->kept);
	gc_import_stop(run->import->id, &failure);
	CommitTransactionCommand();
}

void
gc_import_run(int64 id)
{
	GcImportRun *run;
	MemoryContext cxt =
		AllocSetContextCreate(TopMemoryContext, "gc_fdw import", ALLOCSET_DEFAULT_SIZES);

	MemoryContextSwitchTo(cxt);
	run = palloc0(sizeof(GcImportRun));
	run->cxt = run->kept.cxt = cxt;
	if (set_out(run, id))
	{
		PG_TRY();
		{
			send_all(run);
		}
		PG_CATCH();
		{
			stop(run);
		}
		PG_END_TRY();
	}
	MemoryContextSwitchTo(TopMemoryContext);
	MemoryContextDelete(cxt);
}
