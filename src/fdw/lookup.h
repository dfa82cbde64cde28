/*
 * fdw/lookup.h
 *	  Which of a statement's ids a list has already.
 *
 * By look-ups of 50 ids each, which see what was written a moment ago; or by the
 * ids of one export, where these would take longer.
 */
#ifndef GC_FDW_LOOKUP_H
#define GC_FDW_LOOKUP_H

#include "postgres.h"

#include "fdw/modify_state.h"

typedef struct GcLookup GcLookup;

/* What is told of each id that is there: the number that it came with. */
typedef void (*GcLookupFound)(void *arg, int64 number);

/* To look for "count" ids in the list that "modify" writes; in the current context. */
extern GcLookup *gc_lookup_begin(const GcModify *modify, int64 count, GcLookupFound found,
								 void *arg);

/* They come in ascending order of their bytes, each once. */
extern void gc_lookup_put(GcLookup *lookup, const char *id, int len, int64 number);

/* When it returns, all has been told. */
extern void gc_lookup_end(GcLookup *lookup);

/* The same for one id, at once: is it there? */
extern bool gc_lookup_one(const GcModify *modify, const char *id);

#endif /* GC_FDW_LOOKUP_H */
