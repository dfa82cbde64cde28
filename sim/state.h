/*
 * state.h
 *	  The one lock over all that requests share, and the counters.
 *
 * Every module that keeps state between requests says whether its functions
 * want the lock held; none takes it by itself.
 */
#ifndef SIM_STATE_H
#define SIM_STATE_H

#include <stdatomic.h>

typedef struct Counters
{
	_Atomic long requests;
	_Atomic long contacts_accepted;
	_Atomic long rejected;	/* requests answered with 4xx other than 429 */
	_Atomic long throttled; /* by a rate window */
	_Atomic long throttled_bulk;
	_Atomic long tokens_issued;
	_Atomic long max_in_flight;
	_Atomic long in_flight;
	_Atomic long connections;
} Counters;

extern Counters counters;

extern void state_lock(void);
extern void state_unlock(void);
extern void counters_reset(void); /* all but what is in flight */
extern int counters_enter(void);  /* one request more; how many there are now */
extern void counters_leave(void);

#endif
