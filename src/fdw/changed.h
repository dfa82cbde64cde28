/*
 * fdw/changed.h
 *	  Which columns an UPDATE changes: those that it names, and those that a trigger does.
 */
#ifndef GC_FDW_CHANGED_H
#define GC_FDW_CHANGED_H

#include "postgres.h"

#include "fdw/relation.h"

#include "executor/executor.h"

typedef struct GcChanged
{
	Bitmapset *named; /* by the statement, by attnum */
	bool compares;	  /* a trigger may change more */
} GcChanged;

/* Of an UPDATE's table; in the current context. */
extern GcChanged gc_changed_columns(EState *estate, ResultRelInfo *rri, const GcRelation *rel);

/* Before the columns of a row are asked for. */
extern void gc_changed_begin_row(const GcChanged *changed, ResultRelInfo *rri,
								 TupleTableSlot *slot);

/* Is the i-th column (from 0) changed in that row? */
extern bool gc_changed_has(const GcChanged *changed, ResultRelInfo *rri, TupleTableSlot *slot,
						   int i);

#endif /* GC_FDW_CHANGED_H */
