/*
 * fdw/dnc_modify.h
 *	  INSERT, COPY FROM, UPDATE and DELETE of the entries of a DNC list.
 */
#ifndef GC_FDW_DNC_MODIFY_H
#define GC_FDW_DNC_MODIFY_H

#include "postgres.h"

#include "fdw/writer.h"

#include "commands/explain.h"
#include "nodes/execnodes.h"

/* Makes ready for rows; sets rri's state.  "plan": what gives them (UPDATE, DELETE); or NULL. */
extern void gc_dnc_begin(ModifyTableState *mtstate, ResultRelInfo *rri, const PlanState *plan);

/* Sends what the statement's writers still hold, and waits for the answers. */
extern void gc_dnc_drain(EState *estate);

extern void gc_dnc_explain(ResultRelInfo *rri, CmdType operation, ExplainState *es);

#endif /* GC_FDW_DNC_MODIFY_H */
