/*
 * paging.h
 *	  Page numbers and sizes, and the members of a listing that tell of them.
 */
#ifndef SIM_PAGING_H
#define SIM_PAGING_H

#include "request.h"

#define MAX_PAGE_SIZE 100

typedef struct Page
{
	int64_t number; /* from 1 */
	int64_t size;
} Page;

/* Caps or refuses the size; false with an error as the reply. */
extern bool page_check(Request *req, Page *page);

extern int64_t page_first(Page page); /* from 0 */

/* pageSize, pageNumber, total, pageCount and the uris, without braces. */
extern void page_put(Buf *out, const Request *req, Page page, int64_t total);

#endif
