/*
 * net/ratelimit.h
 *	  The quota of one client at one API host: when may the next request go?
 *
 * GCRA with burst 0: requests are spread evenly, at 99% of the limit, since
 * jitter of the network makes 100% without a 429 impossible.  It is arithmetic
 * on (state, now) and never sleeps: the caller waits, on the latch.
 *
 * The limit is "requests_per_minute" until the platform's headers say
 * otherwise; an explicit value stays a ceiling.  Headers also tell what other
 * sessions used of the same quota, and when its window ends.
 *
 * State is per backend.
 */
#ifndef GC_NET_RATELIMIT_H
#define GC_NET_RATELIMIT_H

#include "postgres.h"

#include "base/clock.h"

typedef struct GcRateLimit GcRateLimit;

typedef struct GcRateSettings
{
	int per_minute;		 /* requests */
	bool per_minute_max; /* set by the user: headers may lower it, not raise it */
	double per_second;	 /* smoothing; 0: none */
	int jitter_ms;		 /* added at random to each wait longer than itself */
} GcRateSettings;

/* The limiter of a client at a host; made at first sight, kept for the session. */
extern GcRateLimit *gc_ratelimit_get(const char *host, const char *client,
									 const GcRateSettings *settings);

typedef struct GcRateSlot
{
	GcTime at;	   /* the moment from which the request may go */
	GcTime before; /* the limiter's, to give it back */
	GcTime after;
} GcRateSlot;

/* Takes the next slot. */
extern GcRateSlot gc_ratelimit_reserve(GcRateLimit *limit, GcTime now);

/* Gives back a slot that was not used; of several, the one taken last first. */
extern void gc_ratelimit_return(GcRateLimit *limit, const GcRateSlot *slot);

/* What a reply's headers say; -1 for what they do not. */
extern void gc_ratelimit_observe(GcRateLimit *limit, int allowed, int used, int reset_seconds,
								 GcTime now);

/* No request before that moment (Retry-After); a slot taken earlier is void, take a new one. */
extern void gc_ratelimit_close(GcRateLimit *limit, GcTime until);
/* Forgets what replies said, and all slots: somebody asked to begin anew. */
extern void gc_ratelimit_forget(GcRateLimit *limit);

extern GcTime gc_ratelimit_closed_until(GcRateLimit *limit);

#endif /* GC_NET_RATELIMIT_H */
