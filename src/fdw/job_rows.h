/*
 * fdw/job_rows.h
 *	  The contacts of a part that goes as a job, and which of them the job has refused.
 *
 * All of them are in memory: a job takes no more than 10 MB.  Lives in a context beyond
 * transactions, since a part may be sent in more than one.
 */
#ifndef GC_FDW_JOB_ROWS_H
#define GC_FDW_JOB_ROWS_H

#include "postgres.h"

#include "api/jobs.h"
#include "fdw/encode.h"
#include "fdw/import_parts.h"

typedef struct GcJobRows GcJobRows;

/* Empty, in the current context; of a file its rows are never read as contacts. */
extern GcJobRows *gc_job_rows_create(GcImportRun *run, const GcPart *part, bool is_file);

/*
 * Reads the part's contacts; "again": but for those that the list shows already, which are
 * counted in *there, and what that took in *requests.  In a transaction.
 */
extern void gc_job_rows_read(GcJobRows *rows, bool again, int64 *there, int64 *requests);

/* Of those that are to be sent. */
extern int gc_job_rows_count(const GcJobRows *rows);

/* The body of a job with so many of them, the first of which is that. */
extern void gc_job_rows_body(const GcJobRows *rows, GcImportForm form, int first, int count,
							 StringInfo body);

/* What a job refused of those that it had from "first" on: kept, if it is not too many. */
extern void gc_job_rows_refuse(GcJobRows *rows, int first, const GcJobError *error);

/* Rows of a file that were left out of the one that was sent; a bit for each, NULL: none. */
extern void gc_job_rows_left_out(GcJobRows *rows, const uint8 *skips);

/* How many are kept; and forgets them. */
extern int gc_job_rows_refused(const GcJobRows *rows);
extern void gc_job_rows_forget(GcJobRows *rows);

/* What is refused, to rejected_rows. */
extern void gc_job_rows_reject(GcJobRows *rows, const char *correlation_id);

/* Why a job as a whole has failed, by its errors; NULL: none of them says. */
extern const char *gc_job_rows_reason(const GcJobRows *rows);

#endif /* GC_FDW_JOB_ROWS_H */
