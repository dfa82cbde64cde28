/*
 * fdw/id_sort.c
 *	  Ids in ascending order of their bytes, each with a number.
 */
#include "postgres.h"

#include "fdw/id_sort.h"

#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"

struct GcIdSort
{
	Tuplesortstate *sort;
	TupleTableSlot *put;
	TupleTableSlot *got;
};

GcIdSort *
gc_id_sort_create(int memory)
{
	GcIdSort *sort = palloc(sizeof(GcIdSort));
	TupleDesc tupdesc = CreateTemplateTupleDesc(2);
	Oid less[] = {lookup_type_cache(BYTEAOID, TYPECACHE_LT_OPR)->lt_opr,
				  lookup_type_cache(INT8OID, TYPECACHE_LT_OPR)->lt_opr};

	TupleDescInitEntry(tupdesc, 1, "id", BYTEAOID, -1, 0);
	TupleDescInitEntry(tupdesc, 2, "number", INT8OID, -1, 0);
	sort->put = MakeSingleTupleTableSlot(tupdesc, &TTSOpsVirtual);
	sort->got = MakeSingleTupleTableSlot(tupdesc, &TTSOpsMinimalTuple);
	sort->sort = tuplesort_begin_heap(tupdesc, 2, (AttrNumber[]){1, 2}, less,
									  (Oid[]){InvalidOid, InvalidOid}, (bool[]){false, false},
									  Max(memory, 64), NULL, TUPLESORT_NONE);
	return sort;
}

void
gc_id_sort_put(GcIdSort *sort, const char *id, int len, int64 number)
{
	bytea *bytes = (bytea *) cstring_to_text_with_len(id, len);

	ExecClearTuple(sort->put);
	sort->put->tts_values[0] = PointerGetDatum(bytes);
	sort->put->tts_values[1] = Int64GetDatum(number);
	sort->put->tts_isnull[0] = sort->put->tts_isnull[1] = false;
	ExecStoreVirtualTuple(sort->put);
	tuplesort_puttupleslot(sort->sort, sort->put);
	ExecClearTuple(sort->put);
	pfree(bytes);
}

void
gc_id_sort_finish(GcIdSort *sort)
{
	tuplesort_performsort(sort->sort);
}

bool
gc_id_sort_next(GcIdSort *sort, const char **id, int *len, int64 *number)
{
	bytea *bytes;

	if (!tuplesort_gettupleslot(sort->sort, true, false, sort->got, NULL))
		return false;
	slot_getallattrs(sort->got);
	bytes = (bytea *) DatumGetPointer(sort->got->tts_values[0]);
	*id = VARDATA_ANY(bytes);
	*len = VARSIZE_ANY_EXHDR(bytes);
	*number = DatumGetInt64(sort->got->tts_values[1]);
	return true;
}

void
gc_id_sort_end(GcIdSort *sort)
{
	ExecDropSingleTupleTableSlot(sort->put);
	ExecDropSingleTupleTableSlot(sort->got);
	tuplesort_end(sort->sort);
}
