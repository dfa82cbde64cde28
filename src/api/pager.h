/*
 * api/pager.h
 *	  Walks the pages of a resource, in order, some of them fetched ahead.
 *
 * Starts with one page and fetches ahead only as pages are used up, so that a
 * reader who stops early has cost one request.  A page that is shorter than
 * the total says is an error, never fewer rows in silence.
 */
#ifndef GC_API_PAGER_H
#define GC_API_PAGER_H

#include "postgres.h"

#include "api/expand.h"
#include "api/page.h"
#include "api/resource.h"

typedef struct GcPager GcPager;

/*
 * A walk in the current context; the first request goes out with the first
 * gc_pager_next().  "what" names what is read, for messages ("contact list
 * "x""); it and "list_id" (NULL for resources without a list) must outlive it.
 */
extern GcPager *gc_pager_open(GcCalls *calls, const GcResource *resource, const char *list_id,
							  int page_size, int max_ahead, const char *what);

/*
 * The next entity, or row: a cursor before it, which the caller moves past it.
 * The bytes stay until the next call.  Unless it may "wait", it does nothing that
 * takes long, and is to be asked again when gc_call_try() would be.
 */
extern GcNext gc_pager_next(GcPager *pager, bool wait, GcJson **row);

/* What the platform is to filter by, of a GcPageRequest; must outlive the pager.  NULL: nothing. */
extern void gc_pager_filter(GcPager *pager, const char *criteria);

/* What it is to sort by, JSON without brackets, likewise. */
extern void gc_pager_sort(GcPager *pager, const char *sorts);

/*
 * Entities become rows by further calls, the first's before the second's; before the first
 * gc_pager_next().  Those that do not pass the sift (NULL: all do) are left out.
 */
extern void gc_pager_expand(GcPager *pager, const GcExpansion *const *expansions, int count,
							const GcSift *sift);

/*
 * The walk takes so many pages at most, chosen at random among all of them, in order; before
 * the first gc_pager_next().  The first page is read in any case, since it says how many
 * there are; its rows count only if chance takes it, too.
 */
extern void gc_pager_sample(GcPager *pager, int pages);

/*
 * The walk will go to its end: it throws as soon as it is known that it would
 * take more requests than the statement may make.
 */
extern void gc_pager_read_all(GcPager *pager);

/* How many rows there are, by the last page read; -1: not known. */
extern int64 gc_pager_total(const GcPager *pager);

/* Is there more than one page, as far as is known? */
extern bool gc_pager_has_pages(const GcPager *pager);

/* When the page at hand was asked for. */
extern GcTime gc_pager_asked_at(GcPager *pager);

/* Did the number of entities change during the walk?  What it was, and is. */
extern bool gc_pager_drifted(const GcPager *pager, int64 *first, int64 *last);

/* Throws that the page at hand is malformed, as its cursor says. */
extern _Noreturn void gc_pager_throw(GcPager *pager, const char *problem);

/* Is called if the failure that ends the walk says that the list is gone, or another. */
extern void gc_pager_on_missing(GcPager *pager, void (*callback)(void *arg), void *arg);

#endif /* GC_API_PAGER_H */
