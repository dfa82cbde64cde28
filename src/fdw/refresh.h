/*
 * fdw/refresh.h
 *	  Contacts that are read again, by id, before an UPDATE is merged with them.
 *
 * Contacts have no version, so what was read too long ago must not be written
 * back.  Changes are held until there are enough for as many look-ups as may be
 * in flight.
 */
#ifndef GC_FDW_REFRESH_H
#define GC_FDW_REFRESH_H

#include "postgres.h"

#include "fdw/deliver.h"
#include "fdw/merge.h"

typedef struct GcRefresh GcRefresh;

/* In the current context.  What is held goes out before the target is drained. */
extern GcRefresh *gc_refresh_create(GcTarget *target, GcVerb verb, GcRelation *rel,
									GcList *list, GcMerger *merger, int max_in_flight);

/*
 * The context that the next change is to be encoded in; gc_refresh_add() takes
 * it over, and may send what is held.  "alone" is what is sent if there is no
 * such contact; NULL: that is an error, or a row that is rejected.
 */
extern MemoryContext gc_refresh_context(GcRefresh *refresh);
extern void gc_refresh_add(GcRefresh *refresh, const char *id, const GcPatch *patch,
						   const GcRow *alone);

/* Reads one contact at once and merges it; "row" is in the current context.  False: it is rejected. */
extern bool gc_refresh_now(GcRefresh *refresh, const char *id, const GcPatch *patch,
						   const GcRow *alone, GcRow *row);

#endif /* GC_FDW_REFRESH_H */
