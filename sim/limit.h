/*
 * limit.h
 *	  The rate window: so many requests, then 429 until it closes.
 *
 * Knows nothing of tokens: the caller says whose window it is.
 */
#ifndef SIM_LIMIT_H
#define SIM_LIMIT_H

#include "request.h"

typedef struct Window
{
	int64_t opened_us; /* 0 = not open */
	int64_t used;
} Window;

/*
 * Counts the request and sets the three headers; false, with 429 as the
 * reply, when the window is full.  Wants the lock.
 */
extern bool limit_admit(Request *req, Window *window);

#endif
