/*
 * fdw/returning.h
 *	  What a row looks like after its INSERT, as far as that is known at once.
 *
 * RETURNING, triggers and CHECK OPTIONs look at the row before its batch has
 * been sent.  Most of it is known: cells read as they were written, the id was
 * settled before.  What only the platform knows has to be asked for.
 */
#ifndef GC_FDW_RETURNING_H
#define GC_FDW_RETURNING_H

#include "postgres.h"

#include "fdw/relation.h"

#include "executor/tuptable.h"

/* Does a RETURNING list (NIL: none) need the platform's answer? */
extern bool gc_returning_asks(GcRelation *rel, List *returning);

/*
 * The row as a SELECT would show it; "id" is its contact id, UTF-8.  Attributes
 * that only the platform knows are shown as the row gives them.
 */
extern void gc_returning_show(GcRelation *rel, const GcList *list, TupleTableSlot *slot,
							  const char *id, Datum *values, bool *nulls);

#endif /* GC_FDW_RETURNING_H */
