/*
 * unit/ratelimit.c
 *	  Drives the arithmetic of net/ratelimit.c with a clock of its own.
 *
 * Sessions come, wait, are granted, leave and sleep through their turn, for a
 * million steps in each setting.  What has to be true is checked at each step
 * (SCENARIOS E1 to E4).  Prints one line a setting, and "N passed, N failed".
 */
#include "postgres.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/ratelimit.h"

#define STEPS	 1000000
#define SESSIONS 64
#define MINUTE	 (60 * USECS_PER_SEC)

/* One setting of a run. */
typedef struct Setting
{
	const char *name;
	GcRateSettings rate;
	int sessions;
	int priority_percent; /* of the requests that are single rows */
	int bulk_percent;
	int leave_percent;	/* of the wakings at which the session gives up instead */
	int absent_percent; /* … or comes a second late */
	int late_us;		/* wakings are late by up to that */
	int pause_us;		/* between two requests of a session, up to that */
	bool closes;		/* a Retry-After comes now and then */
	bool announced;		/* headers tell a higher limit after a while */
} Setting;

typedef struct Session
{
	GcTime wakes;
	uint64 ticket;
	GcRateClass class;
	GcTime since; /* waits since; 0: not */
} Session;

/* Times of the latest requests, to count those of any 60 s. */
typedef struct Window
{
	GcTime *at;
	int limit;
	int64 count;
} Window;

typedef struct Run
{
	const Setting *setting;
	GcRateLimit limit;
	Session sessions[SESSIONS];
	Window all;
	Window bulk;
	GcTime now;
	GcTime last_grant;
	GcTime
		waited_since; /* somebody has been in line without a break since then; 0: nobody is */
	GcTime busy_from;
	int64 busy_us; /* in which somebody waited */
	int64 busy_grants;
	uint64 last_ticket[2][2]; /* granted, by priority and bucket */
	int64 prioritised;		  /* of them, granted after a wait … */
	int64 single_rows;		  /* … of all single rows that had to wait */
	int64 grants;
	int64 longest_priority;
	int failures;
} Run;

static uint64 seed = 88172645463325252;

/* xorshift: the same run every time. */
static uint64
random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static int
below(int n)
{
	return n > 0 ? (int) (random_bits() % n) : 0;
}

static void
fail(Run *run, const char *what)
{
	if (run->failures++ < 3)
		printf("  %s: %s, at %.3f s\n", run->setting->name, what, run->now / 1e6);
}

/* One more request; the one that was "limit" before it has to be a minute ago. */
static void
window_add(Run *run, Window *window, const char *what)
{
	int place;

	if (window->limit == 0)
		return;
	place = window->count % window->limit;
	if (window->count >= window->limit && run->now - window->at[place] < MINUTE)
		fail(run, what);
	window->at[place] = run->now;
	window->count++;
}

static bool
exact(const Setting *setting)
{
	return setting->rate.jitter_ms == 0 && setting->late_us == 0 &&
		   setting->absent_percent == 0;
}

static void
granted(Run *run, Session *session, uint64 ticket, bool prioritised)
{
	const Setting *setting = run->setting;
	int64 interval = gc_ratelimit_interval(&run->limit, run->now);

	run->grants++;
	window_add(run, &run->all, "more requests in 60 s than the limit");
	if (session->class.bulk)
		window_add(run, &run->bulk, "more bulk requests in 60 s than their limit");
	if (run->now < run->limit.closed_until)
		fail(run, "a request while the quota was closed");
	if (exact(setting) && ticket != 0)
	{
		uint64 *last = &run->last_ticket[prioritised][session->class.bulk];

		if (ticket < *last)
			fail(run, "somebody overtook another of his class");
		*last = ticket;
	}
	/* Never idle while somebody waits: the next one goes an interval after the last. */
	if (exact(setting) && !setting->closes && setting->bulk_percent == 0 &&
		run->waited_since != 0 &&
		run->now - Max(run->last_grant, run->waited_since) > interval + 1)
		fail(run, "idle while somebody waited");
	run->prioritised += prioritised;
	run->single_rows += session->class.priority && ticket != 0;
	if (prioritised && session->since)
		run->longest_priority =
			Max(run->longest_priority, (run->now - session->since) / interval);
	run->last_grant = run->now;
	session->since = 0;
}

