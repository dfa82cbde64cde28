/*
 * fdw/entity_modify.h
 *	  INSERT, UPDATE and DELETE of things that are written one by one: campaigns, lists, …
 */
#ifndef GC_FDW_ENTITY_MODIFY_H
#define GC_FDW_ENTITY_MODIFY_H

#include "postgres.h"

#include "fdw/relation.h"
#include "fdw/writer.h"

#include "commands/explain.h"
#include "nodes/bitmapset.h"
#include "nodes/execnodes.h"

/* Throws if things of that kind are not made, changed or deleted so; contacts see to it themselves. */
extern void gc_entity_check_operation(const GcRelation *rel, CmdType operation);

/*
 * Throws if the statement names a column that it cannot write.  "columns" are attnums offset
 * by FirstLowInvalidHeapAttributeNumber.
 */
extern void gc_entity_check_columns(const GcRelation *rel, CmdType operation,
									const Bitmapset *columns);

/* Makes ready for rows; sets rri's state.  "plan": what gives them (UPDATE, DELETE); or NULL. */
extern void gc_entity_begin(ModifyTableState *mtstate, ResultRelInfo *rri,
							const PlanState *plan);

/* Requests of a row, and with ANALYZE what was done. */
extern void gc_entity_explain(ResultRelInfo *rri, CmdType operation, ExplainState *es);

#endif /* GC_FDW_ENTITY_MODIFY_H */
