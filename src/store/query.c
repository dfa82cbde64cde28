/*
 * store/query.c
 *	  SQL over the extension's own tables, as their owner.
 */
#include "postgres.h"

#include "store/query.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

/* The owner of the extension; InvalidOid: there is none. */
static Oid
extension_owner(void)
{
	Oid extension = get_extension_oid("gc_fdw", true);
	Relation rel = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;
	Oid owner = InvalidOid;

	ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(extension));
	scan = systable_beginscan(rel, ExtensionOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		owner = ((Form_pg_extension) GETSTRUCT(tuple))->extowner;
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return owner;
}

bool
gc_query_begin(GcQuery *query)
{
	Oid owner = extension_owner();

	if (!OidIsValid(owner))
		return false;
	query->cxt = CurrentMemoryContext;
	GetUserIdAndSecContext(&query->caller, &query->caller_context);
	SetUserIdAndSecContext(owner, query->caller_context | SECURITY_LOCAL_USERID_CHANGE |
									  SECURITY_RESTRICTED_OPERATION);
	query->read_only = XactReadOnly;
	XactReadOnly = false;
	query->guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	PushActiveSnapshot(GetTransactionSnapshot());
	return true;
}

void
gc_query_begin_or_throw(GcQuery *query)
{
	if (!gc_query_begin(query))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("there is no extension gc_fdw in this database")));
}

static uint64
execute(const char *command, int count, const Oid *types, Datum *values, const char *nulls,
		bool read_only)
{
	int result = SPI_execute_with_args(command, count, unconstify(Oid *, types), values, nulls,
									   read_only, 0);

	if (result < 0)
		elog(ERROR, "could not run a command on the extension's tables: %s",
			 SPI_result_code_string(result));
	return SPI_processed;
}

uint64
gc_query_run(const char *command, int count, const Oid *types, Datum *values,
			 const char *nulls)
{
	return execute(command, count, types, values, nulls, false);
}

uint64
gc_query_look(const char *command, int count, const Oid *types, Datum *values)
{
	uint64 rows;

	PushActiveSnapshot(GetLatestSnapshot());
	rows = execute(command, count, types, values, NULL, true);
	PopActiveSnapshot();
	return rows;
}

char *
gc_query_text(GcQuery *query, uint64 row, int column)
{
	char *value = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);

	return value ? MemoryContextStrdup(query->cxt, value) : NULL;
}

void
gc_query_end(GcQuery *query)
{
	PopActiveSnapshot();
	SPI_finish();
	AtEOXact_GUC(true, query->guc_level);
	XactReadOnly = query->read_only;
	SetUserIdAndSecContext(query->caller, query->caller_context);
}
