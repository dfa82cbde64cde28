/*
 * fdw/spool.c
 *	  A scan read to its end before the statement writes.
 */
#include "postgres.h"

#include "base/option.h"
#include "fdw/spool.h"

#include "access/tupdesc.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

struct GcSpool
{
	Tuplestorestate *store;
	TupleTableSlot *slot; /* of the table's columns, and the place */
	Datum *values;
	bool *nulls;
	MemoryContext cxt;
};

/* The options of a foreign table of the same server; NIL: it is none. */
static List *
options_of(Oid relid, const GcRelation *rel)
{
	ForeignTable *table;

	if (get_rel_relkind(relid) != RELKIND_FOREIGN_TABLE)
		return NIL;
	table = GetForeignTable(relid);
	return table->serverid == rel->server_id ? table->options : NIL;
}

/* May that table be the list?  One that nobody has looked up yet may. */
static bool
may_be_list(Oid relid, const GcRelation *rel, const GcList *list, GcConnection *conn)
{
	List *options = options_of(relid, rel);
	const char *id = gc_option_string(options, NIL, "list_id");
	const char *name = gc_option_string(options, NIL, "list_name");
	GcList *target;

	if (id == NULL && name == NULL)
		return false;
	target = gc_list_known(conn, id ? gc_value_to_utf8(id) : NULL,
						   name ? gc_value_to_utf8(name) : NULL);
	return target == NULL || strcmp(target->id, list->id) == 0;
}

/* May that table be of the same listing, whose pages move when one of its things goes? */
static bool
may_be_listing(Oid relid, const GcRelation *rel)
{
	const char *object = gc_option_string(options_of(relid, rel), NIL, "object");

	return object && strcmp(object, rel->resource->object) == 0;
}

bool
gc_spool_needed(EState *estate, const GcRelation *rel, const GcList *list, GcConnection *conn)
{
	ListCell *lc;

	if ((list == NULL && rel->resource->kind == NULL) || estate->es_plannedstmt == NULL)
		return false;
	foreach (lc, estate->es_plannedstmt->resultRelations)
	{
		Oid relid = exec_rt_fetch(lfirst_int(lc), estate)->relid;

		/* Its partitions are found while it runs, and each may be it. */
		if (get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE)
			return true;
		if (list ? may_be_list(relid, rel, list, conn) : may_be_listing(relid, rel))
			return true;
	}
	return false;
}

GcSpool *
gc_spool_create(TupleDesc tupdesc)
{
	GcSpool *spool = palloc(sizeof(GcSpool));
	TupleDesc kept = CreateTemplateTupleDesc(tupdesc->natts + 1);

	for (int i = 1; i <= tupdesc->natts; i++)
		TupleDescCopyEntry(kept, i, tupdesc, i);
	TupleDescInitEntry(kept, tupdesc->natts + 1, "place", INT8OID, -1, 0);
	spool->store = tuplestore_begin_heap(false, false, work_mem);
	tuplestore_set_eflags(spool->store, EXEC_FLAG_REWIND);
	spool->slot = MakeSingleTupleTableSlot(kept, &TTSOpsMinimalTuple);
	spool->values = palloc(sizeof(Datum) * kept->natts);
	spool->nulls = palloc(sizeof(bool) * kept->natts);
	spool->cxt = CurrentMemoryContext;
	return spool;
}

void
gc_spool_put(GcSpool *spool, TupleTableSlot *slot, int64 place)
{
	int natts = slot->tts_tupleDescriptor->natts;

	memcpy(spool->values, slot->tts_values, natts * sizeof(Datum));
	memcpy(spool->nulls, slot->tts_isnull, natts * sizeof(bool));
	spool->values[natts] = Int64GetDatum(place);
	spool->nulls[natts] = false;
	tuplestore_putvalues(spool->store, spool->slot->tts_tupleDescriptor, spool->values,
						 spool->nulls);
}

bool
gc_spool_get(GcSpool *spool, TupleTableSlot *slot, int64 *place)
{
	int natts = slot->tts_tupleDescriptor->natts;
	/* A row that was on disk is the slot's to free, when the caller's context is long gone. */
	MemoryContext caller_cxt = MemoryContextSwitchTo(spool->cxt);
	bool found = tuplestore_gettupleslot(spool->store, true, false, spool->slot);

	MemoryContextSwitchTo(caller_cxt);
	if (!found)
		return false;
	slot_getallattrs(spool->slot);
	memcpy(slot->tts_values, spool->slot->tts_values, natts * sizeof(Datum));
	memcpy(slot->tts_isnull, spool->slot->tts_isnull, natts * sizeof(bool));
	*place = DatumGetInt64(spool->slot->tts_values[natts]);
	ExecStoreVirtualTuple(slot);
	return true;
}

void
gc_spool_rewind(GcSpool *spool)
{
	tuplestore_rescan(spool->store);
}

void
gc_spool_end(GcSpool *spool)
{
	ExecDropSingleTupleTableSlot(spool->slot);
	tuplestore_end(spool->store);
}
