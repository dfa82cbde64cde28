/*
 * fdw/batch.c
 *	  One request body of contacts: its rows, their ids, their opt-outs.
 */
#include "postgres.h"

#include "api/contacts.h"
#include "fdw/batch_parts.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

/* At first there is room for so many rows, and twice as many ids. */
#define ROWS_FIRST 16

static void
set_room(GcBatch *batch)
{
	initStringInfo(&batch->body);
	batch->ends_room = ROWS_FIRST;
	batch->ends = palloc(sizeof(int) * batch->ends_room);
	batch->id_slots = 2 * ROWS_FIRST;
	batch->ids = palloc(sizeof(uint64) * batch->id_slots);
}

GcBatch *
gc_batch_create(void)
{
	GcBatch *batch = palloc0(sizeof(GcBatch));

	set_room(batch);
	batch->rows_cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw rows", ALLOCSET_SMALL_SIZES);
	return batch;
}

int
gc_batch_memory(const GcBatch *batch)
{
	return sizeof(GcBatch) + ALLOCSET_SMALL_INITSIZE + batch->body.maxlen +
		   batch->ends_room * sizeof(int) + batch->id_slots * sizeof(uint64);
}

void
gc_batch_trim(GcBatch *batch)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(GetMemoryChunkContext(batch));

	pfree(batch->body.data);
	pfree(batch->ends);
	pfree(batch->ids);
	set_room(batch);
	MemoryContextSwitchTo(caller_cxt);
}

void
gc_batch_reset(GcBatch *batch, const char *form)
{
	batch->form = form;
	resetStringInfo(&batch->body);
	batch->rows = batch->id_count = 0;
	memset(batch->ids, 0, sizeof(uint64) * batch->id_slots);
	batch->notes = NIL;
	MemoryContextReset(batch->rows_cxt);
	batch->after_wire = false;
	batch->doubted = batch->oldest = batch->absent_at = 0;
	batch->acted = batch->missing = batch->awaited = false;
	batch->checked = 0;
	batch->held = batch->odd = NIL;
	batch->answer = NULL;
	batch->whole = NULL;
	batch->call = NULL;
}

uint64
gc_batch_hash(const char *id)
{
	uint64 hash = hash_bytes_extended((const unsigned char *) id, strlen(id), 0);

	return hash == 0 ? 1 : hash;
}

bool
gc_batch_has(const GcBatch *batch, uint64 hash)
{
	int mask = batch->id_slots - 1;

	for (int i = hash & mask; batch->ids[i] != 0; i = (i + 1) & mask)
		if (batch->ids[i] == hash)
			return true;
	return false;
}

static void
put_id(GcBatch *batch, uint64 hash)
{
	int mask = batch->id_slots - 1;
	int i = hash & mask;

	while (batch->ids[i] != 0)
		i = (i + 1) & mask;
	batch->ids[i] = hash;
	batch->id_count++;
}

static void
remember_id(GcBatch *batch, uint64 hash)
{
	uint64 *old = batch->ids;
	int slots = batch->id_slots;

	if (2 * (batch->id_count + 1) > slots)
	{
		batch->id_slots = 2 * slots;
		batch->ids = MemoryContextAllocZero(GetMemoryChunkContext(batch),
											sizeof(uint64) * batch->id_slots);
		batch->id_count = 0;
		for (int i = 0; i < slots; i++)
			if (old[i] != 0)
				put_id(batch, old[i]);
		pfree(old);
	}
	put_id(batch, hash);
}

static char *
copy_or_null(const char *string)
{
	return string ? pstrdup(string) : NULL;
}

void
gc_batch_note(GcBatch *batch, int row, const char *id, const GcBatchNote *shown)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(batch->rows_cxt);
	GcBatchNote *note = palloc0(sizeof(GcBatchNote));

	note->row = row;
	note->id = pstrdup(id);
	note->callable = shown->callable;
	note->was_callable = shown->was_callable;
	note->phone_number_status = copy_or_null(shown->phone_number_status);
	note->contactable_status = copy_or_null(shown->contactable_status);
	note->was_phone_status = copy_or_null(shown->was_phone_status);
	note->was_contactable_status = copy_or_null(shown->was_contactable_status);
	note->created = copy_or_null(shown->created);
	batch->notes = lappend(batch->notes, note);
	MemoryContextSwitchTo(caller_cxt);
}

char *
gc_batch_id(const GcBatch *batch, int row)
{
	GcBatchNote *note = list_nth(batch->notes, row);

	Assert(note->row == row);
	return note->id;
}

static void
add_bytes(GcBatch *batch, const char *json, int len)
{
	appendStringInfoChar(&batch->body, batch->form[batch->rows == 0 ? 0 : 1]);
	appendBinaryStringInfo(&batch->body, json, len);
	if (batch->rows == batch->ends_room)
	{
		batch->ends_room *= 2;
		batch->ends = repalloc(batch->ends, sizeof(int) * batch->ends_room);
	}
	batch->ends[batch->rows++] = batch->body.len;
}

