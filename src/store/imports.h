/*
 * store/imports.h
 *	  Imports as the extension keeps them: gc_fdw.import_queue and import_parts.
 */
#ifndef GC_STORE_IMPORTS_H
#define GC_STORE_IMPORTS_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

/* An import.  Strings in the database's encoding; NULL where it says so. */
typedef struct GcImport
{
	int64 id;
	const char *list_id;
	const char *list_name;
	const char *server;
	const char *relation; /* as regclass shows it with an empty search path */
	const char *submitted_by;
	const char *state;
	const char *method; /* contacts, upload, bulk, import; "auto" until its rows are counted */
	const char *on_duplicate;
	const char *verification;
	const char *import_key;	 /* or NULL */
	const char *campaign_id; /* or NULL */
	const char *webhook_url; /* or NULL */
	const char *options;	 /* JSON: those of submit_import */
	const char *run_as;		 /* whose user mapping is used; of a view, its owner's */
	bool is_checked;		 /* nothing is to be looked for in the list any more */
	int64 rows_total;
	int64 rows_rejected;
} GcImport;

/* A part of one. */
typedef struct GcPart
{
	int part; /* from 1 */
	const char *method;
	int64 rows;
	int64 bytes;
	int attempts;
	TimestampTz sent_at; /* first; 0: it never was */
	const uint8 *skips;	 /* a bit for each row that is not sent; NULL: all are */
	const char *sha256;	 /* of its payload, in hex */
	const char *job_id;	 /* of the job that was sent last; NULL: none is known */
	Oid chunks;			 /* the table that has its payload */
} GcPart;

/* ---- submitting, in the caller's transaction ---- */

/*
 * A new import without rows; its id.  Where one with that key is neither failed nor
 * cancelled, that one's id, and *is_new is false; this may wait for whoever submits
 * it.  Throws if the extension is not there.
 */
extern int64 gc_import_create(const GcImport *import, bool *is_new);

/* Its rows are staged, by that method; so many more are rejected already. */
extern void gc_import_stage(int64 id, int64 rows, int64 rejected, const char *method);

/* ---- sending, in a worker; each in a transaction ---- */

typedef struct GcImportWaiting
{
	int64 id;
	const char *list_id;
} GcImportWaiting;

/* The imports of this place that can be sent, oldest first: GcImportWaiting *. */
extern List *gc_import_waiting(void);

/* Reads one; NULL: it is not there. */
extern GcImport *gc_import_read(int64 id);

/* From staged or running to running; false: it is in neither state any more. */
extern bool gc_import_begin(int64 id);

/*
 * The next part that is not settled, if the import is running still: it is "sending" now,
 * with one more attempt, which "attempts" does not count yet.  NULL: there is none.
 */
extern GcPart *gc_part_begin(int64 id);

/* The platform has taken it, or some of it, as that job: it is "accepted". */
extern void gc_part_accept(int64 id, int part, const char *job_id);

/* None of it is to be sent, for that reason. */
extern void gc_import_fail(int64 id, const char *failure_code, const char *failure_reason);

/* What a part came to. */
typedef struct GcPartResult
{
	const char *state; /* done, failed, staged (again), cancelled */
	int64 accepted;
	int64 rejected;
	int64 skipped;
	int64 in_doubt;
	int64 requests;
	const char *correlation_id; /* or NULL */
	const char *failure_code;	/* or NULL */
	const char *failure_reason; /* or NULL */
	const char *sha256;			/* of what was sent, in hex; NULL: it was the payload */
	bool is_counted; /* all that was not rejected is there, even if the part has failed */
} GcPartResult;

/* It is settled: counted in the import, and if it is done its payload goes. */
extern void gc_part_settle(int64 id, int part, const GcPartResult *result);

/*
 * No part is to be sent any more: it is done, failed or cancelled, as its parts are; or it
 * waits, because its list or server is paused.
 */
extern void gc_import_settle(int64 id);

/* Why it cannot go on. */
typedef struct GcImportFailure
{
	bool is_final;	  /* it fails; else it is paused … */
	bool passes;	  /* … and tried again by itself, after 1 to 30 minutes */
	const char *code; /* SQLSTATE */
	const char *reason;
	int64 accepted;	   /* if it fails: of the part that was under way */
	int64 rejected;	   /* the same */
	int64 in_doubt;	   /* the same */
	int64 requests;	   /* the same, if it is paused, too */
	bool is_untouched; /* nothing of that part was ever sent */
} GcImportFailure;

extern void gc_import_stop(int64 id, const GcImportFailure *failure);

/* By who has seen that nobody sends it: it ends. */
extern void gc_import_cancel_now(int64 id);

/* When that is due of this place which is to be tried again first; 0: nothing is. */
extern TimestampTz gc_import_next_due(void);

#endif /* GC_STORE_IMPORTS_H */
