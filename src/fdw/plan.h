/*
 * fdw/plan.h
 *	  Planning of scans: sizes, costs, and what the executor needs.
 *
 * Makes no request, unless use_remote_estimate says so: sizes come from ANALYZE,
 * or from what was seen before (fdw/size.h).
 */
#ifndef GC_FDW_PLAN_H
#define GC_FDW_PLAN_H

#include "postgres.h"

#include "fdw/source.h"

#include "foreign/fdwapi.h"

/* What a scan keeps of each row for the statement that changes it (fdw/kept.h). */
typedef enum GcKeep
{
	GC_KEEP_NOTHING,
	GC_KEEP_ID,	 /* for DELETE of contacts */
	GC_KEEP_RAW, /* for all others: what was read, too */
} GcKeep;

/* What GetForeignPlan leaves for the executor, as lists that a plan can carry. */
typedef struct GcScanPlan
{
	GcScanMethod method;
	List *columns;	  /* IntList: attnums to fetch; NIL: none but the row's existence */
	List *conditions; /* what the platform checks, as gc_pushdown says it */
	int identity;	  /* index in fdw_exprs of the value that names contacts; -1: none does */
	bool identity_is_key;
	bool identity_is_array;
	int identity_qual; /* which of the quals names them by an array, and the source may check; -1: none */
	bool reads_all; /* is it certain that all rows will be asked for? */
	int requests;	/* expected, of one walk over the rows */
	GcKeep keep;
	int export_from; /* a search of more pages should have been an export; 0: never */
	bool exact;		/* conditions are to be said exactly, as a count or a limit relies on it */
	int limit;		/* so many rows are wanted, and none will be dropped; 0: not known */
	bool stands_by; /* below a node that may not need it */
	List *sorts;	/* what the platform sorts by, as gc_sort_plan says it */
} GcScanPlan;

extern List *gc_scan_plan_write(const GcScanPlan *plan);
extern void gc_scan_plan_read(List *fdw_private, GcScanPlan *plan);

extern void gc_plan_routine(FdwRoutine *routine);

#endif /* GC_FDW_PLAN_H */
