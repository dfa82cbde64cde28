/*
 * store/table.c
 *	  Rows for the extension's own tables.
 */
#include "postgres.h"

#include "base/compat.h"
#include "store/table.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* As the control file says. */
#define SCHEMA "gc_fdw"

struct GcTable
{
	const GcTableLayout *layout;
	Relation rel;
	EState *estate;
	ResultRelInfo *result_rel;
	TupleTableSlot *slot;
	TupleTableSlot **slots; /* of rows that go many at once; NULL: there were none */
	Oid sequence;
	Oid caller;
	int caller_context;
	bool read_only;
};

/* What somebody has made of the table, or in its place, may not fit any more. */
static void
check_layout(Relation rel, const GcTableLayout *layout)
{
	TupleDesc desc = RelationGetDescr(rel);
	bool fits =
		rel->rd_rel->relkind == RELKIND_RELATION && desc->natts >= layout->column_count;

	for (int i = 0; fits && i < layout->column_count; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		fits = !attribute->attisdropped && attribute->atttypid == layout->columns[i].type &&
			   strcmp(NameStr(attribute->attname), layout->columns[i].name) == 0;
	}
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s.%s is not as the extension made it", SCHEMA, layout->name),
				 errhint("Move what was added behind its own columns, or drop it.")));
}

/* Opened and locked; NULL if it is not there. */
static Relation
open_relation(const GcTableLayout *layout)
{
	Oid schema = get_namespace_oid(SCHEMA, true);
	Oid relid = OidIsValid(schema) ? get_relname_relid(layout->name, schema) : InvalidOid;
	Relation rel = OidIsValid(relid) ? try_table_open(relid, RowExclusiveLock) : NULL;

	if (rel)
		check_layout(rel, layout);
	return rel;
}

void
gc_table_lock(const GcTableLayout *layout)
{
	Relation rel = open_relation(layout);

	if (rel)
		table_close(rel, NoLock);
}

/* The identity's; by its name, which is quicker than by what depends on the column. */
static Oid
find_sequence(Relation rel)
{
	char *name = psprintf("%s_id_seq", RelationGetRelationName(rel));
	Oid sequence = get_relname_relid(name, RelationGetNamespace(rel));

	if (!OidIsValid(sequence))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("there is no sequence %s.%s any more", SCHEMA, name)));
	return sequence;
}

static void
open_executor(GcTable *table)
{
	table->estate = CreateExecutorState();
	table->result_rel = makeNode(ResultRelInfo);
	InitResultRelInfo(table->result_rel, table->rel, 0, NULL, 0);
	ExecOpenIndices(table->result_rel, false);
	table->slot = table_slot_create(table->rel, &table->estate->es_tupleTable);
}

GcTable *
gc_table_open(const GcTableLayout *layout)
{
	Relation rel = open_relation(layout);
	GcTable *table;

	if (rel == NULL)
		return NULL;
	table = palloc0(sizeof(GcTable));
	table->layout = layout;
	table->rel = rel;
	if (layout->has_id)
		table->sequence = find_sequence(rel);
	GetUserIdAndSecContext(&table->caller, &table->caller_context);
	SetUserIdAndSecContext(rel->rd_rel->relowner,
						   table->caller_context | SECURITY_RESTRICTED_OPERATION);
	/* A transaction may become READ ONLY after it has sent something; ids are refused then. */
	table->read_only = XactReadOnly;
	XactReadOnly = false;
	PushActiveSnapshot(GetTransactionSnapshot());
	open_executor(table);
	AfterTriggerBeginQuery();
	return table;
}

int64
gc_table_next_id(GcTable *table)
{
	return nextval_internal(table->sequence, false);
}

void
gc_table_insert(GcTable *table, const Datum *values, const bool *isnull)
{
	TupleTableSlot *slot = ExecClearTuple(table->slot);
	int count = table->layout->column_count;

	memset(slot->tts_isnull, true, sizeof(bool) * slot->tts_tupleDescriptor->natts);
	memcpy(slot->tts_isnull, isnull, sizeof(bool) * count);
	memcpy(slot->tts_values, values, sizeof(Datum) * count);
	if (table->layout->has_id && isnull[0])
	{
		slot->tts_values[0] = Int64GetDatum(gc_table_next_id(table));
		slot->tts_isnull[0] = false;
	}
	ExecStoreVirtualTuple(slot);
	ExecSimpleRelationInsert(table->result_rel, table->estate, slot);
	ResetPerTupleExprContext(table->estate);
}