/* Whoever waits is woken, as net/quota.c does when others may go earlier. */
static void
wake_all(Run *run)
{
	for (int i = 0; i < run->setting->sessions; i++)
		if (run->sessions[i].ticket != 0)
			run->sessions[i].wakes = run->now;
}

static void
rest(Run *run, Session *session)
{
	session->since = 0;
	session->wakes = run->now + 1 + below(run->setting->pause_us);
	session->class.priority = below(100) < run->setting->priority_percent;
	session->class.bulk = below(100) < run->setting->bulk_percent;
}

static bool
is_prioritised(Run *run, uint64 ticket)
{
	for (int i = 0; i < run->limit.waiting; i++)
		if (run->limit.line[i].ticket == ticket)
			return run->limit.line[i].class.priority;
	return false;
}

/* A session wakes: it leaves, sleeps on, or asks. */
static void
turn(Run *run, Session *session, int number)
{
	const Setting *setting = run->setting;
	uint64 ticket = session->ticket;
	bool prioritised = ticket != 0 && is_prioritised(run, ticket);
	GcTime until;

	if (ticket != 0 && below(100) < setting->leave_percent)
	{
		if (gc_ratelimit_leave(&run->limit, &session->ticket))
			wake_all(run);
		rest(run, session);
		return;
	}
	if (ticket != 0 && below(100) < setting->absent_percent)
	{
		session->wakes = run->now + USECS_PER_SEC;
		return;
	}
	if (session->since == 0)
		session->since = run->now;
	if (gc_ratelimit_ask(&run->limit, session->class, &session->ticket, number,
						 below(1000) / 1000.0, run->now, &until))
	{
		granted(run, session, ticket, prioritised);
		rest(run, session);
	}
	else
		session->wakes = until + below(setting->late_us + 1);
}

/* What replies say, now and then. */
static void
replies(Run *run, int step)
{
	if (run->setting->closes && step % 5000 == 0)
		gc_ratelimit_close(&run->limit, false, run->now + (1 + below(20)) * USECS_PER_SEC);
	if (run->setting->announced && step == STEPS / 2)
	{
		run->all.limit *= 4;
		run->all.count = 0;
		run->last_grant = 0;
		if (gc_ratelimit_observe(&run->limit, run->all.limit, -1, -1, run->now))
			wake_all(run);
		run->waited_since = run->now;
	}
}

static void
note_line(Run *run)
{
	if (run->limit.waiting == 0)
		run->waited_since = 0;
	else if (run->waited_since == 0)
		run->waited_since = run->now;
}

/* How much of the limit was used, where somebody always waited. */
static double
used(Run *run)
{
	return run->grants * (double) MINUTE / run->now / run->all.limit;
}

static bool
drive(const Setting *setting)
{
	Run *run = calloc(1, sizeof(Run));
	double part;
	bool passed;

	run->setting = setting;
	run->limit.settings = setting->rate;
	if (setting->rate.share == 0)
		run->limit.settings.share = 1;
	run->now = USECS_PER_SEC;
	run->all.limit = setting->rate.per_minute * run->limit.settings.share;
	run->bulk.limit = setting->rate.bulk_per_minute;
	run->all.at = calloc(setting->rate.per_minute * 4, sizeof(GcTime));
	run->bulk.at = calloc(setting->rate.bulk_per_minute + 1, sizeof(GcTime));
	for (int i = 0; i < setting->sessions; i++)
		rest(run, &run->sessions[i]);
	for (int step = 1; step <= STEPS; step++)
	{
		int next = 0;

		for (int i = 1; i < setting->sessions; i++)
			if (run->sessions[i].wakes < run->sessions[next].wakes)
				next = i;
		run->now = Max(run->now, run->sessions[next].wakes);
		turn(run, &run->sessions[next], next);
		note_line(run);
		replies(run, step);
	}
	part = used(run);
	/* All wait all the time: what is left unused is what was aimed at, and no more. */
	if (setting->pause_us < 1000 && !setting->closes && !setting->announced &&
		setting->bulk_percent == 0 && setting->rate.per_second == 0 &&
		part < (setting->absent_percent > 0 ? 0.95 : 0.985))
		fail(run, "less of the limit was used than could be");
	/* Of eight, seldom more than two are single rows. */
	if (exact(setting) && setting->priority_percent == 5 && run->longest_priority > 2)
		fail(run, "a single row waited long");
	if (setting->priority_percent == 5 && run->prioritised < run->single_rows * 0.9)
		fail(run, "single rows did not go before others");
	if (run->prioritised > run->grants * setting->rate.reserve * 1.01 + 1)
		fail(run, "more than the reserve went before others");
	if (gc_ratelimit_leave_all(&run->limit, -1) || run->limit.waiting > setting->sessions)
		fail(run, "places were left behind");
	passed = run->failures == 0;
	printf("%s: %s: %lld requests in %lld s, %.1f%% of the limit\n", passed ? "ok" : "FAILED",
		   setting->name, (long long) run->grants, (long long) (run->now / USECS_PER_SEC),
		   100 * part);
	free(run->all.at);
	free(run->bulk.at);
	free(run);
	return passed;
}

