/*
 * fdw/size.h
 *	  How many rows tables were last seen to have, for the planner.
 *
 * Told by scans, writes, ANALYZE and IMPORT FOREIGN SCHEMA, kept in shared memory
 * (base/shared.h) until the server stops: planning asks nobody else.
 */
#ifndef GC_FDW_SIZE_H
#define GC_FDW_SIZE_H

#include "postgres.h"

#include "base/shared.h"
#include "fdw/relation.h"

/* The memory, for the composition root to declare. */
extern GcSharedPart gc_size_part;

/* The table has so many rows, conditions aside; less than none is ignored. */
extern void gc_size_note(const GcRelation *rel, int64 rows);

/*
 * So many rows were written: there are no fewer, and no fewer than there were:
 * what was noted, else "before" (-1: not known) or what ANALYZE has seen.
 */
extern void gc_size_note_written(const GcRelation *rel, int64 before, int64 rows);

/* The same as gc_size_note() of a contact list that a table may be made of; "list_id" in UTF-8. */
extern void gc_size_note_list(Oid server_id, const char *list_id, int64 rows);

/* What was noted last; -1: nothing, or it was forgotten in favour of others. */
extern int64 gc_size_known(const GcRelation *rel);

/* The same of an object that belongs to no list. */
extern int64 gc_size_known_object(Oid server_id, const GcResource *resource);

#endif /* GC_FDW_SIZE_H */
