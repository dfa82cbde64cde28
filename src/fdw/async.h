/*
 * fdw/async.h
 *	  Scans below an Append, read side by side: the asynchronous callbacks.
 */
#ifndef GC_FDW_ASYNC_H
#define GC_FDW_ASYNC_H

#include "postgres.h"

#include "foreign/fdwapi.h"

extern void gc_async_routine(FdwRoutine *routine);

#endif /* GC_FDW_ASYNC_H */
