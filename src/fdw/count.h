/*
 * fdw/count.h
 *	  COUNT(*) of a table, from what the platform says of its total.
 *
 * Only of all rows, or of those that a condition lets through that the platform
 * checks exactly.  Whether it does is partly known only with the values and the
 * list's types: the plan has the ordinary way to count below it, and takes that
 * where it does not.
 */
#ifndef GC_FDW_COUNT_H
#define GC_FDW_COUNT_H

#include "postgres.h"

#include "foreign/fdwapi.h"

/* Offers a path that asks for a page of one row, where a query counts a table. */
extern void gc_count_routine(FdwRoutine *routine);

/* The plan for that path. */
extern ForeignScan *gc_count_plan(PlannerInfo *root, ForeignPath *path, List *tlist,
								  Plan *below);

#endif /* GC_FDW_COUNT_H */
