/*
 * store/import_before.h
 *	  What was there before an import, or is not of it: contacts that it skips, others' events.
 *
 * In a worker, in a transaction.
 */
#ifndef GC_STORE_IMPORT_BEFORE_H
#define GC_STORE_IMPORT_BEFORE_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* All its parts, with number, method and rows: GcPart *. */
extern List *gc_parts_list(int64 id);

/* These rows of a part are not to be sent. */
extern void gc_part_skip(int64 id, int part, const uint8 *skips, int64 rows);

/* What is to be skipped is known; that took so many requests. */
extern void gc_import_checked(int64 id, int64 requests);

/* Is that the platform's id of an answer to another part, which is settled? */
extern bool gc_part_is_anothers(const char *correlation_id, int64 id, int part);

#endif /* GC_STORE_IMPORT_BEFORE_H */
