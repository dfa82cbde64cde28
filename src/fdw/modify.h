/*
 * fdw/modify.h
 *	  INSERT, COPY FROM and tuple routing into contacts: the callbacks.
 */
#ifndef GC_FDW_MODIFY_H
#define GC_FDW_MODIFY_H

#include "postgres.h"

#include "foreign/fdwapi.h"
#include "nodes/execnodes.h"

/* Sets the callbacks of this file. */
extern void gc_modify_routine(FdwRoutine *routine);

/* Everything that the statement is to write has been sent and answered, or is rejected. */
extern void gc_modify_finish(EState *estate);

#endif /* GC_FDW_MODIFY_H */
