/*
 * base/nearest.h
 *	  The known name closest to a misspelt one, for hints.
 */
#ifndef GC_BASE_NEAREST_H
#define GC_BASE_NEAREST_H

typedef struct GcNearest
{
	const char *word; /* what was asked for */
	const char *best; /* the closest name seen so far, or NULL */
	int distance;	  /* its edit distance */
} GcNearest;

/* Starts a search; "word" must outlive it. */
extern void gc_nearest_init(GcNearest *nearest, const char *word);

/* Offers a name; it must outlive the search.  Names too far off are ignored. */
extern void gc_nearest_offer(GcNearest *nearest, const char *name);

#endif /* GC_BASE_NEAREST_H */
