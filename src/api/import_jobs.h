/*
 * api/import_jobs.h
 *	  What the platform shows of imports and bulk jobs, list by list.
 */
#ifndef GC_API_IMPORT_JOBS_H
#define GC_API_IMPORT_JOBS_H

#include "postgres.h"

/* The id of our import that a job of a list is of (NULL: an upload's, of so many rows); 0: none. */
typedef int64 (*GcImportFinder)(const char *list_id, const char *job_id, int64 rows);

/* Who knows our imports; from _PG_init. */
extern void gc_import_jobs_init(GcImportFinder finder);

#endif /* GC_API_IMPORT_JOBS_H */
