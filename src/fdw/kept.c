/*
 * fdw/kept.c
 *	  What was read of the contacts that a statement may change or delete.
 */
#include "postgres.h"

#include "fdw/kept.h"

#include "access/htup_details.h"
#include "executor/executor.h"
#include "lib/ilist.h"
#include "storage/buffile.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* Before each record; then the id and the JSON. */
typedef struct Header
{
	bool taken; /* must be first: it is overwritten by itself */
	bool lags;
	int id_len;
	int raw_len; /* -1: none */
	GcTime read_at;
} Header;

struct GcKept
{
	dlist_node node; /* in all_kept */
	EState *estate;
	Index rti;
	bool with_raw;
	BufFile *file;
	int64 end; /* its length */
	int64 count;
	int64 at; /* where it is read or written next */
	MemoryContextCallback on_reset;
};

static dlist_head all_kept = DLIST_STATIC_INIT(all_kept);

static void
kept_reset(void *arg)
{
	dlist_delete(&((GcKept *) arg)->node);
}

GcKept *
gc_kept_create(EState *estate, Index rti, bool with_raw)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(estate->es_query_cxt);
	GcKept *kept = palloc0(sizeof(GcKept));

	kept->estate = estate;
	kept->rti = rti;
	kept->with_raw = with_raw;
	kept->file = BufFileCreateTemp(false);
	kept->on_reset.func = kept_reset;
	kept->on_reset.arg = kept;
	MemoryContextRegisterResetCallback(estate->es_query_cxt, &kept->on_reset);
	dlist_push_tail(&all_kept, &kept->node);
	MemoryContextSwitchTo(caller_cxt);
	return kept;
}

static GcKept *
find_kept(EState *estate, Index rti)
{
	dlist_iter iter;

	dlist_foreach (iter, &all_kept)
	{
		GcKept *kept = dlist_container(GcKept, node, iter.cur);

		if (kept->estate == estate && kept->rti == rti)
			return kept;
	}
	return NULL;
}

static void
seek(GcKept *kept, int64 place)
{
	if (kept->at != place && BufFileSeek(kept->file, 0, place, SEEK_SET) != 0)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not seek in the file of contacts that were read")));
	kept->at = place;
}

static void
write_bytes(GcKept *kept, const void *bytes, size_t len)
{
	BufFileWrite(kept->file, unconstify(void *, bytes), len);
	kept->at += len;
}

static void
read_bytes(GcKept *kept, void *bytes, size_t len)
{
	if (BufFileRead(kept->file, bytes, len) != len)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not read the file of contacts that were read")));
	kept->at += len;
}

int64
gc_kept_put(GcKept *kept, const GcSourceRow *row)
{
	int64 place = kept->end;
	Header header = {.lags = row->lags, .read_at = row->read_at, .raw_len = -1};
	char *id = palloc(Max(row->id.len, 1));

	header.id_len = row->id.p == NULL ? 0
					: row->id.escaped ? gc_json_unescape(&row->id, id)
									  : row->id.len;
	if (header.id_len <= 0)
		ereport(ERROR, (errcode(ERRCODE_FDW_ERROR),
						errmsg("a contact that was read has no id that could be used")));
	if (kept->with_raw && row->raw.p)
		header.raw_len = row->raw.len;
	seek(kept, place);
	write_bytes(kept, &header, sizeof(header));
	write_bytes(kept, row->id.escaped ? id : row->id.p, header.id_len);
	if (header.raw_len >= 0)
		write_bytes(kept, row->raw.p, header.raw_len);
	kept->end = kept->at;
	kept->count++;
	pfree(id);
	return place;
}

int64
gc_kept_count(const GcKept *kept)
{
	return kept->count;
}

/* No offset is 0, which would be that of no tuple. */
void
gc_kept_set_tid(ItemPointer tid, int64 place)
{
	ItemPointerSet(tid, place / MaxOffsetNumber, place % MaxOffsetNumber + 1);
}

static int64
place_of(ItemPointer tid)
{
	return (int64) ItemPointerGetBlockNumberNoCheck(tid) * MaxOffsetNumber +
		   ItemPointerGetOffsetNumberNoCheck(tid) - 1;
}

static char *
read_string(GcKept *kept, int len)
{
	char *string = palloc(len + 1);

	read_bytes(kept, string, len);
	string[len] = '\0';
	return string;
}

static bool
take(GcKept *kept, ItemPointer tid, GcKeptRow *row)
{
	int64 place = place_of(tid);
	Header header;

	seek(kept, place);
	read_bytes(kept, &header, sizeof(header));
	if (header.taken)
		return false;
	row->id = read_string(kept, header.id_len);
	row->raw = header.raw_len < 0 ? NULL : read_string(kept, header.raw_len);
	row->raw_len = header.raw_len;
	row->read_at = header.read_at;
	row->lags = header.lags;
	header.taken = true;
	seek(kept, place);
	write_bytes(kept, &header.taken, sizeof(header.taken));
	return true;
}

bool
gc_kept_take_planned(GcKept **kept, AttrNumber ctid, EState *estate, ResultRelInfo *rri,
					 TupleTableSlot *plan_slot, GcKeptRow *row)
{
	bool isnull;
	Datum tid = ExecGetJunkAttribute(plan_slot, ctid, &isnull);

	if (*kept == NULL)
		*kept = find_kept(estate, rri->ri_RangeTableIndex);
	if (isnull || *kept == NULL)
		elog(ERROR, "a row to be changed was not read by a scan of its table");
	return take(*kept, (ItemPointer) DatumGetPointer(tid), row);
}

void
gc_kept_show_deleted(ResultRelInfo *rri, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	bool isnull;
	Datum whole = ExecGetJunkAttribute(plan_slot, rri->ri_RowIdAttNo, &isnull);
	HeapTupleHeader header = DatumGetHeapTupleHeader(whole);
	HeapTupleData tuple = {.t_data = header,
						   .t_len = HeapTupleHeaderGetDatumLength(header),
						   .t_tableOid = RelationGetRelid(rri->ri_RelationDesc)};

	Assert(!isnull);
	ItemPointerSetInvalid(&tuple.t_self);
	ExecForceStoreHeapTuple(&tuple, slot, false);
	ExecMaterializeSlot(slot);
}

void
gc_kept_end(GcKept *kept)
{
	BufFileClose(kept->file);
	kept->file = NULL;
}
