/*
 * fdw/analyze.h
 *	  ANALYZE: a sample of a table's rows, for the planner's statistics.
 */
#ifndef GC_FDW_ANALYZE_H
#define GC_FDW_ANALYZE_H

#include "postgres.h"

#include "foreign/fdwapi.h"

extern void gc_analyze_routine(FdwRoutine *routine);

#endif /* GC_FDW_ANALYZE_H */
