/*
 * fdw/import_ledger.h
 *	  What the ledger is asked by a foreign table's name.
 */
#ifndef GC_FDW_IMPORT_LEDGER_H
#define GC_FDW_IMPORT_LEDGER_H

#include "postgres.h"

/*
 * The id of the contact list of a foreign table, UTF-8; the platform is asked for it where the
 * table has the list's name.
 */
extern char *gc_ledger_list_id(Oid relid);

#endif /* GC_FDW_IMPORT_LEDGER_H */
