/*
 * store/import_find.h
 *	  Which import of ours a job of the platform belongs to.
 */
#ifndef GC_STORE_IMPORT_FIND_H
#define GC_STORE_IMPORT_FIND_H

#include "postgres.h"

/*
 * The id of the import of that list which the job is of; 0: of none that the current role
 * may see.  "job_id" NULL: of the file that was uploaded last, if it had so many rows.
 */
extern int64 gc_import_of_job(const char *list_id, const char *job_id, int64 rows);

#endif /* GC_STORE_IMPORT_FIND_H */
