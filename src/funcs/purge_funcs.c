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

#define ENDED_IMPORTS                                                                         \
	"SELECT id FROM " SCHEMA ".import_queue WHERE "                                           \
	"state IN ('done', 'failed', 'cancelled') AND ended_at < pg_catalog.now() - $1"

/* What is old, in this order: an import's rows go after those that belong to it. */
static const struct
{
	const char *table;
	const char *condition;
} histories[] = {
	{"audit_log", "at < pg_catalog.now() - $1"},
	{"rejected_rows", "at < pg_catalog.now() - $1"},
	{"sent_contacts", "sent_at < pg_catalog.now() - $1"},
	{"import_chunks", "import_id IN (" ENDED_IMPORTS ")"},
	{"import_tasks", "import_id IN (" ENDED_IMPORTS ")"},
	{"import_parts", "import_id IN (" ENDED_IMPORTS ")"},
	{"import_queue", "id IN (" ENDED_IMPORTS ")"},
};

/* A time in the future would take all there is: a slip of the pen, not a wish. */
static void
check_age(FunctionCallInfo fcinfo)
{
	Interval none = {0};

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("\"%s\" of purge() must not be NULL", "older_than")));
	if (DatumGetBool(
			DirectFunctionCall2(interval_lt, PG_GETARG_DATUM(0), IntervalPGetDatum(&none))))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"%s\" of purge() must not be negative", "older_than"),
						errhint("An interval of '0' takes all rows that there are.")));
}

/* How many rows went. */
static uint64
delete_old(const char *table, const char *condition, Datum older_than)
{
	Oid type = INTERVALOID;
	char *command = psprintf("DELETE FROM %s.%s WHERE %s", SCHEMA, table, condition);

	if (SPI_execute_with_args(command, 1, &type, &older_than, NULL, false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not delete from %s.%s", SCHEMA, table);
	return SPI_processed;
}

Datum
gc_fdw_purge(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	bool nulls[2] = {false, false};

	check_age(fcinfo);
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	for (int i = 0; i < lengthof(histories); i++)
	{
		uint64 rows =
			delete_old(histories[i].table, histories[i].condition, PG_GETARG_DATUM(0));
		Oid table = get_relname_relid(histories[i].table, get_namespace_oid(SCHEMA, false));
		Datum values[] = {ObjectIdGetDatum(table), Int64GetDatum(rows)};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	SPI_finish();
	return (Datum) 0;
}
