/*
 * fdw/modify_state.h
 *	  What INSERT, UPDATE and DELETE keep of one list while they run.
 */
#ifndef GC_FDW_MODIFY_STATE_H
#define GC_FDW_MODIFY_STATE_H

#include "postgres.h"

#include "fdw/decode.h"
#include "fdw/deliver.h"
#include "fdw/kept.h"
#include "fdw/pending.h"
#include "fdw/reject.h"
#include "fdw/relation.h"
#include "fdw/staging.h"
#include "fdw/writer.h"

#include "nodes/execnodes.h"
#include "nodes/plannodes.h"

/* Each of them has more after this, the state of a result relation. */
typedef struct GcModify
{
	GcWriterState base;
	GcVerb verb;
	GcRelation *rel;
	Oid user_id; /* whose mapping is used */
	GcConnection *conn;
	GcList *list;
	GcTarget *target;		  /* NULL: rows wait for COMMIT, … */
	GcPending *pending;		  /* … here, … */
	GcStaging *staging;		  /* … or become an import */
	bool goes_on;			  /* on_error 'reject' */
	GcRejecter *rejecter;	  /* NULL with "pending" */
	bool began;				  /* there has been a row */
	bool single;			  /* each row is a call, since somebody waits for its answer */
	TupleTableSlot *result;	  /* the row as it reads; NULL if nobody asks */
	MemoryContext row_cxt;	  /* reset for each row */
	MemoryContext result_cxt; /* of the result, reset for the next one */
	AttrNumber tid_attno;	  /* UPDATE, DELETE: of the row's place, in the plan's row */
	GcKept *kept;			  /* … NULL until the first row */
} GcModify;

/* What writes contacts; in fdw/modify.c. */
extern const GcWriter gc_contact_writer;

/* Are contacts of the table sent at COMMIT: deliver 'commit'? */
extern bool gc_modify_waits(const GcRelation *rel);

/*
 * A row cannot be written: rejects it, or throws its problem, with the counts if
 * something may have been sent.  "id" is the contact's; NULL: it has none.
 */
extern void gc_modify_reject(GcModify *modify, const GcProblem *problem, const char *id,
							 TupleTableSlot *slot);

/* What it is to be; "settings" are the table's options for that verb. */
extern void gc_modify_settings(const GcRelation *rel, GcVerb verb, GcTargetSettings *settings);

/*
 * Makes ready to write one list, in es_query_cxt, and sets rri's state.
 * "shown": somebody looks at the row afterwards.  "counted": the command tag
 * counts it.  Throws if the table's columns are not the list's.
 */
extern void gc_modify_open(GcModify *modify, EState *estate, ResultRelInfo *rri, GcVerb verb,
						   bool shown, bool counted);

/* To be called with each row, before anything of it is written. */
extern void gc_modify_row(GcModify *modify, EState *estate);

/* UPDATE, DELETE: finds the row's place in the rows that the plan gives. */
extern void gc_modify_find_tid(GcModify *modify, const PlanState *rows);

/*
 * The contact that the plan's row stands for, as it was read.  False if the
 * statement has had it before.  In the current context.
 */
extern bool gc_modify_take(GcModify *modify, EState *estate, ResultRelInfo *rri,
						   TupleTableSlot *plan_slot, GcKeptRow *row);

/*
 * The row as a SELECT would show it: from its echo, or NULL, then from what was
 * sent.  Leaves the caller in result_cxt.
 */
extern TupleTableSlot *gc_modify_show(GcModify *modify, GcDecoder *decoder,
									  TupleTableSlot *slot, const char *id, GcJson *echo);

#endif /* GC_FDW_MODIFY_STATE_H */
