/*
 * base/written.h
 *	  When this cluster last wrote to a list, as long as it is one of the latest.
 *
 * Reads lag behind writes; whoever misses something can tell by this whether
 * that may be why.  Moments are those of base/clock.h.
 */
#ifndef GC_BASE_WRITTEN_H
#define GC_BASE_WRITTEN_H

#include "postgres.h"

#include "base/clock.h"
#include "base/shared.h"

/* The memory, for the composition root to declare. */
extern GcSharedPart gc_written_part;

/* Contacts of the list are on their way, or have arrived. */
extern void gc_written_note(const char *api_url, const char *list_id);

/* When that was last; 0: long ago, or never. */
extern GcTime gc_written_last(const char *api_url, const char *list_id);

/* When reads that lag behind by "lag_ms" at most show all that was written; 0: they do. */
extern GcTime gc_written_shown(const char *api_url, const char *list_id, int64 lag_ms);

#endif /* GC_BASE_WRITTEN_H */
