/*
 * store/submission.h
 *	  What submit_import() asks for, told to the layer that knows foreign tables.
 */
#ifndef GC_STORE_SUBMISSION_H
#define GC_STORE_SUBMISSION_H

#include "postgres.h"

#include "base/seen.h"

/* Strings, or NULL: as the table's options have it. */
typedef struct GcSubmission
{
	Oid relid;
	const char *query;
	const char *on_duplicate;
	const char *verification;
	const char *method;
	const char *import_key;
	const char *campaign_id;
	const char *webhook_url;
	const char *options; /* JSON */
	int part_rows;		 /* an option of these; 0: it is not given */
	GcSeen *only;		 /* ids of the contacts that are wanted; NULL: all are */
} GcSubmission;

/*
 * Runs the query, with the caller's rights, and stages its rows: the import's id.  If
 * there is one with the same key already, its id, and the query does not run.
 */
typedef int64 (*GcSubmitter)(const GcSubmission *submission);

#endif /* GC_STORE_SUBMISSION_H */
