/*
 * fdw/import_seen.h
 *	  Is a file's content there?  The list is read back by one export (DESIGN 3).
 */
#ifndef GC_FDW_IMPORT_SEEN_H
#define GC_FDW_IMPORT_SEEN_H

#include "postgres.h"

#include "fdw/import_parts.h"

/* How many of the part's contacts the list shows, with just the cells that the part has. */
extern int64 gc_import_seen(GcImportRun *run, const GcPart *part, GcStat *stat);

#endif /* GC_FDW_IMPORT_SEEN_H */
