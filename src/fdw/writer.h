/*
 * fdw/writer.h
 *	  Who writes the rows of a result relation: contacts many a call (fdw/modify.c), entries
 *	  of DNC lists the same (fdw/dnc_modify.c), other things one by one (fdw/entity_modify.c).
 */
#ifndef GC_FDW_WRITER_H
#define GC_FDW_WRITER_H

#include "postgres.h"

#include "base/stat.h"
#include "fdw/kept.h"
#include "fdw/relation.h"
#include "store/audit.h"

#include "nodes/execnodes.h"

typedef TupleTableSlot *(*GcWriteRow)(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
									  TupleTableSlot *plan_slot);

typedef struct GcWriter
{
	GcWriteRow insert_row; /* the callbacks ExecForeignInsert, … */
	GcWriteRow update_row;
	GcWriteRow delete_row;
	void (*end)(EState *estate, ResultRelInfo *rri);
} GcWriter;

/* What ri_FdwState points to begins with it. */
typedef struct GcWriterState
{
	const GcWriter *writer;
} GcWriterState;

/* The state of those that write what is no contacts; begins with it, too. */
typedef struct GcRows
{
	GcWriterState base;
	EState *estate;
	ResultRelInfo *rri;
	CmdType operation;
	GcRelation *rel;
	GcStat stat;
	GcAudit *audit;
	AttrNumber tid_attno;
	GcKept *kept; /* NULL until the first row */
	bool began;
	MemoryContext row_cxt;	  /* reset for each row */
	MemoryContext result_cxt; /* of the result, reset for the next one */
	TupleTableSlot *result;	  /* the row as it reads */
	MemoryContextCallback on_reset;
} GcRows;

/* INSERT, UPDATE or DELETE. */
extern const char *gc_rows_verb(CmdType operation);

/*
 * Begins, in es_query_cxt, and becomes rri's state.  "plan": what gives the rows (UPDATE,
 * DELETE); NULL: INSERT.
 */
extern void gc_rows_begin(GcRows *rows, const GcWriter *writer, ModifyTableState *mtstate,
						  ResultRelInfo *rri, const PlanState *plan);

/* Begins the audit, under the relation's label; it ends with the statement's memory. */
extern void gc_rows_begin_audit(GcRows *rows);

/* A row is there: makes ready for it, in a context of its own; returns the caller's. */
extern MemoryContext gc_rows_next(GcRows *rows);

/* What was read of the plan's row; false: the statement has had it before. */
extern bool gc_rows_take(GcRows *rows, TupleTableSlot *plan_slot, GcKeptRow *row);

/* Clears the result, and gives its context to fill it in; returns the caller's. */
extern MemoryContext gc_rows_clear_result(GcRows *rows);

/* The row that DELETE leaves for RETURNING, if it was there. */
extern TupleTableSlot *gc_rows_deleted(GcRows *rows, bool there, TupleTableSlot *slot,
									   TupleTableSlot *plan_slot);

extern void gc_rows_end(GcRows *rows);

#endif /* GC_FDW_WRITER_H */
