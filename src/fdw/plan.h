/*
 * fdw/plan.h
 *	  Planning of scans: sizes, costs, and what the executor needs.
 *
 * Makes no request: sizes come from ANALYZE, or from what an earlier scan of
 * this session saw.
 */
#ifndef GC_FDW_PLAN_H
#define GC_FDW_PLAN_H

#include "postgres.h"

#include "foreign/fdwapi.h"

/* What GetForeignPlan leaves in the plan. */
enum GcScanPrivate
{
	GcScanPrivateColumns,  /* IntList: attnums to fetch; NIL: none but the row's existence */
	GcScanPrivateReadsAll, /* IntList of one: is it certain that all rows will be asked for? */
	GcScanPrivateMethod,   /* IntList of one: GcScanMethod */
	GcScanPrivateConditions, /* what the platform checks, as gc_pushdown says it */
	GcScanPrivateIdentity /* IntList: index of the value in fdw_exprs; of the key? an array? */
};

extern void gc_plan_routine(FdwRoutine *routine);

/* A scan has seen how many rows there are. */
extern void gc_plan_note_rows(Oid relid, int64 rows);

#endif /* GC_FDW_PLAN_H */
