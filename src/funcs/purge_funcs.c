/*
 * funcs/purge_funcs.c
 *	  purge(): old rows of the tables of history.
 *
 * SECURITY DEFINER, with a search_path of its own: the extension's script says so.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* Seen through exports.map. */
#pragma GCC visibility push(default)
PG_FUNCTION_INFO_V1(gc_fdw_purge);
#pragma GCC visibility pop

/* As the control file says. */
#define SCHEMA "gc_fdw"

#define OPEN_IMPORTS                                                                          \
	"SELECT id FROM " SCHEMA ".import_queue WHERE state IN ('staged', 'running', 'paused')"

/* What is still to be done after it is part of an import; in a copy of the database it is not. */
#define ENDED_IMPORTS                                                                         \
	"SELECT q.id FROM " SCHEMA ".import_queue q, " SCHEMA ".import_place() p WHERE "          \
	"q.state IN ('done', 'failed', 'cancelled') AND q.ended_at < pg_catalog.now() - $1 AND "  \
	"NOT (q.system_identifier = p.system_identifier AND q.database_oid = p.database_oid AND " \
	"EXISTS (SELECT FROM " SCHEMA ".import_tasks t "                                          \
	"WHERE t.import_id = q.id AND t.state = 'pending'))"

#define NOT_OF_OPEN "NOT (source = 'import' AND source_id IN (" OPEN_IMPORTS "))"

#define NONE_IN(table) "NOT EXISTS (SELECT FROM " SCHEMA "." table " o WHERE o.import_id = id)"

/* What is old, in this order: an import's row goes after those that belong to it. */
static const struct
{
	const char *table;
	const char *condition;
} histories[] = {
	{"audit_log", "at < pg_catalog.now() - $1"},
	{"rejected_rows", "at < pg_catalog.now() - $1 AND " NOT_OF_OPEN},
	{"contact_audit", "at < pg_catalog.now() - $1"},
	{"sent_contacts", "sent_at < pg_catalog.now() - $1 AND " NOT_OF_OPEN},
	{"import_chunks", "import_id IN (" ENDED_IMPORTS ")"},
	{"import_tasks", "import_id IN (" ENDED_IMPORTS ")"},
	{"import_parts", "import_id IN (" ENDED_IMPORTS ")"},
	{"import_queue", "id IN (" ENDED_IMPORTS
					 ") AND " NONE_IN("import_chunks") " AND " NONE_IN("import_parts")},
};

static void
throw_invalid(const char *name, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("\"%s\" of purge() must not be negative", name),
					hint ? errhint("%s", hint) : 0));
}

/* A time in the future would take all there is: a slip of the pen, not a wish. */
static void
check_arguments(FunctionCallInfo fcinfo)
{
	Interval none = {0};

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("\"%s\" of purge() must not be NULL", "older_than")));
	if (DatumGetBool(
			DirectFunctionCall2(interval_lt, PG_GETARG_DATUM(0), IntervalPGetDatum(&none))))
		throw_invalid("older_than", "An interval of '0' takes all rows that there are.");
	if (!PG_ARGISNULL(1) && PG_GETARG_INT64(1) < 0)
		throw_invalid("max_rows", NULL);
}

/* How many rows went.  A limit of NULL is none. */
static uint64
delete_old(const char *table, const char *condition, FunctionCallInfo fcinfo)
{
	Oid types[] = {INTERVALOID, INT8OID};
	Datum values[] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)};
	char nulls[] = {' ', PG_ARGISNULL(1) ? 'n' : ' ', '\0'};
	const char *form = PG_ARGISNULL(1)
						   ? "DELETE FROM %s.%s WHERE %s AND $2::bigint IS NULL"
						   : "DELETE FROM %1$s.%2$s WHERE ctid = ANY (ARRAY(SELECT "
							 "ctid FROM %1$s.%2$s WHERE %3$s LIMIT $2))";

	if (SPI_execute_with_args(psprintf(form, SCHEMA, table, condition), lengthof(types), types,
							  values, nulls, false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not delete from %s.%s", SCHEMA, table);
	return SPI_processed;
}

Datum
gc_fdw_purge(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	bool nulls[2] = {false, false};

	check_arguments(fcinfo);
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	for (int i = 0; i < lengthof(histories); i++)
	{
		uint64 rows = delete_old(histories[i].table, histories[i].condition, fcinfo);
		Oid table = get_relname_relid(histories[i].table, get_namespace_oid(SCHEMA, false));
		Datum values[] = {ObjectIdGetDatum(table), Int64GetDatum(rows)};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	SPI_finish();
	return (Datum) 0;
}
