/*
 * job_lists.h
 *	  Contact lists as dialect "jobs" has them: with fields, and a status.
 *
 * They are the same lists as the platform's; what one dialect makes the other
 * shows.  All want the lock.
 */
#ifndef SIM_JOB_LISTS_H
#define SIM_JOB_LISTS_H

#include "request.h"
#include "store.h"

extern void job_lists_post(Request *req);
extern void job_list_get(Request *req);
extern void job_list_put(Request *req);

/* The list of the path, if it is READY; NULL, with 404 or 409 as the reply. */
extern List *job_list_ready(Request *req);

extern void job_list_seed_status(Request *req); /* POST /_sim/liststatus */

#endif
