/*
 * fdw/import_refused.h
 *	  Rows of a file that the platform refused, in gc_fdw.rejected_rows.
 */
#ifndef GC_FDW_IMPORT_REFUSED_H
#define GC_FDW_IMPORT_REFUSED_H

#include "postgres.h"

#include "api/import_events.h"
#include "fdw/import_parts.h"
#include "fdw/import_seen.h"

/* May the event be of that part?  Not if its answer was another part's. */
extern bool gc_import_refused_may(GcImportRun *run, const GcPart *part,
								  const GcImportEvent *event);

/*
 * Writes a row for each of the events, as it was staged; how many.  "seen": not NULL if the
 * events may be of several files, or of others': contacts count that are the part's and not there.
 */
extern int64 gc_import_refused(GcImportRun *run, const GcPart *part,
							   const GcImportEvents *events, GcImportSeen *seen);

#endif /* GC_FDW_IMPORT_REFUSED_H */
