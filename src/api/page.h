/*
 * api/page.h
 *	  The envelope of a page of entities, as every paged listing has it.
 */
#ifndef GC_API_PAGE_H
#define GC_API_PAGE_H

#include "postgres.h"

#include "base/json.h"

/* What it comes to, to ask for the next row. */
typedef enum GcNext
{
	GC_NEXT_END,   /* there is none */
	GC_NEXT_ROW,   /* here it is */
	GC_NEXT_LATER, /* only where it was not to be waited for: it is on its way */
} GcNext;

typedef struct GcPage
{
	GcJson entities; /* a cursor inside the array, before its first element */
	int count;		 /* of its elements */
	int64 total;	 /* of all pages; -1 if the answer does not say */
	int64 page_count;
	int64 page_size;
} GcPage;

/*
 * Reads an envelope; the bytes must outlive the page.  Returns NULL, or what
 * is wrong with it, a sentence.  The whole document has been checked then.
 */
extern const char *gc_page_read(GcPage *page, const char *bytes, size_t len);

/* The same of one that has its entities in another member. */
extern const char *gc_page_read_items(GcPage *page, const char *bytes, size_t len,
									  const char *items);

/* The words for a listing that has no such array. */
extern const char *gc_page_lacks(const char *items);

#endif /* GC_API_PAGE_H */
