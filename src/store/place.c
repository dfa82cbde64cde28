/*
 * store/place.c
 *	  Where an import belongs: copies of a database do not dial (DESIGN 3).
 */
#include "postgres.h"

#include "store/place.h"

#include <unistd.h>

#include "access/htup_details.h"
#include "access/xlog.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

char *gc_cluster_id = "";

/* Seen through exports.map. */
#pragma GCC visibility push(default)
PG_FUNCTION_INFO_V1(gc_fdw_import_place);
#pragma GCC visibility pop

char *
gc_place(void)
{
	char host[256];

	if (gc_cluster_id[0] != '\0')
		return pstrdup(gc_cluster_id);
	if (gethostname(host, sizeof(host)) != 0)
		ereport(ERROR, (errcode(ERRCODE_SYSTEM_ERROR),
						errmsg("could not get the name of this host: %m"),
						errhint("Set gc_fdw.cluster_id.")));
	host[sizeof(host) - 1] = '\0';
	return psprintf(UINT64_FORMAT " %s:%s", GetSystemIdentifier(), host, DataDir);
}

Datum
gc_fdw_import_place(PG_FUNCTION_ARGS)
{
	TupleDesc tupdesc;
	Datum values[2];
	bool nulls[2] = {0};

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = CStringGetTextDatum(gc_place());
	values[1] = ObjectIdGetDatum(MyDatabaseId);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(tupdesc, values, nulls)));
}
