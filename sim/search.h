/*
 * search.h
 *	  POST /contacts/search: which contacts, in which order, which page.
 *
 * Owns what it keeps of a list's last filtered search.
 */
#ifndef SIM_SEARCH_H
#define SIM_SEARCH_H

#include "request.h"
#include "store.h"

typedef struct SearchCache SearchCache;

extern void contacts_search(Request *req); /* takes the lock itself */

extern void search_forget(SearchCache *cache); /* frees it; NULL is fine */

#endif
