/*
 * fdw/lookup.h
 *	  Which of a statement's ids a list has already.
 *
 * By look-ups of 50 ids each, which see what was written a moment ago; or by the
 * ids of one export, where these would take longer.  Contacts that should be gone may
 * be known so by one page of a search, if it shows all that the list has left.
 */
#ifndef GC_FDW_LOOKUP_H
#define GC_FDW_LOOKUP_H

#include "postgres.h"

#include "fdw/modify_state.h"

typedef struct GcLookup GcLookup;

/* An id that is there. */
typedef struct GcFound
{
	const char *id;
	int len;
	int64 number;		/* that it came with */
	GcSpan contact;		/* whole; p NULL: of an export or page it is not known */
	const char *answer; /* the platform's id of the answer that has it; or NULL */
} GcFound;

typedef void (*GcLookupFound)(void *arg, const GcFound *found);

/*
 * To look for "count" ids in the list that "modify" writes; in the current context.  By
 * the cheaper way.
 */
extern GcLookup *gc_lookup_begin(const GcModify *modify, int64 count, GcLookupFound found,
								 void *arg);

/* The same by look-ups in any case. */
extern GcLookup *gc_lookup_begin_ids(const GcModify *modify, GcLookupFound found, void *arg);

/*
 * The same of contacts that the statement has deleted.  What is not found is gone; what
 * is found may be gone as well, unless it was looked up by its id.
 */
extern GcLookup *gc_lookup_begin_left(const GcModify *modify, int64 count, GcLookupFound found,
									  void *arg);

/* Would so many deleted contacts be looked for in an export? */
extern bool gc_lookup_left_exports(const GcModify *modify, int64 count);

/* The way that it goes, for EXPLAIN; is it by their ids? */
extern const char *gc_lookup_way(const GcLookup *lookup);
extern bool gc_lookup_is_by_ids(const GcLookup *lookup);

/* They come in ascending order of their bytes, each once. */
extern void gc_lookup_put(GcLookup *lookup, const char *id, int len, int64 number);

/* When it returns, all has been told. */
extern void gc_lookup_end(GcLookup *lookup);

/* The same for one id, at once: is it there? */
extern bool gc_lookup_one(const GcModify *modify, const char *id);

#endif /* GC_FDW_LOOKUP_H */
