/*
 * fdw/scan.h
 *	  SELECT: the scan callbacks.
 */
#ifndef GC_FDW_SCAN_H
#define GC_FDW_SCAN_H

#include "postgres.h"

#include "foreign/fdwapi.h"

/* What fdw/async.c keeps of a scan. */
typedef struct GcScanAsync
{
	bool seen_to; /* another scan of its Append has prepared this wait for it, too */
} GcScanAsync;

extern GcScanAsync *gc_scan_async(ForeignScanState *node);

/* Of a scan that gave no row: will there be no more of them? */
extern bool gc_scan_is_over(ForeignScanState *node);

/*
 * The statement is about to write: scans of the lists that it writes, which have not
 * begun yet, are read to their end now.
 */
extern void gc_scan_read_ahead(EState *estate);

extern void gc_scan_routine(FdwRoutine *routine);

#endif /* GC_FDW_SCAN_H */
