/*
 * fdw/dnc_truncate.h
 *	  TRUNCATE of the entries of DNC lists.
 */
#ifndef GC_FDW_DNC_TRUNCATE_H
#define GC_FDW_DNC_TRUNCATE_H

#include "postgres.h"

#include "fdw/relation.h"

/*
 * Looks up the lists of these tables, as GcRelation *, before anything is asked for; what it
 * returns is for the next one.  Throws if one cannot be wiped.
 */
extern List *gc_dnc_truncate_find(List *rels, GcConnection *conn, GcStat *stat);

/* Wipes them all. */
extern void gc_dnc_truncate(List *targets, GcConnection *conn, GcStat *stat);

/* The statement's memory goes. */
extern void gc_dnc_truncate_release(List *targets);

#endif /* GC_FDW_DNC_TRUNCATE_H */
