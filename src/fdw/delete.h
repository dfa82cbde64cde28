/*
 * fdw/delete.h
 *	  DELETE from contacts.
 */
#ifndef GC_FDW_DELETE_H
#define GC_FDW_DELETE_H

#include "postgres.h"

#include "nodes/execnodes.h"

/* Makes ready; sets rri's state. */
extern void gc_delete_begin(ModifyTableState *mtstate, ResultRelInfo *rri);

/* One row; the callback ExecForeignDelete. */
extern TupleTableSlot *gc_delete_row(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
									 TupleTableSlot *plan_slot);

#endif /* GC_FDW_DELETE_H */
