/*
 * api/expand.h
 *	  Entities of a page become rows by further calls, some of them made ahead.
 *
 * As with pages, the first call goes out alone, and more at once as their rows
 * are used up: a reader who stops early has cost little.
 */
#ifndef GC_API_EXPAND_H
#define GC_API_EXPAND_H

#include "postgres.h"

#include "api/page.h"
#include "api/resource.h"

typedef struct GcExpander GcExpander;

/* Who says which entities are wanted; may throw. */
typedef struct GcSift
{
	bool (*passes)(void *arg, const GcSpan *entity);
	void *arg;
} GcSift;

/*
 * In the current context, for all pages of a walk.  At most "max_ahead" calls
 * are in flight; "message" says what could not be done if one fails.  What it
 * expands are the rows of another ("inner"), or entities of pages (NULL).
 */
extern GcExpander *gc_expander_create(GcCalls *calls, const GcExpansion *expansion,
									  int max_ahead, const char *message, GcExpander *inner);

/* Before the first page: no calls are made for entities that do not pass, nor are they rows. */
extern void gc_expander_sift(GcExpander *expander, const GcSift *sift);

/* Begins with a page, whose entities are used up; its bytes must outlive the rows. */
extern void gc_expander_page(GcExpander *expander, const GcPage *page);

/* The next row, as gc_pager_next() gives it; the end is that of the page. */
extern GcNext gc_expander_next(GcExpander *expander, bool wait, GcJson **row);

#endif /* GC_API_EXPAND_H */
