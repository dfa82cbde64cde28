/*
 * events.h
 *	  Events, bulk jobs and the status of imports: what tells how things went.
 *
 * All want the lock.
 */
#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H

#include "request.h"

extern void events_get(Request *req);
extern void event_get(Request *req);
extern void bulk_jobs_get(Request *req);
extern void bulk_job_get(Request *req);
extern void list_import_status(Request *req);
extern void dnc_import_status(Request *req);

/* For tests: makes events, one or an array; makes or changes a job, a status. */
extern void events_seed(Request *req);
extern void bulk_jobs_seed(Request *req);
extern void import_status_seed(Request *req);

#endif
