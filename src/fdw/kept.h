/*
 * fdw/kept.h
 *	  What was read of the contacts that a statement may change or delete.
 *
 * UPDATE and DELETE need of each row that they are handed the contact's id, and
 * an UPDATE the contact as it was read, which no column need give.  The scan of
 * their table keeps both in a temporary file, and gives each row the place there
 * as its ctid: six bytes, whatever is sorted or joined on the way.
 */
#ifndef GC_FDW_KEPT_H
#define GC_FDW_KEPT_H

#include "postgres.h"

#include "base/clock.h"
#include "fdw/source.h"

#include "nodes/execnodes.h"
#include "storage/itemptr.h"

typedef struct GcKept GcKept;

/* One contact; strings are UTF-8, zero-terminated, in the current context. */
typedef struct GcKeptRow
{
	char *id;
	char *raw; /* its JSON; NULL: nothing that could be merged with was read */
	int raw_len;
	GcTime read_at; /* when it was asked for */
	bool lags;		/* by a way that may miss what was written a moment ago */
} GcKeptRow;

/* Of the table with that index in the statement; lives as long as its executor state. */
extern GcKept *gc_kept_create(EState *estate, Index rti, bool with_raw);

/* Keeps the row that the source gave last; returns its place. */
extern int64 gc_kept_put(GcKept *kept, const GcSourceRow *row);

/* How many rows are kept. */
extern int64 gc_kept_count(const GcKept *kept);

/* A place as a ctid. */
extern void gc_kept_set_tid(ItemPointer tid, int64 place);

/*
 * What was kept of the plan's row, by its column "ctid"; *kept is found, if it is NULL.  False
 * if it has been taken before: a join may give a row twice, and only the first time counts, as
 * it does for a local table.
 */
extern bool gc_kept_take_planned(GcKept **kept, AttrNumber ctid, EState *estate,
								 ResultRelInfo *rri, TupleTableSlot *plan_slot,
								 GcKeptRow *row);

/* A deleted row as it was read, for RETURNING: the plan's row has all of it. */
extern void gc_kept_show_deleted(ResultRelInfo *rri, TupleTableSlot *slot,
								 TupleTableSlot *plan_slot);

/* Closes the file: the statement has ended. */
extern void gc_kept_end(GcKept *kept);

#endif /* GC_FDW_KEPT_H */
