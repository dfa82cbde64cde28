/*
 * state.c
 *	  The one lock over all that requests share, and the counters.
 */
#include <pthread.h>

#include "state.h"

Counters counters;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void
state_lock(void)
{
	pthread_mutex_lock(&lock);
}

void
state_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void
counters_reset(void)
{
	counters.requests = 0;
	counters.contacts_accepted = 0;
	counters.rejected = 0;
	counters.throttled = 0;
	counters.throttled_bulk = 0;
	counters.tokens_issued = 0;
	counters.connections = 0;
	counters.max_in_flight = counters.in_flight;
}

int
counters_enter(void)
{
	long now = ++counters.in_flight;
	long most = counters.max_in_flight;

	while (now > most && !atomic_compare_exchange_weak(&counters.max_in_flight, &most, now))
		;
	return (int) now;
}

void
counters_leave(void)
{
	counters.in_flight--;
}
