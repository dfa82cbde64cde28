/*
 * fdw/modify.h
 *	  INSERT, COPY FROM and tuple routing into contacts: the callbacks.
 */
#ifndef GC_FDW_MODIFY_H
#define GC_FDW_MODIFY_H

#include "postgres.h"

#include "foreign/fdwapi.h"

/* Sets the callbacks of this file. */
extern void gc_modify_routine(FdwRoutine *routine);

#endif /* GC_FDW_MODIFY_H */
