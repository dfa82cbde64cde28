/*
 * api/jobs.h
 *	  Contacts handed to the platform as a job, and what becomes of it (SCENARIOS L).
 *
 * That a job is taken says nothing of its contacts (B5): success is what the job says.
 */
#ifndef GC_API_JOBS_H
#define GC_API_JOBS_H

#include "postgres.h"

#include "api/contact_lists.h"
#include "api/dialect.h"
#include "api/request.h"

#include "lib/stringinfo.h"

/* ---- bodies ---- */

/* What the platform is to do with contacts that are there, and how it checks them. */
typedef struct GcJobWishes
{
	const char *on_duplicate;
	const char *verification;
} GcJobWishes;

extern void gc_job_body_begin(GcImportForm form, StringInfo body);

/* Adds a contact: "cells" are the members of its data. */
extern void gc_job_body_add(GcImportForm form, StringInfo body, const char *id,
							const char *cells, int len);
extern void gc_job_body_end(GcImportForm form, StringInfo body, const GcJobWishes *wishes);

/* ---- submitting ---- */

typedef enum GcJobOutcome
{
	GC_JOB_TAKEN,
	GC_JOB_NOT_READY, /* the list is being provisioned, or at work */
	GC_JOB_TOO_MANY,  /* jobs of the list are at work */
	GC_JOB_TOO_LARGE,
	GC_JOB_IN_DOUBT, /* the answer was lost */
} GcJobOutcome;

/* A job that was taken, in the current context; NULL where the platform says none. */
typedef struct GcJobTicket
{
	const char *job_id;
	const char *correlation_id;
} GcJobTicket;

/* Submits a body of contacts.  Throws what cannot be helped: "message" is what could not be done. */
extern GcJobOutcome gc_job_submit(GcCalls *calls, GcImportForm form, const char *list_id,
								  const StringInfo body, const char *message,
								  GcJobTicket *ticket);

/* The same of a failure: what has become of the job; throws nothing.  GC_JOB_TAKEN: none of these. */
extern GcJobOutcome gc_job_outcome(const GcFailure *failure);

/* The id in the answer to a job that was taken; NULL: there is none that could be one. */
extern char *gc_job_id(const char *bytes, size_t len);

/* ---- what becomes of them ---- */

typedef enum GcJobState
{
	GC_JOB_ACTIVE,
	GC_JOB_COMPLETED,
	GC_JOB_FAILED,
	GC_JOB_CANCELLED,
} GcJobState;

typedef struct GcJob
{
	char id[64];
	GcJobState state;
	int64 total; /* contacts; -1: it does not say */
	int64 successful;
	int64 failed;
} GcJob;

/* A contact that a job refused, or why it failed; strings in UTF-8, NULL where it does not say. */
typedef struct GcJobError
{
	int64 row; /* from 1, as they were submitted; 0: none */
	const char *contact_id;
	const char *field;
	const char *message;
} GcJobError;

typedef enum GcJobLook
{
	GC_JOB_SEEN,
	GC_JOB_UNSEEN, /* it could not be had, for a reason that passes by itself (J3) */
	GC_JOB_GONE,   /* the platform does not know it */
} GcJobLook;

/*
 * Asks for a job; take() is called for each of its errors, once it is over.  Other failures
 * are thrown.
 */
extern GcJobLook gc_job_get(GcCalls *calls, const char *list_id, const char *job_id,
							const char *what, GcJob *job,
							void (*take)(void *arg, const GcJobError *error), void *arg);

/* Calls visit() for each job of the list that the platform still shows; false: none could be had. */
extern bool gc_job_queue(GcCalls *calls, const char *list_id, const char *what,
						 void (*visit)(void *arg, const GcJob *job), void *arg);

typedef enum GcListStatus
{
	GC_LIST_READY,
	GC_LIST_PROCESSING,
	GC_LIST_ERROR,
} GcListStatus;

/*
 * Whether a list takes jobs; what could not be asked is PROCESSING.  With "list" (which may be
 * NULL) one that is READY is given with its fields as they are now; NULL if it is gone.
 */
extern GcListStatus gc_job_list_status(GcCalls *calls, const char *list_id, const char *what,
									   GcList **list);

#endif /* GC_API_JOBS_H */