int
gc_batch_add(GcBatch *batch, const GcRow *row, uint64 hash)
{
	int before = gc_batch_memory(batch);

	remember_id(batch, hash);
	if (row->noted || row->callable || row->phone_number_status || row->contactable_status)
		gc_batch_note(
			batch, batch->rows, row->id,
			&(GcBatchNote){.callable = row->callable,
						   .was_callable = row->was_callable,
						   .phone_number_status = unconstify(char *, row->phone_number_status),
						   .contactable_status = unconstify(char *, row->contactable_status),
						   .was_phone_status = unconstify(char *, row->was_phone_status),
						   .was_contactable_status =
							   unconstify(char *, row->was_contactable_status),
						   .created = unconstify(char *, row->created)});
	if (row->read_at && (batch->oldest == 0 || row->read_at < batch->oldest))
		batch->oldest = row->read_at;
	if (row->absent_at && (batch->absent_at == 0 || row->absent_at < batch->absent_at))
		batch->absent_at = row->absent_at;
	add_bytes(batch, row->json, row->len);
	return gc_batch_memory(batch) - before;
}

void
gc_batch_close(GcBatch *batch)
{
	if (batch->form[2] != '\0')
		appendStringInfoChar(&batch->body, batch->form[2]);
}

const char *
gc_batch_row(const GcBatch *batch, int row, int *len)
{
	int start = row == 0 ? 1 : batch->ends[row - 1] + 1; /* behind what opens or divides */

	*len = batch->ends[row] - start;
	return batch->body.data + start;
}

static void
add_ids(GcBatch *dst, const GcBatch *src)
{
	for (int i = 0; i < src->id_slots; i++)
		if (src->ids[i] != 0)
			remember_id(dst, src->ids[i]);
}

void
gc_batch_copy(GcBatch *dst, const GcBatch *src, int from, int to)
{
	ListCell *lc;

	foreach (lc, src->notes)
	{
		GcBatchNote *note = lfirst(lc);

		if (note->row >= from && note->row < to)
			gc_batch_note(dst, note->row - from, note->id, note);
	}
	for (int i = from; i < to; i++)
	{
		int len;
		const char *row = gc_batch_row(src, i, &len);

		add_bytes(dst, row, len);
	}
	dst->absent_at = src->absent_at;
	/* All ids, not just its own: one too many only makes a later batch wait for this one. */
	add_ids(dst, src);
}

bool
gc_batch_shares(const GcBatch *batch, const GcBatch *other)
{
	for (int i = 0; i < other->id_slots; i++)
		if (other->ids[i] != 0 && gc_batch_has(batch, other->ids[i]))
			return true;
	return false;
}

void
gc_batch_append(GcBatch *dst, const GcBatch *src)
{
	Assert(src->notes == NIL);
	for (int i = 0; i < src->rows; i++)
	{
		int len;
		const char *row = gc_batch_row(src, i, &len);

		add_bytes(dst, row, len);
	}
	add_ids(dst, src);
	dst->after_wire |= src->after_wire;
}

/* ---- in a file ---- */

/* What of a batch is in front of its ends, its ids and its body. */
typedef struct Kept
{
	int rows;
	int ids;
	int len;
	bool after_wire;
} Kept;

void
gc_batch_write(const GcBatch *batch, BufFile *file)
{
	Kept kept = {.rows = batch->rows,
				 .ids = batch->id_count,
				 .len = batch->body.len,
				 .after_wire = batch->after_wire};

	Assert(batch->notes == NIL);
	BufFileWrite(file, &kept, sizeof(kept));
	BufFileWrite(file, batch->ends, sizeof(int) * kept.rows);
	for (int i = 0; i < batch->id_slots; i++)
		if (batch->ids[i] != 0)
			BufFileWrite(file, &batch->ids[i], sizeof(uint64));
	BufFileWrite(file, batch->body.data, kept.len);
}

static void
read_bytes(BufFile *file, void *bytes, size_t len)
{
	if (BufFileRead(file, bytes, len) != len)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not read back contacts from a temporary file")));
}

void
gc_batch_read(GcBatch *batch, BufFile *file)
{
	uint64 hash;
	Kept kept;

	read_bytes(file, &kept, sizeof(kept));
	batch->after_wire = kept.after_wire;
	while (batch->ends_room < kept.rows)
		batch->ends_room *= 2;
	batch->ends = repalloc(batch->ends, sizeof(int) * batch->ends_room);
	read_bytes(file, batch->ends, sizeof(int) * kept.rows);
	batch->rows = kept.rows;
	for (int i = 0; i < kept.ids; i++)
	{
		read_bytes(file, &hash, sizeof(hash));
		remember_id(batch, hash);
	}
	enlargeStringInfo(&batch->body, kept.len);
	read_bytes(file, batch->body.data, kept.len);
	batch->body.len = kept.len;
	batch->body.data[kept.len] = '\0';
}
