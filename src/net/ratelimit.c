/*
 * net/ratelimit.c
 *	  The quota of one client at one API host: when may the next request go?
 */
#include "postgres.h"

#include "base/clock.h"
#include "net/ratelimit.h"

#include "common/pg_prng.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* Aim below the limit: SCENARIOS E4, DESIGN 4.2. */
#define RATE_SHARE 0.99

#define RATE_KEY_SIZE 256

/* A window lasts a minute; a header that says much more is not believed. */
#define WINDOW_MAX_S 300

struct GcRateLimit
{
	char key[RATE_KEY_SIZE]; /* host and client; must be first */
	GcRateSettings settings;
	int allowed;	  /* requests a minute, as the headers say; 0: not said yet */
	GcTime next_free; /* the next slot */
	GcTime last_slot; /* the last one taken */
	GcTime closed_until;
	int64 spread_us;	 /* between slots, for what is left of the window … */
	GcTime spread_until; /* … until it ends */
};

static HTAB *limits = NULL;

GcRateLimit *
gc_ratelimit_get(const char *host, const char *client, const GcRateSettings *settings)
{
	char key[RATE_KEY_SIZE] = {0};
	bool found;
	GcRateLimit *limit;

	if (limits == NULL)
	{
		HASHCTL control = {.keysize = RATE_KEY_SIZE,
						   .entrysize = sizeof(GcRateLimit),
						   .hcxt = TopMemoryContext};

		limits = hash_create("gc_fdw rate limits", 8, &control,
							 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	snprintf(key, sizeof(key), "%s %s", host, client);
	limit = hash_search(limits, key, HASH_ENTER, &found);
	if (!found)
		memset((char *) limit + RATE_KEY_SIZE, 0, sizeof(GcRateLimit) - RATE_KEY_SIZE);
	limit->settings = *settings;
	return limit;
}

/* Microseconds between two requests. */
static int64
rate_interval(GcRateLimit *limit, GcTime now)
{
	double per_minute = limit->settings.per_minute;
	int64 interval;

	if (limit->allowed > 0 &&
		(!limit->settings.per_minute_max || limit->allowed < limit->settings.per_minute))
		per_minute = limit->allowed;
	interval = (int64) (60 * USECS_PER_SEC / (per_minute * RATE_SHARE));
	if (limit->settings.per_second > 0)
		interval = Max(interval, (int64) (USECS_PER_SEC / limit->settings.per_second));
	if (now < limit->spread_until)
		interval = Max(interval, limit->spread_us);
	return interval;
}

GcRateSlot
gc_ratelimit_reserve(GcRateLimit *limit, GcTime now)
{
	GcTime at = Max(Max(now, limit->next_free), limit->closed_until);
	int64 jitter = limit->settings.jitter_ms * INT64CONST(1000);
	GcRateSlot slot = {.before = limit->next_free};

	limit->next_free = at + rate_interval(limit, now);
	if (jitter > 0 && at - now > jitter)
	{
		/* The slot itself moves, so that the order of slots is the order of requests. */
		at += (int64) (pg_prng_double(&pg_global_prng_state) * jitter);
		limit->next_free = Max(limit->next_free, at);
	}
	slot.at = limit->last_slot = at;
	slot.after = limit->next_free;
	return slot;
}

void
gc_ratelimit_return(GcRateLimit *limit, const GcRateSlot *slot)
{
	/* Slots taken since would overlap with what an earlier one leaves free. */
	if (slot->after == limit->next_free)
		limit->next_free = slot->before;
}

void
gc_ratelimit_observe(GcRateLimit *limit, int allowed, int used, int reset_seconds, GcTime now)
{
	if (allowed > 0 && allowed != limit->allowed)
	{
		/* The next slot was laid out for the old limit. */
		limit->allowed = allowed;
		if (limit->last_slot != 0)
			limit->next_free = limit->last_slot + rate_interval(limit, now);
	}
	if (allowed > 0 && used >= 0 && reset_seconds > 0)
	{
		GcTime reset = now + Min(reset_seconds, WINDOW_MAX_S) * USECS_PER_SEC;

		/* What is left of this window's quota is spread to its end. */
		if (used >= allowed)
			gc_ratelimit_close(limit, reset);
		else
		{
			limit->spread_us = (reset - now) / (allowed - used);
			limit->spread_until = reset;
		}
	}
}

void
gc_ratelimit_forget(GcRateLimit *limit)
{
	GcRateSettings settings = limit->settings;

	memset((char *) limit + RATE_KEY_SIZE, 0, sizeof(GcRateLimit) - RATE_KEY_SIZE);
	limit->settings = settings;
}

GcTime
gc_ratelimit_closed_until(GcRateLimit *limit)
{
	return limit->closed_until;
}

void
gc_ratelimit_close(GcRateLimit *limit, GcTime until)
{
	limit->closed_until = Max(limit->closed_until, until);
}
