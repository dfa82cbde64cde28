/*
 * net/ratelimit.c
 *	  The quota of one client at one API host, as arithmetic on (state, now).
 *
 * The n-th in line goes n intervals after the one who is next, so a request is
 * granted when
 *		now >= last + (1 + n) * interval,
 * where "last" is when the last one went.  Who does not come when it is his turn
 * lets the ones behind pass, one interval later each; who has not come for a
 * while (a cursor that nobody fetches from) is not counted at all.
 */
#include "postgres.h"

#include "net/ratelimit.h"

/* Aim below the limit: SCENARIOS E4, DESIGN 4.2. */
#define RATE_SHARE 0.99

#define MINUTE_US (60 * USECS_PER_SEC)

/*
 * Whoever had to wait wakes a little late, by a process switch or the jitter
 * asked for.  That much is made up for, so that lateness does not lower the
 * rate.  With L a minute, of which we take 0.99 L, up to 0.6 s is safe: in 60 s
 * no more than 0.99 L (1 + lateness / 60 s) + 1 <= L requests go.
 */
#define LATENESS_US		(100 * INT64CONST(1000))
#define LATENESS_MAX_US (500 * INT64CONST(1000))

/* Whoever is so late is not waited for. */
#define ABSENT_US (20 * INT64CONST(1000))

/* A window lasts a minute; a header that says much more is not believed. */
#define WINDOW_MAX_S 300

/* Headers give the end of a window in whole seconds, rounded up. */
#define WINDOW_ROUNDING_US (USECS_PER_SEC / 2)

int
gc_ratelimit_allowed(const GcRateLimit *limit)
{
	if (limit->allowed > 0 &&
		(!limit->settings.per_minute_max || limit->allowed < limit->settings.per_minute))
		return limit->allowed;
	return limit->settings.per_minute;
}

static int64
per_minute_interval(const GcRateLimit *limit, int per_minute)
{
	return (int64) (MINUTE_US / (per_minute * RATE_SHARE * limit->settings.share));
}

int64
gc_ratelimit_interval(const GcRateLimit *limit, GcTime now)
{
	int64 interval = per_minute_interval(limit, gc_ratelimit_allowed(limit));

	if (limit->settings.per_second > 0)
		interval = Max(interval, (int64) (USECS_PER_SEC / limit->settings.per_second));
	if (now < limit->window_end)
		interval = Max(interval, limit->spread_us);
	/* Headers may allow any number. */
	return Max(interval, 1);
}

/* Of the second bucket; 0: there is none. */
static int64
bulk_interval(const GcRateLimit *limit)
{
	int per_minute = limit->settings.bulk_per_minute;

	return per_minute > 0 ? per_minute_interval(limit, per_minute) : 0;
}

/* The place with that ticket; NULL for none. */
static GcRateWaiter *
line_find(GcRateLimit *limit, uint64 ticket)
{
	int low = 0;
	int high = limit->waiting;

	while (low < high)
	{
		int middle = (low + high) / 2;

		if (limit->line[middle].ticket < ticket)
			low = middle + 1;
		else
			high = middle;
	}
	return low < limit->waiting && limit->line[low].ticket == ticket ? &limit->line[low]
																	 : NULL;
}

static void
line_remove(GcRateLimit *limit, GcRateWaiter *waiter)
{
	limit->waiting--;
	memmove(waiter, waiter + 1, (char *) &limit->line[limit->waiting] - (char *) waiter);
}

/* The next moment of a bucket whose requests are "interval" apart, if nobody is in line. */
static GcTime
bucket_next(GcTime last, int64 interval, GcTime closed_until)
{
	return Max(last == 0 ? 0 : last + interval, closed_until);
}

/* When it is the turn of somebody with that ticket (PG_UINT64_MAX: who comes now). */
static GcTime
turn_of(const GcRateLimit *limit, GcRateClass class, uint64 ticket, GcTime now)
{
	int64 interval = gc_ratelimit_interval(limit, now);
	int64 bulk = bulk_interval(limit);
	GcTime at = bucket_next(limit->last, interval, limit->closed_until);
	GcTime bulk_at = bucket_next(limit->bulk_last, bulk, limit->bulk_closed_until);

	for (int i = 0; i < limit->waiting; i++)
	{
		const GcRateWaiter *other = &limit->line[i];
		bool before = other->class.priority == class.priority ? other->ticket < ticket
															  : other->class.priority;

		if (!before || other->told + ABSENT_US < now)
			continue;
		/* One who waits for the second bucket leaves the first to others meanwhile. */
		if (!other->class.bulk || bulk_at <= Max(at, now))
			at += interval;
		if (other->class.bulk)
			bulk_at += bulk;
	}
	return class.bulk ? Max(at, bulk_at) : at;
}

/* Books a request that goes now, as if it had gone when it was its turn. */
static void
take(GcRateLimit *limit, GcRateClass class, bool waited, GcTime now)
{
	int64 jitter = limit->settings.jitter_ms * INT64CONST(1000);
	int64 late = waited ? Min(LATENESS_US + jitter, LATENESS_MAX_US) : 0;
	GcTime next =
		bucket_next(limit->last, gc_ratelimit_interval(limit, now), limit->closed_until);

	limit->last = Min(now, Max(next, now - late));
	if (class.bulk)
	{
		next = bucket_next(limit->bulk_last, bulk_interval(limit), limit->bulk_closed_until);
		limit->bulk_last = Min(now, Max(next, now - late));
	}
}

