/*
 * api/bulk_jobs.h
 *	  Bulk jobs of a contact list: an edit or a removal of many contacts.
 *
 * The platform answers at once, with a job that is then looked at until it has
 * ended.  Nothing here waits or throws for what the platform says.
 */
#ifndef GC_API_BULK_JOBS_H
#define GC_API_BULK_JOBS_H

#include "postgres.h"

#include "api/contact_lists.h"
#include "api/request.h"
#include "api/resource.h"

/* Patterns of the calls. */
#define GC_BULK_EDIT   "/api/v2/outbound/contactlists/" GC_LIST_ID "/contacts/bulk/update"
#define GC_BULK_REMOVE "/api/v2/outbound/contactlists/" GC_LIST_ID "/contacts/bulk/remove"
#define GC_BULK_JOB	   "/api/v2/outbound/contactlists/" GC_LIST_ID "/contacts/bulk/jobs/{jobId}"

/* Ids that one edit takes; a removal takes none. */
#define GC_BULK_MAX_IDS 1000

typedef struct GcBulkJob
{
	const char *id;
	bool ended;
	bool failed;	  /* … and not all was done */
	int64 total;	  /* contacts that it found */
	int64 completed;  /* of these, it is done with */
	const char *why;  /* it failed; NULL: the platform does not say */
	const char *code; /* … as a word; or NULL */
} GcBulkJob;

/*
 * Submits one.  It is not repeated when its answer got lost: what came to match
 * meanwhile would be changed or removed, too.  "in_doubt" and "rows" as in GcCallSpec.
 */
extern GcCall *gc_bulk_submit(GcCalls *calls, const GcList *list, bool edit, const char *body,
							  int64 *in_doubt, int rows);

/* Looks at one. */
extern GcCall *gc_bulk_look(GcCalls *calls, const GcList *list, const char *job_id);

/*
 * Reads the answer to either; what is wrong with it, or NULL.  Strings are in the
 * current context.
 */
extern const char *gc_bulk_read(GcCall *call, GcBulkJob *job);

#endif /* GC_API_BULK_JOBS_H */
