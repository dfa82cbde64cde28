/*
 * bulk_jobs.h
 *	  Edits and deletes of many contacts: submitted, listed, asked for.
 *
 * All want the lock.
 */
#ifndef SIM_BULK_JOBS_H
#define SIM_BULK_JOBS_H

#include "request.h"

extern void bulk_update(Request *req);
extern void bulk_remove(Request *req);
extern void bulk_jobs_get(Request *req);
extern void bulk_job_get(Request *req);
extern void bulk_jobs_seed(Request *req); /* POST /_sim/bulkjobs: makes or changes one */

#endif
