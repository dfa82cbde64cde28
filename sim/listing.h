/*
 * listing.h
 *	  Listings of named things, as the platform pages, filters and sorts them.
 *
 * The caller offers every thing there is; those that the query parameters ask
 * for are kept, then sorted, and the page is written by the caller's function.
 */
#ifndef SIM_LISTING_H
#define SIM_LISTING_H

#include <regex.h>

#include "paging.h"
#include "request.h"

/* By what a thing is chosen and sorted; the texts belong to the thing. */
typedef struct Listed
{
	const char *id;
	const char *name;
	const char *division; /* NULL = it has none */
	int64_t created_us;
	int64_t modified_us;
	int version;
	void *thing;
} Listed;

typedef struct Listing
{
	Request *req;
	Page page;
	const char *name; /* NULL = any */
	const char *filter;
	const char *sort_by;
	regex_t regex;
	bool has_regex;
	bool descending;
	bool with_size;
	bool with_status;
	bool empty_ok;
	Listed *found;
	size_t n;
	size_t room;
} Listing;

typedef void (*ListingPut)(Buf *out, const Listing *listing, void *thing);

/* False, with an error as the reply, for a bad parameter; listing_close follows either way. */
extern bool listing_open(Listing *listing, Request *req);
extern void listing_offer(Listing *listing, const Listed *listed);
extern void listing_reply(Listing *listing, ListingPut put);
extern void listing_close(Listing *listing);

/* Is the value among those of a parameter that may be repeated?  Yes when there is none. */
extern bool listing_names(const Request *req, const char *param, const char *value);

/*
 * Is the parameter absent, or one of the choices (" A B ")?  False, with an error as
 * the reply, if not.
 */
extern bool listing_one_of(Request *req, const char *name, const char *choices,
						   const char **value);

/* The division of what names none. */
#define HOME_DIVISION "3f0b2a7e-5c1d-4e6f-9a8b-7c6d5e4f3a2b"

extern const char *division_of(const json_t *body);
extern json_t *division_home(void);

#endif