#define RATE(n, ...)                                                                          \
	{                                                                                         \
		.per_minute = n, .reserve = 0.1, __VA_ARGS__                                          \
	}

static const Setting settings[] = {
	{"eight loads, 300 a minute", RATE(300), 8},
	{"eight loads, 3,000 a minute", RATE(3000), 8},
	{"7 a minute", RATE(7), 8},
	{"15 a second", RATE(3000, .per_second = 15), 8},
	{"jitter of 100 ms", RATE(3000, .jitter_ms = 100), 32},
	{"woken up to 20 ms late", RATE(3000), 8, .late_us = 20000},
	{"jitter of 100 ms, woken late", RATE(3000, .jitter_ms = 100), 32, .late_us = 20000},
	{"half of them leave", RATE(300), 32, .leave_percent = 50},
	{"half of them leave, woken late", RATE(300), 32, .leave_percent = 50, .late_us = 5000},
	{"some sleep through their turn", RATE(300), 32, .absent_percent = 5, .late_us = 1000},
	{"single rows", RATE(300), 8, .priority_percent = 5, .leave_percent = 5},
	{"single rows beyond the reserve", RATE(300), 16, .priority_percent = 60},
	{"they come and go", RATE(300), 16, .pause_us = 4000000, .priority_percent = 10},
	{"Retry-After", RATE(300), 16, .closes = true, .leave_percent = 5},
	{"half of the quota is ours", RATE(600, .share = 0.5), 8},
	{"a bulk bucket of 100", RATE(300, .bulk_per_minute = 100), 16, .bulk_percent = 50},
	{"a bulk bucket, all of it", RATE(3000, .bulk_per_minute = 1000), 16, .bulk_percent = 60,
	 .leave_percent = 10, .late_us = 1000, .priority_percent = 5},
	{"a higher limit is announced", RATE(300), 8, .announced = true},
};

/* Uncontended: nobody is in line, and the clock is far ahead each time. */
static void
cost_of_ask(void)
{
	GcRateLimit *limit = calloc(1, sizeof(GcRateLimit));
	struct timespec from;
	struct timespec to;
	uint64 ticket = 0;
	GcTime until;

	limit->settings = (GcRateSettings) RATE(300, .share = 1);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (int i = 1; i <= STEPS; i++)
		(void) gc_ratelimit_ask(limit, (GcRateClass){0}, &ticket, 0, 0,
								i * (GcTime) USECS_PER_SEC, &until);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	printf("a request that need not wait: %.0f ns\n",
		   ((to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec)) / STEPS);
	free(limit);
}

/* Headers may allow any number: a single row that has to wait divides the minute by its pace (E3). */
static bool
any_allowance(void)
{
	GcRateLimit *limit = calloc(1, sizeof(GcRateLimit));
	GcTime now = MINUTE;
	uint64 ticket = 0;
	GcTime until = 0;
	bool granted;

	limit->settings = (GcRateSettings) RATE(300, .share = 1);
	(void) gc_ratelimit_observe(limit, PG_INT32_MAX, 0, 60, now);
	gc_ratelimit_close(limit, false, now + USECS_PER_SEC);
	granted =
		gc_ratelimit_ask(limit, (GcRateClass){.priority = true}, &ticket, 0, 0, now, &until);
	free(limit);
	printf("any number is allowed: %s\n", granted ? "FAILED" : "ok");
	return !granted;
}

int
main(void)
{
	int failed = !any_allowance();

	for (int i = 0; i < lengthof(settings); i++)
		failed += !drive(&settings[i]);
	cost_of_ask();
	printf("%d passed, %d failed\n", (int) lengthof(settings) + 1 - failed, failed);
	return failed != 0;
}
