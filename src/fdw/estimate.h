/*
 * fdw/estimate.h
 *	  Rows that the platform says there are, for use_remote_estimate.
 *
 * The only part of planning that makes requests: one for a page of one row,
 * filtered as far as constants allow, and another without a filter where nobody
 * has seen the table's size.
 */
#ifndef GC_FDW_ESTIMATE_H
#define GC_FDW_ESTIMATE_H

#include "postgres.h"

#include "fdw/relation.h"

#include "nodes/pathnodes.h"

/*
 * If the option use_remote_estimate says so, and the table is read by pages: sets
 * the relation's asked_rows, and notes its size.  Throws what a scan would.
 */
extern void gc_estimate_ask(PlannerInfo *root, RelOptInfo *baserel, GcRelation *rel);

#endif /* GC_FDW_ESTIMATE_H */
