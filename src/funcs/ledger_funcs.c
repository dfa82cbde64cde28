/*
 * funcs/ledger_funcs.c
 *	  delivered(): did a contact reach the platform?
 */
#include "postgres.h"

#include "funcs/ledger_funcs.h"
#include "store/query.h"

#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Seen through exports.map. */
#pragma GCC visibility push(default)
PG_FUNCTION_INFO_V1(gc_fdw_delivered);
#pragma GCC visibility pop

#define DELIVERED_COLUMNS 4

static char *(*find_list)(Oid relid) = NULL;

void
gc_ledger_funcs_init(char *(*list_id)(Oid relid))
{
	find_list = list_id;
}

/* Who may read the list may know. */
static void
check_may_read(Oid relid)
{
	AclResult result = pg_class_aclcheck(relid, GetUserId(), ACL_SELECT);

	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_FOREIGN_TABLE, get_rel_name(relid));
}

static void
put_row(ReturnSetInfo *result)
{
	Datum values[DELIVERED_COLUMNS];
	bool nulls[DELIVERED_COLUMNS];

	for (int i = 0; i < DELIVERED_COLUMNS; i++)
		values[i] =
			SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &nulls[i]);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

Datum
gc_fdw_delivered(PG_FUNCTION_ARGS)
{
	static const Oid types[] = {TEXTOID, TEXTOID};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum values[2];
	char *list_id;
	GcQuery query;

	check_may_read(PG_GETARG_OID(0));
	InitMaterializedSRF(fcinfo, 0);
	list_id = find_list(PG_GETARG_OID(0));
	values[0] = CStringGetTextDatum(pg_any_to_server(list_id, strlen(list_id), PG_UTF8));
	values[1] = PG_GETARG_DATUM(1);
	if (gc_query_begin(&query))
	{
		if (gc_query_run("SELECT l.sent_at, l.source, l.source_id, "
						 " coalesce(p.correlation_id, a.correlation_id) "
						 "FROM gc_fdw.sent_contacts l LEFT JOIN gc_fdw.import_parts p "
						 " ON l.source = 'import' AND p.import_id = l.source_id AND "
						 "  p.part = l.part "
						 "LEFT JOIN gc_fdw.audit_log a "
						 " ON l.source = 'statement' AND a.id = l.source_id "
						 "WHERE l.list_id = $1 AND l.contact_id = $2",
						 lengthof(types), types, values, NULL) > 0)
			put_row(result);
		gc_query_end(&query);
	}
	return (Datum) 0;
}
