/*
 * fdw/deliver.h
 *	  Delivery of encoded contacts: batches, overlapped requests, counts.
 *
 * A statement has one writer for each connection it writes through.  The
 * writer holds a target for each list, all their open batches under one budget
 * of memory, and at most max_in_flight requests.  Whatever happens, three
 * counts are known: accepted, in doubt (on the wire without an answer), and
 * not sent; they are in the error, or in a WARNING if something else aborts the
 * transaction.
 */
#ifndef GC_FDW_DELIVER_H
#define GC_FDW_DELIVER_H

#include "postgres.h"

#include "api/contacts.h"
#include "base/stat.h"
#include "fdw/encode.h"
#include "fdw/relation.h"
#include "fdw/verb.h"
#include "store/audit.h"
#include "store/rejects.h"

#include "nodes/execnodes.h"

typedef struct GcTarget GcTarget;

typedef struct GcTargetSettings
{
	GcVerb verb;
	const char *operation; /* for the audit; NULL: by the statement */
	const char *by_role;   /* the same; NULL: the current one */
	bool counted;		   /* its rows are those that the command tag counts */
	int64 import_id;	   /* it is a part of that import, which accounts for it; 0: of none */
	int64 rejected;		   /* … of which so many rows have been rejected before, … */
	GcRejectsKept *kept;   /* … and which keeps those of the part; NULL: none is kept */
	int64 freshness_us;	   /* UPDATE: how long ago a contact may have been read */
	int batch_rows;
	int batch_bytes;
	int64 buffer_memory;
	GcContactsFlags flags;
} GcTargetSettings;

/* What the audit calls a statement. */
extern const char *gc_deliver_operation(const EState *estate, GcVerb verb);

/*
 * Opens a target of the statement whose state is "estate"; it lives in
 * estate's query context.
 */
extern GcTarget *gc_deliver_open(EState *estate, GcConnection *conn, GcRelation *rel,
								 GcList *list, const GcTargetSettings *settings);

/* NULL, or what keeps a row from being sent at all; in the current context. */
extern const GcProblem *gc_deliver_check(const GcRelation *rel, const GcRow *row);

/* Takes a row into the open batch; sends the batch first if the row would overfill it. */
extern void gc_deliver_row(GcTarget *target, const GcRow *row);

/*
 * Sends a row by itself and waits.  False if there was no such contact to
 * delete, or the row is rejected.  *echo, unless NULL, is set to a cursor before the
 * platform's echo of it, which stays until the next row.
 */
extern bool gc_deliver_now(GcTarget *target, const GcRow *row, GcJson **echo);

/* Throws a problem with a row, once what is in flight has been answered, with the counts. */
extern _Noreturn void gc_deliver_refuse(GcTarget *target, const GcProblem *problem);

/* Rows were taken from the executor that will come later (GcRow.taken). */
extern void gc_deliver_taken(GcTarget *target, int64 rows);

/* Rows that were taken are not to be sent, and nothing is to count them. */
extern void gc_deliver_skipped(GcTarget *target, int64 rows);

/* Before everything is sent: this brings what is still held back. */
extern void gc_deliver_before_drain(GcTarget *target, void (*callback)(void *arg), void *arg);

/*
 * Called with batches that were answered well, their answers still there, until it
 * returns false.
 */
extern void gc_deliver_on_echo(GcTarget *target,
							   bool (*echoed)(void *arg, const GcBatch *batch), void *arg);

/*
 * DELETE: contacts are not looked for batch by batch.  removed() is told of each that
 * the platform says nothing of, and they are in doubt; check() is called when there are
 * no more, to find out which of them are still there.
 */
extern void gc_deliver_defer_check(GcTarget *target,
								   void (*removed)(void *arg, const char *id),
								   void (*check)(void *arg), void *arg);

/*
 * For check(): one of them is still there, as "answer" (the platform's id of it) shows
 * it; false if the statement goes on without its row.  And so many were for which this
 * was true, all others are gone.
 */
extern bool gc_deliver_held(GcTarget *target, const GcHeld *held, const char *answer);
extern void gc_deliver_checked(GcTarget *target, int64 held);

/* Does nothing else in the statement write the target's list? */
extern bool gc_deliver_is_alone(const GcTarget *target);

/* A row that the statement has taken, and cannot write. */
typedef struct GcRefusal
{
	const GcFailure *failure;	/* the platform's refusal: of its own request, or … */
	bool tried;					/* … if this is false, of another one's of its batch; … */
	const GcProblem *problem;	/* … or else what is wrong with it */
	const char *correlation_id; /* of the answer that says so; or NULL */
	bool counted;				/* the executor has counted the row */
	const char *json;			/* the contact, … */
	int len;
	const char *row_data; /* … or the row as gc_fdw.rejected_rows has it, and … */
	const char *id;		  /* … its contact's id */
} GcRefusal;

/*
 * Goes on without that row, which counts as one that was never there; throws if it is
 * one too many.  False: nobody has asked for that, and the statement is to fail.
 */
extern bool gc_deliver_reject(GcTarget *target, const GcRefusal *refusal);

/* Would it go on? */
extern bool gc_deliver_goes_on(const GcTarget *target);

/*
 * Called for such rows.  If it returns, the statement goes on.  Without one, the
 * statement fails.
 */
extern void gc_deliver_on_refusal(GcTarget *target,
								  void (*callback)(void *arg, const GcRefusal *refusal),
								  void *arg);

/*
 * Throws a call of the statement's that was no delivery, once what is in flight
 * has been answered, with the counts.  "problem" is what is wrong with its
 * answer; NULL: it failed.
 */
extern _Noreturn void gc_deliver_fail(GcTarget *target, const GcCall *call,
									  const char *problem, const char *message);

/* Starts a call that reads what is needed for the delivery; where others are counted. */
extern GcCall *gc_deliver_read(GcTarget *target, GcCallSpec *spec);
extern GcStat *gc_deliver_read_stat(GcTarget *target);

/*
 * Sends everything of the statement and waits for every answer; then the
 * statement's row count is right.
 */
extern void gc_deliver_drain(EState *estate);

/* Adds what was done to prepare the target to its figures. */
extern void gc_deliver_count(GcTarget *target, const GcStat *stat);

/* What the audit says of it. */
extern GcAudit *gc_deliver_audit(GcTarget *target);

/* What was done for the target; the time waited is the whole statement's. */
extern GcStat gc_deliver_stat(GcTarget *target);

#endif /* GC_FDW_DELIVER_H */
