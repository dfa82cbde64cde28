/*
 * fdw/update.h
 *	  UPDATE of contacts.
 */
#ifndef GC_FDW_UPDATE_H
#define GC_FDW_UPDATE_H

#include "postgres.h"

#include "fdw/relation.h"

#include "nodes/execnodes.h"
#include "nodes/parsenodes.h"

/*
 * Throws if SET names a column that cannot be written.  "updated" are attnums
 * offset by FirstLowInvalidHeapAttributeNumber.
 */
extern void gc_update_check(const GcRelation *rel, const Bitmapset *updated);

/* Who looks at the rows. */
typedef struct GcUpdateUse
{
	bool shown;	   /* somebody does */
	bool returned; /* RETURNING does, … */
	bool asks;	   /* … and needs the platform's answer for that */
	bool counted;  /* the command tag counts them */
} GcUpdateUse;

/* Makes ready for the rows that a plan gives; sets rri's state. */
extern void gc_update_begin(ResultRelInfo *rri, const PlanState *rows, const GcUpdateUse *use);

/* One row; the callback ExecForeignUpdate. */
extern TupleTableSlot *gc_update_row(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
									 TupleTableSlot *plan_slot);

#endif /* GC_FDW_UPDATE_H */
