/*
 * limit.h
 *	  The rate windows: so many requests, then 429 until they close.
 *
 * Knows nothing of tokens: the caller says whose window it is.  Owns the
 * organisation's window for calls that take many contacts.  All want the lock.
 */
#ifndef SIM_LIMIT_H
#define SIM_LIMIT_H

#include "request.h"

typedef struct Window
{
	int64_t opened_us; /* 0 = not open */
	int64_t used;
	int64_t throttled;	  /* 429s, also of earlier openings */
	int64_t throttled_us; /* the last of them; 0 = none */
} Window;

/*
 * Counts the request and sets the headers of the rate window; false, with 429
 * as the reply and nothing counted, when that or the bulk window is full.
 */
extern bool limit_admit(Request *req, Window *window, bool bulk);

/* Adds a window that was ever opened to a list, for tests to see. */
extern void limit_show(json_t *list, const Window *window, const char *scope,
					   const char *client, int64_t number);
extern void limit_show_bulk(json_t *list);
extern json_t *limit_time(int64_t us);	 /* seconds; null for 0 */
extern int64_t limit_throttled_us(void); /* the last 429 of a rate window */
extern void limit_reset(void);

#endif
