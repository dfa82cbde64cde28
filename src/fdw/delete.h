/*
 * fdw/delete.h
 *	  DELETE from contacts.
 */
#ifndef GC_FDW_DELETE_H
#define GC_FDW_DELETE_H

#include "postgres.h"

#include "fdw/modify_state.h"

/*
 * Makes ready for the rows that a plan gives; sets rri's state.  "returned": by
 * RETURNING; "counted": they are those that the command tag counts.
 */
extern void gc_delete_begin(ResultRelInfo *rri, const PlanState *rows, bool returned,
							bool counted);

/* One row; the callback ExecForeignDelete. */
extern TupleTableSlot *gc_delete_row(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
									 TupleTableSlot *plan_slot);

/* How it was found out what had become of contacts, for EXPLAIN. */
extern const char *gc_delete_check_way(const GcModify *modify);

#endif /* GC_FDW_DELETE_H */
