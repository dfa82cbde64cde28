/*
 * fdw/import_check.h
 *	  Imports of contacts that may be there already: on_duplicate 'ignore' and 'error'.
 *
 * All ids of an import are looked for before anything of it is sent, and what is there
 * is written down: under 'ignore' as rows to skip, under 'error' the import fails.
 * Thereafter its rows go as under 'update', so that what a crash has interrupted finds
 * its own contacts, and takes them for no one else's.
 *
 * What another writer does between the look and the POST cannot be prevented.
 */
#ifndef GC_FDW_IMPORT_CHECK_H
#define GC_FDW_IMPORT_CHECK_H

#include "postgres.h"

#include "fdw/import_parts.h"

/* Not in a transaction.  Throws if the import cannot go on; one that failed has no more parts. */
extern void gc_import_check(GcImportRun *run);

#endif /* GC_FDW_IMPORT_CHECK_H */
