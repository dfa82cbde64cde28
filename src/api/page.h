/*
 * api/page.h
 *	  The envelope of a page of entities, as every paged listing has it.
 */
#ifndef GC_API_PAGE_H
#define GC_API_PAGE_H

#include "postgres.h"

#include "base/json.h"

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

#endif /* GC_API_PAGE_H */
