/*
 * fdw/import_task.h
 *	  What is done when an import has ended: its campaign, its webhook.
 */
#ifndef GC_FDW_IMPORT_TASK_H
#define GC_FDW_IMPORT_TASK_H

#include "postgres.h"

/*
 * Does one of the tasks of this database that are due; false: there was none.  Not in a
 * transaction.  What fails is noted, and tried again later.
 */
extern bool gc_import_task_run(void);

#endif /* GC_FDW_IMPORT_TASK_H */
