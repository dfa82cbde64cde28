/*
 * store/audit.h
 *	  What a transaction has sent: the audit of each statement, and the WARNING at a rollback.
 *
 * The platform knows no transactions: what was sent stays sent.  So each
 * statement leaves a row for each list in gc_fdw.audit_log, whatever becomes of
 * it.  Rows are kept in memory until the transaction ends:
 *
 * - It commits: they are written in it, just before (savepoints that were rolled
 *   back included).  If that fails, or the COMMIT after it, it aborts:
 * - It aborts: they are handed to a background worker, in shared memory that the
 *   statement has made ready, so that the abort itself can neither fail nor wait.
 *   They are there a moment later.  With no worker to be had, a line of the
 *   server's log has the same fields.
 * - The backend or the server crashes: they are lost; the server's log and the
 *   platform's own records are what is left.
 *
 * Beyond so many rows in one transaction those that are alike are put together.
 */
#ifndef GC_STORE_AUDIT_H
#define GC_STORE_AUDIT_H

#include "postgres.h"

#include "store/audit_entry.h"

#include "access/xact.h"
#include "lib/ilist.h"

/* One list as one statement writes it; lives as long as the transaction. */
typedef struct GcAudit
{
	dlist_node node;
	GcAuditEntry entry; /* accepted, in_doubt and rejected are for the statement to count */
	char *label;		/* contact list "Leads" */
	SubTransactionId subxact;
	const char *counts; /* what the WARNING counts: "Contacts" */
	bool of_contacts;	/* else of things that are written one by one … */
	bool several;		/* … of which more than one was a list */
	bool over;			/* its fate is known */
	bool shared;		/* of several statements */
	bool held;			/* by one that has not released it */
	TimestampTz since;	/* the statement's start */
	const GcStat *stat; /* the statement's; NULL: its memory is gone */
	int64 told_total;	/* of what an error has told, the WARNING says nothing */
	int64 told_accepted;
	int64 told_in_doubt;
	char *job;	  /* a bulk job that is at work, or was tried; NULL: none */
	char *tried;  /* the contact that it is tried with, … */
	int64 trials; /* … and whether it went out, or is in doubt, as the call counts it */
	int64 clears; /* TRUNCATE: calls that were taken, or are in doubt, as they count it, … */
	int64 cleared; /* … and those of them that were answered */
} GcAudit;

/*
 * Begins the audit of a statement that writes contacts of a list, or (list_id NULL) things
 * of another kind.  "by_role" is whose it was; NULL:
 * the current role's.  "stat" counts its requests and is read until gc_audit_release().
 */
extern GcAudit *gc_audit_begin(const char *label, const char *list_id, const char *operation,
							   const char *by_role, const GcStat *stat);

/*
 * The counts of somebody who leaves a row of his own, or none; in the current
 * context.  No end of a transaction tells of them.
 */
extern GcAudit *gc_audit_alone(const char *list_id, const char *by_role, const GcStat *stat);

/* The statement has more rows for the list; or fewer, if it passes over some after all. */
extern void gc_audit_take(GcAudit *audit, int64 rows);

/* What is written is no contacts, but this list; of several, the row names none. */
extern void gc_audit_wrote(GcAudit *audit, const char *list_id);

/* The platform's id of an answer; NULL: it had none. */
extern void gc_audit_answered(GcAudit *audit, const char *correlation_id);

/* The three counts for an error that tells of these rows: the WARNING need not. */
extern const char *gc_audit_tell(GcAudit *audit, int64 total, int64 accepted, int64 in_doubt);

/* A bulk job goes on at the platform, until it has ended (NULL): a rollback says so. */
extern void gc_audit_set_job(GcAudit *audit, const char *job);

/*
 * The next job is tried with this contact, by its name in the database's encoding, and may
 * take cells from it: a rollback says so, until it has been seen what it did.
 */
extern void gc_audit_begin_trial(GcAudit *audit, const char *contact);
extern void gc_audit_end_trial(GcAudit *audit);

/* The id that the row will have. */
extern int64 gc_audit_id(GcAudit *audit);

/* All rows so far were sent and answered.  A statement that ends without it has failed. */
extern void gc_audit_complete(GcAudit *audit);

/* The statement's memory goes. */
extern void gc_audit_release(GcAudit *audit);

/*
 * Registers the transaction callbacks; from _PG_init, before whoever writes to
 * the platform at the end of a transaction registers his: the last one in comes
 * first.
 */
extern void gc_audit_init(void);

#endif /* GC_STORE_AUDIT_H */
