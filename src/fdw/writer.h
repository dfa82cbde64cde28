/*
 * fdw/writer.h
 *	  Who writes the rows of a result relation: contacts many a call (fdw/modify.c),
 *	  other things one by one (fdw/entity_modify.c).
 */
#ifndef GC_FDW_WRITER_H
#define GC_FDW_WRITER_H

#include "postgres.h"

#include "commands/explain.h"
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

#endif /* GC_FDW_WRITER_H */
