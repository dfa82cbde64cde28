/*
 * api/list_jobs.h
 *	  Where dialect "jobs" has its contact lists; as a table they are in api/resource.h.
 */
#ifndef GC_API_LIST_JOBS_H
#define GC_API_LIST_JOBS_H

#define GC_JOB_LISTS_PATH	  "/api/v2/outbound/lists"
#define GC_JOB_LISTS_ENDPOINT GC_JOB_LISTS_PATH "/{listId}"

#endif /* GC_API_LIST_JOBS_H */
