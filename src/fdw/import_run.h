/*
 * fdw/import_run.h
 *	  Sends an import: what a worker does (DESIGN 4.6).
 */
#ifndef GC_FDW_IMPORT_RUN_H
#define GC_FDW_IMPORT_RUN_H

#include "postgres.h"

/*
 * Sends what is not settled of an import, part by part.  Not in a transaction; the
 * caller holds the list's lock.  Whatever goes wrong pauses or ends the import with a
 * reason: nothing is thrown, but for what ends the process.
 */
extern void gc_import_run(int64 id);

#endif /* GC_FDW_IMPORT_RUN_H */
