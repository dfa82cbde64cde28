/*
 * fdw/pending.h
 *	  Contacts that wait for COMMIT: deliver 'commit' (DESIGN 4.5).
 *
 * Rows are encoded when the executor hands them over, and kept on disk in the
 * order in which they came, all lists in one file that the top transaction owns;
 * what a savepoint added goes with it.  They are sent before the transaction
 * commits, when nothing of the user's runs any more: a failure then aborts the
 * transaction.  User, mapping and list are those of the statement that wrote.
 */
#ifndef GC_FDW_PENDING_H
#define GC_FDW_PENDING_H

#include "postgres.h"

#include "fdw/deliver.h"
#include "fdw/encode.h"

#include "utils/rel.h"

/* The rows of one table, written as one role with one set of options. */
typedef struct GcPending GcPending;

/* GUC gc_fdw.commit_timeout: how long the sending may take, ms; 0: as long as it takes. */
extern int gc_commit_timeout;

/* The transaction's rows of that table, whose list the statement has looked at. */
extern GcPending *gc_pending_open(Oid user_id, Relation relation,
								  const GcTargetSettings *settings);

/* Keeps a row until COMMIT. */
extern void gc_pending_row(GcPending *pending, const GcRow *row);

/* Keeps the changes of an UPDATE to a contact, which is read again before they are merged. */
extern void gc_pending_patch(GcPending *pending, const char *id, const GcPatch *patch);

/* Keeps a row that is not sent, since something is wrong with it: at COMMIT it is rejected. */
extern void gc_pending_reject(GcPending *pending, const GcProblem *problem, const char *id,
							  const char *row_data);

/* How many rows wait to be sent to that list. */
extern int64 gc_pending_count(const GcList *list);

/* The same; 0 once that has been told in the transaction. */
extern int64 gc_pending_untold(const GcList *list);

/* Registers the transaction callbacks; once, from _PG_init. */
extern void gc_pending_init(void);

#endif /* GC_FDW_PENDING_H */
