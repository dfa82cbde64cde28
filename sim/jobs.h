/*
 * jobs.h
 *	  The writes of dialect "jobs": each is answered with a job that does it later.
 */
#ifndef SIM_JOBS_H
#define SIM_JOBS_H

#include "request.h"

/* These take the lock themselves. */
extern void jobs_append(Request *req); /* POST …/lists/{id}/contacts/bulk?mode=append */
extern void jobs_upload(Request *req); /* POST …/lists/{id}/contacts/upload */
extern void jobs_import(Request *req); /* POST …/contactlists/{id}/contacts/import */

/* These want it. */
extern void job_get(Request *req);		  /* GET …/jobs/{id} */
extern void jobs_queue(Request *req);	  /* GET …/contacts/import */
extern void jobs_queue_one(Request *req); /* GET …/contacts/import/{id} */

#endif
