/*
 * fdw/reject.h
 *	  Rows that a statement goes on without: on_error 'reject'.
 *
 * A row that our own checks refuse, or the platform, goes to gc_fdw.rejected_rows
 * (store/rejects.h), up to max_rejects of them for each list; one more fails the
 * statement, as the first one does under on_error 'stop'.
 */
#ifndef GC_FDW_REJECT_H
#define GC_FDW_REJECT_H

#include "postgres.h"

#include "fdw/deliver.h"
#include "fdw/encode.h"

#include "executor/tuptable.h"

typedef struct GcRejecter GcRejecter;

/*
 * Makes ready to reject rows of a target; under on_error 'reject' there is a
 * worker then, or this throws.  Lives in estate's query context.
 */
extern GcRejecter *gc_reject_open(EState *estate, GcRelation *rel, GcList *list,
								  GcTarget *target, const GcTargetSettings *settings);

/* Does what writes a table go on without rows: on_error 'reject'?  Without how many? */
extern bool gc_reject_goes_on(const GcRelation *rel);
extern int gc_reject_max(const GcRelation *rel);

/* Rejects a row, or throws its problem.  "id": the contact's, in UTF-8; NULL: it has none. */
extern void gc_reject_row(GcRejecter *rejecter, const GcProblem *problem, const char *id,
						  TupleTableSlot *slot);

/* The same under on_error 'reject', of a row as rejected_rows is to have it; and that. */
extern void gc_reject_text(GcRejecter *rejecter, const GcProblem *problem, const char *id,
						   const char *row_data, const char *correlation_id);
extern const char *gc_reject_row_data(GcRelation *rel, TupleTableSlot *slot);

/* The same of a contact as it was sent, in JSON: the row that it was made of. */
typedef struct GcRejectRows GcRejectRows;

extern GcRejectRows *gc_reject_rows_create(GcRelation *rel, GcList *list);
extern const char *gc_reject_contact(GcRejectRows *rows, const char *json, size_t len);

/* The table's name for a remote column; else "field" itself. */
extern const char *gc_reject_column(const GcRelation *rel, const char *field);

/* All rows that the statement has rejected are committed, and told of in a NOTICE. */
extern void gc_reject_finish(EState *estate);

#endif /* GC_FDW_REJECT_H */
