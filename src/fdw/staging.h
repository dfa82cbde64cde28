/*
 * fdw/staging.h
 *	  Contacts that become an import: deliver 'import', and submit_import (DESIGN 4.6).
 *
 * A statement's rows are checked and encoded as for any other delivery, and kept
 * in tables of the extension, in the statement's transaction: a ROLLBACK leaves
 * nothing.  After COMMIT a background worker sends them.
 */
#ifndef GC_FDW_STAGING_H
#define GC_FDW_STAGING_H

#include "postgres.h"

#include "fdw/encode.h"
#include "fdw/relation.h"
#include "net/connection.h"
#include "store/submission.h"

#include "nodes/execnodes.h"

typedef struct GcStaging GcStaging;

/* submit_import(). */
extern int64 gc_staging_submit(const GcSubmission *submission);

/* Is a statement that writes this table to stage its rows: by its option, or a submission's? */
extern bool gc_staging_wanted(const GcRelation *rel);

/*
 * Begins an import of the statement whose state is "estate", in its query context; to be
 * sent by the user mapping of that role.
 */
extern GcStaging *gc_staging_open(EState *estate, GcConnection *conn, GcRelation *rel,
								  GcList *list, Oid user_id);

/* What the statement does with contacts that are there; a submission says so itself. */
extern void gc_staging_on_duplicate(GcStaging *staging, const char *word);

/* NULL, or what keeps a row from being staged; in the current context. */
extern const GcProblem *gc_staging_check(const GcStaging *staging, const GcRow *row);

/* Before it is opened: its rows are checked as the submission has it. */
extern void gc_staging_prepare(GcRelation *rel);

/* Stages a row. */
extern void gc_staging_row(GcStaging *staging, const GcRow *row);

/*
 * Goes on without a row, under on_error 'reject' and up to max_rejects: it is in
 * rejected_rows, if the transaction is committed.  Else throws its problem.
 */
extern void gc_staging_reject(GcStaging *staging, const GcProblem *problem, const char *id,
							  TupleTableSlot *slot);

/* All rows of the statement are there: its imports can be sent once it is committed. */
extern void gc_staging_finish(EState *estate);

#endif /* GC_FDW_STAGING_H */
