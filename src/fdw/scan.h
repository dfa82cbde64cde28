/*
 * fdw/scan.h
 *	  SELECT: the scan callbacks.
 */
#ifndef GC_FDW_SCAN_H
#define GC_FDW_SCAN_H

#include "postgres.h"

#include "foreign/fdwapi.h"

extern void gc_scan_routine(FdwRoutine *routine);

#endif /* GC_FDW_SCAN_H */