/* ---- many at once ---- */

bool
gc_table_takes_many(const GcTable *table)
{
	TupleDesc desc = RelationGetDescr(table->rel);

	return desc->natts == table->layout->column_count && table->rel->trigdesc == NULL &&
		   table->rel->rd_rules == NULL &&
		   !(desc->constr && desc->constr->has_generated_stored);
}

static void
make_slots(GcTable *table)
{
	table->slots = palloc(sizeof(TupleTableSlot *) * GC_TABLE_MANY);
	for (int i = 0; i < GC_TABLE_MANY; i++)
		table->slots[i] = table_slot_create(table->rel, &table->estate->es_tupleTable);
}

static void
fill_slot(GcTable *table, TupleTableSlot *slot, GcTableFill fill, void *arg, int row)
{
	ExecClearTuple(slot);
	memset(slot->tts_isnull, false, sizeof(bool) * slot->tts_tupleDescriptor->natts);
	fill(arg, row, slot->tts_values, slot->tts_isnull);
	ExecStoreVirtualTuple(slot);
	if (table->rel->rd_att->constr)
		ExecConstraints(table->result_rel, slot, table->estate);
}

/* Index entries of rows that are in the heap. */
static bool
index_rows(GcTable *table, int count, bool *repeats)
{
	bool any = false;

	for (int i = 0; i < count; i++)
	{
		repeats[i] = !gc_compat_index_row(table->result_rel, table->slots[i], table->estate);
		any |= repeats[i];
		ResetPerTupleExprContext(table->estate);
	}
	return any;
}

bool
gc_table_insert_many(GcTable *table, int first, int count, GcTableFill fill, void *arg,
					 bool *repeats)
{
	Assert(count <= GC_TABLE_MANY);
	if (table->slots == NULL)
		make_slots(table);
	for (int i = 0; i < count; i++)
		fill_slot(table, table->slots[i], fill, arg, first + i);
	table_multi_insert(table->rel, table->slots, count, GetCurrentCommandId(true), 0, NULL);
	if (!index_rows(table, count, repeats + first))
		return false;
	/* What was inserted by this very command cannot be deleted by it. */
	CommandCounterIncrement();
	for (int i = 0; i < count; i++)
		if (repeats[first + i])
			simple_table_tuple_delete(table->rel, &table->slots[i]->tts_tid,
									  GetActiveSnapshot());
	CommandCounterIncrement();
	return true;
}

void
gc_table_close(GcTable *table)
{
	AfterTriggerEndQuery(table->estate);
	/* What their triggers have opened. */
	ExecCloseResultRelations(table->estate);
	PopActiveSnapshot();
	ExecResetTupleTable(table->estate->es_tupleTable, false);
	ExecCloseIndices(table->result_rel);
	FreeExecutorState(table->estate);
	XactReadOnly = table->read_only;
	SetUserIdAndSecContext(table->caller, table->caller_context);
	table_close(table->rel, NoLock);
	pfree(table);
}

/* ---- reading ---- */

static Relation
reopen(Oid relid, const GcTableLayout *layout)
{
	Relation rel = try_table_open(relid, AccessShareLock);

	if (rel == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("there is no table gc_fdw.%s any more", layout->name)));
	check_layout(rel, layout);
	return rel;
}

/* Not by SQL, whose parser and executor would keep the lock, and copy the value once more. */
struct varlena *
gc_table_read(Oid relid, const GcTableLayout *layout, const Datum *key, int column)
{
	Relation rel = reopen(relid, layout);
	Oid index = gc_compat_primary_key(rel);
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	ScanKeyData keys[INDEX_MAX_KEYS];
	struct varlena *value = NULL;
	SysScanDesc scan;
	HeapTuple tuple;

	for (int i = 0; i < column; i++)
		ScanKeyInit(&keys[i], i + 1, BTEqualStrategyNumber,
					layout->columns[i].type == INT8OID ? F_INT8EQ : F_INT4EQ, key[i]);
	scan = systable_beginscan(rel, index, OidIsValid(index), snapshot, column, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool isnull;
		Datum stored = heap_getattr(tuple, column + 1, RelationGetDescr(rel), &isnull);

		if (!isnull)
			value = PG_DETOAST_DATUM_COPY(stored);
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	return value;
}

void
gc_table_keep(Oid relid, const GcTableLayout *layout)
{
	table_close(reopen(relid, layout), NoLock);
}
