/*
 * fdw/truncate.h
 *	  TRUNCATE of contacts.
 */
#ifndef GC_FDW_TRUNCATE_H
#define GC_FDW_TRUNCATE_H

#include "postgres.h"

#include "foreign/fdwapi.h"

/* Sets the callback of this file. */
extern void gc_truncate_routine(FdwRoutine *routine);

#endif /* GC_FDW_TRUNCATE_H */
