/*
 * fdw/staged_forget.h
 *	  A contact leaves the staged rows of imports.
 */
#ifndef GC_FDW_STAGED_FORGET_H
#define GC_FDW_STAGED_FORGET_H

#include "postgres.h"

#include "nodes/pg_list.h"

/*
 * Takes the rows with that id (UTF-8) out of all imports of the server (NULL: of any server)
 * whose rows are still here; how many there were.  *refused: the imports (int64 *) that have it in a part which
 * is under way, and therefore still have it.
 */
extern int64 gc_staged_forget(const char *id, const char *server, List **refused);

#endif /* GC_FDW_STAGED_FORGET_H */
