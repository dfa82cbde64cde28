/*
 * funcs/reconcile_funcs.c
 *	  reconcile_import(): the platform, or a gateway, says that a job has ended.
 *
 * An event is news and no proof (SCENARIOS B5): the file's hash is compared with what was
 * staged (C4), and an import that had been given up waiting goes on, its worker asking the
 * platform what has become of it.
 */
#include "postgres.h"

#include "store/import_control.h"
#include "store/place.h"
#include "store/query.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

/* Seen through exports.map. */
#pragma GCC visibility push(default)
PG_FUNCTION_INFO_V1(gc_fdw_reconcile_import);
#pragma GCC visibility pop

/* The part that an event is about. */
typedef struct Found
{
	int64 import_id;
	char *state;
	char *submitted_by;
	char *sha256;
	char *event_sha256; /* NULL: the event has none */
	bool is_over;
} Found;

/*
 * Both forms: outbound.contact.upload.completed, and the platform's
 * v2.outbound.contactlists.{id}.importstatus, bare or as a notification with its topic.
 * A job or a file of ours is known by its id or hash; without either it is the list's upload,
 * the oldest that has not ended.
 */
static const char find_part[] =
	"WITH event AS (SELECT $1 AS e, coalesce($1->'eventBody', $1) AS body), "
	"told AS (SELECT coalesce(body->>'contactListId', "
	"  substring(e->>'topicName' FROM "
	"'^v2\\.outbound\\.contactlists\\.(.+)\\.importstatus$'), "
	"  body->>'id') AS list_id, "
	" body->>'jobId' AS job_id, pg_catalog.lower(body->>'sha256') AS sha256, "
	" coalesce(body->>'status', s->>'importState', body->>'importState') AS state, "
	" coalesce(s->>'percentageComplete', body->>'percentageComplete') AS percent "
	" FROM event, LATERAL (SELECT body->'importStatus' AS s) AS status) "
	"SELECT q.id, q.state, q.submitted_by, pg_catalog.encode(p.sha256, 'hex'), t.sha256, "
	" coalesce(pg_catalog.lower(t.state) IN ('completed', 'failed', 'canceled', 'cancelled'), "
	"  CASE WHEN t.percent ~ '^[0-9]+([.][0-9]+)?$' THEN t.percent::numeric >= 100 END, "
	"false) "
	"FROM told t JOIN gc_fdw.import_queue q ON q.list_id = t.list_id "
	"JOIN gc_fdw.import_parts p ON p.import_id = q.id "
	"WHERE q.system_identifier = $2 AND q.database_oid = $3 AND (p.job_id = t.job_id OR "
	" pg_catalog.encode(p.sha256, 'hex') = t.sha256 OR "
	" t.job_id IS NULL AND t.sha256 IS NULL AND p.method <> 'contacts') "
	"ORDER BY p.job_id = t.job_id DESC NULLS LAST, p.state IN ('sending', 'accepted') DESC, "
	" q.state IN ('running', 'paused') DESC, "
	" CASE WHEN q.ended_at IS NULL THEN q.id ELSE -q.id END LIMIT 1";

static bool
find(Datum event, Found *found)
{
	static const Oid types[] = {JSONBOID, TEXTOID, OIDOID};
	Datum values[] = {event, CStringGetTextDatum(gc_place()), ObjectIdGetDatum(MyDatabaseId)};
	GcQuery query;
	bool any;
	bool isnull;

	if (!gc_query_begin(&query))
		return false;
	any = gc_query_run(find_part, lengthof(types), types, values, NULL) > 0;
	if (any)
	{
		HeapTuple tuple = SPI_tuptable->vals[0];
		TupleDesc tupdesc = SPI_tuptable->tupdesc;

		found->import_id = DatumGetInt64(SPI_getbinval(tuple, tupdesc, 1, &isnull));
		found->state = gc_query_text(&query, 0, 2);
		found->submitted_by = gc_query_text(&query, 0, 3);
		found->sha256 = gc_query_text(&query, 0, 4);
		found->event_sha256 = gc_query_text(&query, 0, 5);
		found->is_over = DatumGetBool(SPI_getbinval(tuple, tupdesc, 6, &isnull));
	}
	gc_query_end(&query);
	return any;
}

static void
check(const Found *found)
{
	if (!has_privs_of_role(GetUserId(), get_role_oid(found->submitted_by, true)))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("import " INT64_FORMAT " was submitted by another role",
							   found->import_id)));
	if (found->event_sha256 && strcmp(found->event_sha256, found->sha256) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("import " INT64_FORMAT " was not taken as it was sent",
							   found->import_id),
						errdetail("The event has the SHA-256 %s, the part %s.",
								  found->event_sha256, found->sha256)));
}

Datum
gc_fdw_reconcile_import(PG_FUNCTION_ARGS)
{
	Found found = {0};

	if (!find(PG_GETARG_DATUM(0), &found))
		PG_RETURN_NULL();
	check(&found);
	if (found.is_over && strcmp(found.state, "paused") == 0)
		(void) gc_import_resume(found.import_id);
	PG_RETURN_INT64(found.import_id);
}
