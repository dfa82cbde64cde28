/*
 * fdw/writer.c
 *	  What those have in common who write other things than contacts.
 */
#include "postgres.h"

#include "fdw/scan.h"
#include "fdw/statement.h"
#include "fdw/writer.h"

#include "executor/executor.h"
#include "utils/memutils.h"
#include "utils/rel.h"

const char *
gc_rows_verb(CmdType operation)
{
	if (operation == CMD_UPDATE)
		return "UPDATE";
	return operation == CMD_DELETE ? "DELETE" : "INSERT";
}

void
gc_rows_begin(GcRows *rows, const GcWriter *writer, ModifyTableState *mtstate,
			  ResultRelInfo *rri, const PlanState *plan)
{
	rows->base.writer = writer;
	rows->estate = mtstate->ps.state;
	rows->rri = rri;
	rows->operation = plan ? mtstate->operation : CMD_INSERT;
	rows->rel = gc_relation_load(rri->ri_RelationDesc);
	rows->stat.spent = gc_statement_spent(rows->estate);
	if (plan)
		rows->tid_attno = ExecFindJunkAttributeInTlist(plan->plan->targetlist, "ctid");
	rows->row_cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw row", ALLOCSET_DEFAULT_SIZES);
	rows->result_cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw result", ALLOCSET_DEFAULT_SIZES);
	rows->result =
		MakeSingleTupleTableSlot(RelationGetDescr(rri->ri_RelationDesc), &TTSOpsVirtual);
	rri->ri_FdwState = rows;
}

static void
release(void *arg)
{
	gc_audit_release(((GcRows *) arg)->audit);
}

void
gc_rows_begin_audit(GcRows *rows)
{
	rows->audit = gc_audit_begin(rows->rel->label, NULL, gc_rows_verb(rows->operation), NULL,
								 &rows->stat);
	rows->on_reset.func = release;
	rows->on_reset.arg = rows;
	MemoryContextRegisterResetCallback(rows->estate->es_query_cxt, &rows->on_reset);
}

MemoryContext
gc_rows_next(GcRows *rows)
{
	if (!rows->began)
		gc_scan_read_ahead(rows->estate);
	rows->began = true;
	MemoryContextReset(rows->row_cxt);
	return MemoryContextSwitchTo(rows->row_cxt);
}

bool
gc_rows_take(GcRows *rows, TupleTableSlot *plan_slot, GcKeptRow *row)
{
	return gc_kept_take_planned(&rows->kept, rows->tid_attno, rows->estate, rows->rri,
								plan_slot, row);
}

MemoryContext
gc_rows_clear_result(GcRows *rows)
{
	ExecClearTuple(rows->result);
	MemoryContextReset(rows->result_cxt);
	return MemoryContextSwitchTo(rows->result_cxt);
}

TupleTableSlot *
gc_rows_deleted(GcRows *rows, bool there, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	if (there && rows->rri->ri_projectReturning)
		gc_kept_show_deleted(rows->rri, slot, plan_slot);
	return there ? slot : NULL;
}

void
gc_rows_end(GcRows *rows)
{
	if (rows->result)
		ExecDropSingleTupleTableSlot(rows->result);
	rows->result = NULL;
}
