/*
 * fdw/spill.c
 *	  Rows of open batches that memory has no room for, in a temporary file.
 *
 * A row is held against the ids of its target's open batch alone, not of the pieces in
 * the file.  So pieces may share an id: what comes before it is sent first then.
 */
#include "postgres.h"

#include "fdw/spill.h"

/* A piece of a target's rows. */
typedef struct Piece
{
	int file;
	off_t offset;
} Piece;

/* What is read back is one batch at most, which must be little beside the budget. */
static bool
may_wait(const GcTarget *target)
{
	const GcTargetSettings *settings = &target->settings;

	return settings->verb == GC_VERB_INSERT && !target->has_twin &&
		   target->open->notes == NIL && target->open->absent_at == 0 &&
		   settings->batch_bytes <= settings->buffer_memory / 4;
}

static BufFile *
file_of(GcWriter *writer)
{
	MemoryContext caller_cxt;

	if (writer->spill == NULL)
	{
		caller_cxt = MemoryContextSwitchTo(writer->cxt);
		writer->spill = BufFileCreateTemp(false);
		MemoryContextSwitchTo(caller_cxt);
	}
	return writer->spill;
}

static void
seek(BufFile *file, Piece place)
{
	if (BufFileSeek(file, place.file, place.offset, SEEK_SET) != 0)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not find contacts in a temporary file")));
}

bool
gc_spill_open_batch(GcTarget *target)
{
	GcWriter *writer = target->writer;
	GcBatch *batch = target->open;
	MemoryContext caller_cxt;
	BufFile *file;
	Piece *piece;

	if (!may_wait(target))
		return false;
	caller_cxt = MemoryContextSwitchTo(writer->cxt);
	file = file_of(writer);
	piece = palloc(sizeof(Piece));
	*piece = (Piece){writer->spill_end_file, writer->spill_end};
	seek(file, *piece);
	gc_batch_write(batch, file);
	BufFileTell(file, &writer->spill_end_file, &writer->spill_end);
	target->pieces = lappend(target->pieces, piece);
	target->spilled_rows += batch->rows;
	target->spilled_bytes += batch->body.len;
	target->open = NULL;
	writer->open_bytes -= gc_batch_memory(batch);
	gc_wire_give_back(batch);
	MemoryContextSwitchTo(caller_cxt);
	return true;
}

/* Adds a piece to the batch, which is sent before if it has one of its ids; that which goes on. */
static GcBatch *
add_piece(GcBatch *whole, GcBatch *piece)
{
	GcTarget *target = whole->owner;

	if (gc_batch_shares(whole, piece))
	{
		gc_batch_close(whole);
		gc_wire_send(whole);
		whole = gc_wire_take(target);
		whole->after_wire = true;
	}
	gc_batch_append(whole, piece);
	gc_wire_give_back(piece);
	return whole;
}

void
gc_spill_send(GcTarget *target)
{
	GcBatch *whole = gc_wire_take(target);
	ListCell *lc;

	foreach (lc, target->pieces)
	{
		GcBatch *piece = gc_wire_take(target);

		seek(target->writer->spill, *(Piece *) lfirst(lc));
		gc_batch_read(piece, target->writer->spill);
		whole = add_piece(whole, piece);
	}
	list_free_deep(target->pieces);
	target->pieces = NIL;
	target->spilled_rows = target->spilled_bytes = 0;
	if (target->open)
	{
		target->writer->open_bytes -= gc_batch_memory(target->open);
		whole = add_piece(whole, target->open);
		target->open = NULL;
	}
	gc_batch_close(whole);
	gc_wire_send(whole);
}

void
gc_spill_end(GcWriter *writer)
{
	if (writer->spill)
		BufFileClose(writer->spill);
	writer->spill = NULL;
	writer->spill_end_file = 0;
	writer->spill_end = 0;
}
