/*
 * fdw/removed.h
 *	  The contacts of a large DELETE: whether they are gone, at its end.
 *
 * The platform passes over contacts that a campaign uses, without a word.  To look all
 * of them up would take twice as many requests as to delete them.  So their ids wait,
 * beyond their share of work_mem on disk; then they are held against what the list has
 * left, and only those that it seems to have are looked up.
 */
#ifndef GC_FDW_REMOVED_H
#define GC_FDW_REMOVED_H

#include "postgres.h"

#include "fdw/modify_state.h"

typedef struct GcRemoved GcRemoved;

/*
 * For a DELETE of up to so many rows, before the first of them.  NULL: it is cheaper, or
 * has to be, that they are looked for batch by batch.
 */
extern GcRemoved *gc_removed_open(const GcModify *modify, int64 rows, EState *estate);

/* How they were looked for, for EXPLAIN. */
extern const char *gc_removed_way(const GcRemoved *removed);

#endif /* GC_FDW_REMOVED_H */