/* Is there something of the reserve left?  Takes it, if so. */
static bool
take_reserve(GcRateLimit *limit, GcTime now)
{
	int64 requests = MINUTE_US / gc_ratelimit_interval(limit, now);

	if (limit->reserve_from == 0 || now >= limit->reserve_from + MINUTE_US)
	{
		limit->reserve_from = now;
		limit->reserve_used = 0;
	}
	if (limit->reserve_used >= requests * limit->settings.reserve)
		return false;
	limit->reserve_used++;
	return true;
}

/* A new place at the end of the line; NULL if it is full. */
static GcRateWaiter *
line_join(GcRateLimit *limit, GcRateClass class, int owner, GcTime now)
{
	GcRateWaiter *waiter;

	if (limit->waiting == GC_RATE_LINE)
		return NULL;
	waiter = &limit->line[limit->waiting++];
	*waiter = (GcRateWaiter){
		.ticket = ++limit->last_ticket, .class = class, .since = now, .owner = owner};
	waiter->class.priority = class.priority && take_reserve(limit, now);
	return waiter;
}

bool
gc_ratelimit_ask(GcRateLimit *limit, GcRateClass class, uint64 *ticket, int owner,
				 double random, GcTime now, GcTime *until)
{
	int64 jitter = limit->settings.jitter_ms * INT64CONST(1000);
	GcRateWaiter *waiter = *ticket ? line_find(limit, *ticket) : NULL;
	GcTime at;

	if (limit->settings.bulk_per_minute == 0)
		class.bulk = false;
	if (waiter == NULL)
	{
		GcRateClass plain = {.bulk = class.bulk};

		/* Only who would have to wait takes from the reserve. */
		if (turn_of(limit, plain, PG_UINT64_MAX, now) > now)
			waiter = line_join(limit, class, owner, now);
		class = plain;
	}
	if (waiter)
		class = waiter->class;
	at = turn_of(limit, class, waiter ? waiter->ticket : PG_UINT64_MAX, now);
	*ticket = waiter ? waiter->ticket : 0;
	if (at <= now)
	{
		take(limit, class, waiter != NULL, now);
		if (waiter)
			line_remove(limit, waiter);
		*ticket = 0;
		return true;
	}
	*until = at - now > jitter ? at + (int64) (random * jitter) : at;
	if (waiter)
		waiter->told = *until;
	return false;
}

bool
gc_ratelimit_leave(GcRateLimit *limit, uint64 *ticket)
{
	GcRateWaiter *waiter = *ticket ? line_find(limit, *ticket) : NULL;

	*ticket = 0;
	if (waiter == NULL)
		return false;
	line_remove(limit, waiter);
	return limit->waiting > 0;
}

bool
gc_ratelimit_leave_all(GcRateLimit *limit, int owner)
{
	int kept = 0;
	bool left;

	for (int i = 0; i < limit->waiting; i++)
		if (limit->line[i].owner != owner)
			limit->line[kept++] = limit->line[i];
	left = kept < limit->waiting;
	limit->waiting = kept;
	return left && kept > 0;
}

/* What a window says of the pace that it allows to its end. */
static void
observe_window(GcRateLimit *limit, int allowed, int used, GcTime end, GcTime now)
{
	/* Replies overtake each other: of one window the highest count holds. */
	bool same = now < limit->window_end &&
				Max(end, limit->window_end) - Min(end, limit->window_end) <= USECS_PER_SEC;
	int64 spread;

	if (same)
	{
		end = Min(end, limit->window_end);
		used = Max(used, limit->window_used);
	}
	if (used >= allowed)
	{
		gc_ratelimit_close(limit, false, end);
		spread = 0;
	}
	else
		spread = (int64) (Max(end - now - WINDOW_ROUNDING_US, 0) /
						  ((allowed - used) * limit->settings.share));
	/* Where each token has a window of its own, the one with the least left sets the pace. */
	if (same || now >= limit->window_end || spread >= limit->spread_us)
	{
		limit->window_end = end;
		limit->window_used = used;
		limit->spread_us = spread;
	}
}

bool
gc_ratelimit_observe(GcRateLimit *limit, int allowed, int used, int reset_seconds, GcTime now)
{
	int64 interval = gc_ratelimit_interval(limit, now);

	if (allowed <= 0)
		return false;
	limit->allowed = allowed;
	if (used >= 0 && reset_seconds > 0)
		observe_window(limit, allowed, used,
					   now + Min(reset_seconds, WINDOW_MAX_S) * USECS_PER_SEC, now);
	return limit->waiting > 0 && gc_ratelimit_interval(limit, now) < interval;
}

void
gc_ratelimit_close(GcRateLimit *limit, bool bulk, GcTime until)
{
	if (bulk)
		limit->bulk_closed_until = Max(limit->bulk_closed_until, until);
	else
		limit->closed_until = Max(limit->closed_until, until);
}

void
gc_ratelimit_forget(GcRateLimit *limit)
{
	limit->allowed = 0;
	limit->closed_until = limit->bulk_closed_until = 0;
	limit->window_end = 0;
	limit->window_used = 0;
	limit->spread_us = 0;
}
