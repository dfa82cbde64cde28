/*
 * net/ratelimit.h
 *	  The quota of one client at one API host, as arithmetic on (state, now).
 *
 * GCRA with burst 0: requests are spread evenly, at 99% of the limit, since
 * jitter of the network makes 100% without a 429 impossible.  Who has to wait
 * stands in one line for all backends, in order of arrival, and is told when
 * to ask again; to be granted is to ask when one's turn has come.  Nothing is
 * promised ahead of time, so that a closing, a higher limit or somebody who
 * leaves moves everybody behind at once and in order (DESIGN 4.2).
 *
 * Knows no clock, no memory and no processes: net/quota.h has these.  All
 * times are microseconds of base/clock.h.
 */
#ifndef GC_NET_RATELIMIT_H
#define GC_NET_RATELIMIT_H

#include "postgres.h"

#include "base/clock.h"

/* How many may stand in a line; who comes then asks again and again without a place. */
#define GC_RATE_LINE 256

typedef struct GcRateSettings
{
	int per_minute;		 /* requests */
	bool per_minute_max; /* set by the user: headers may lower it, not raise it */
	double per_second;	 /* smoothing; 0: none */
	int bulk_per_minute; /* of the second bucket; 0: there is none */
	int jitter_ms;		 /* added at random to each wait longer than itself */
	double share;		 /* the part of the quota that is ours, up to 1 */
	double reserve;		 /* the part of each minute that may go before others */
} GcRateSettings;

/* What a request needs of the quota. */
typedef struct GcRateClass
{
	bool
		priority; /* a single row that somebody waits for: before others, within the reserve */
	bool bulk;	  /* takes from the second bucket, too */
} GcRateClass;

typedef struct GcRateWaiter
{
	uint64 ticket; /* order of arrival, from 1 */
	GcRateClass class;
	GcTime since; /* stands in line */
	GcTime told;  /* when to ask again */
	int owner;	  /* the caller's, to know whom to wake */
} GcRateWaiter;

/* Zeroed at first, but for the settings. */
typedef struct GcRateLimit
{
	GcRateSettings settings;
	int allowed;		 /* requests a minute, as headers say; 0: not said yet */
	GcTime last;		 /* nominal time of the last request; 0: none yet */
	GcTime bulk_last;	 /* … of those that take from the second bucket */
	GcTime closed_until; /* nobody goes before */
	GcTime bulk_closed_until;
	GcTime window_end;	 /* of the platform's window, as headers say … */
	int window_used;	 /* … and what they say is used of it, by anybody */
	int64 spread_us;	 /* between requests, until the window ends, so that it lasts */
	GcTime reserve_from; /* a minute in which … */
	int reserve_used;	 /* … so many went before others */
	uint64 last_ticket;
	int waiting;
	GcRateWaiter line[GC_RATE_LINE]; /* by ticket */
} GcRateLimit;

/*
 * May a request go now?  If not, sets *until to when to ask again, and *ticket
 * (0 at first) to the place in line, which is kept until the request may go or
 * gc_ratelimit_leave.  "owner" is kept with the place; "random" is in [0, 1).
 */
extern bool gc_ratelimit_ask(GcRateLimit *limit, GcRateClass class, uint64 *ticket, int owner,
							 double random, GcTime now, GcTime *until);

/* Gives up a place; true if others may go earlier for it, and should ask again. */
extern bool gc_ratelimit_leave(GcRateLimit *limit, uint64 *ticket);

/* Gives up every place of an owner; as above. */
extern bool gc_ratelimit_leave_all(GcRateLimit *limit, int owner);

/* What a reply's headers say, -1 for what they do not; true as above. */
extern bool gc_ratelimit_observe(GcRateLimit *limit, int allowed, int used, int reset_seconds,
								 GcTime now);

/* Nobody goes before that moment (Retry-After); "bulk" closes only the second bucket. */
extern void gc_ratelimit_close(GcRateLimit *limit, bool bulk, GcTime until);

/* Forgets what replies said, for somebody asked to begin anew; the line stays. */
extern void gc_ratelimit_forget(GcRateLimit *limit);

/* Microseconds between two requests, as things are. */
extern int64 gc_ratelimit_interval(const GcRateLimit *limit, GcTime now);

/* Requests a minute that are allowed, as far as is known. */
extern int gc_ratelimit_allowed(const GcRateLimit *limit);

#endif /* GC_NET_RATELIMIT_H */
