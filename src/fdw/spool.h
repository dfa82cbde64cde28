/*
 * fdw/spool.h
 *	  A scan read to its end before the statement writes.
 *
 * Page numbers shift under writes, and rows just written would be read again:
 * an INSERT … SELECT from the list it fills would feed itself.  Such a scan is
 * read whole first; it spills to disk beyond work_mem.
 */
#ifndef GC_FDW_SPOOL_H
#define GC_FDW_SPOOL_H

#include "postgres.h"

#include "fdw/relation.h"

#include "executor/tuptable.h"
#include "nodes/execnodes.h"

typedef struct GcSpool GcSpool;

/* Does the statement write, or may it write, the list that "rel" shows? */
extern bool gc_spool_needed(EState *estate, const GcRelation *rel, const GcList *list,
							GcConnection *conn);

/* An empty spool in the current context, and the end of filling it. */
extern GcSpool *gc_spool_create(TupleDesc tupdesc);

/* "place" is given back with the row (fdw/kept.h). */
extern void gc_spool_put(GcSpool *spool, TupleTableSlot *slot, int64 place);

/* The next row into "slot"; false at the end. */
extern bool gc_spool_get(GcSpool *spool, TupleTableSlot *slot, int64 *place);

/* From the first row again. */
extern void gc_spool_rewind(GcSpool *spool);

extern void gc_spool_end(GcSpool *spool);

#endif /* GC_FDW_SPOOL_H */
