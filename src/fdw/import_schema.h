/*
 * fdw/import_schema.h
 *	  IMPORT FOREIGN SCHEMA outbound: a table for each object and each list.
 */
#ifndef GC_FDW_IMPORT_SCHEMA_H
#define GC_FDW_IMPORT_SCHEMA_H

#include "postgres.h"

#include "foreign/fdwapi.h"

extern void gc_import_routine(FdwRoutine *routine);

#endif /* GC_FDW_IMPORT_SCHEMA_H */
