/*
 * limit.c
 *	  The rate windows: so many requests, then 429 until they close.
 */
#include <stdio.h>

#include "errors.h"
#include "limit.h"
#include "state.h"
#include "switches.h"

#define UNLIMITED 1000000

static Window bulk_window;
static int64_t throttled_us;

static void
number_header(Request *req, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long) value);
	reply_header(req, name, text);
}

/* Opens the window if need be; the seconds until it closes, rounded up. */
static int64_t
open_window(Window *window, int64_t now)
{
	int64_t length = sw_number(SW_RATE_WINDOW_SECONDS) * 1000000;

	if (window->opened_us == 0 || now >= window->opened_us + length)
	{
		window->opened_us = now;
		window->used = 0;
	}
	return (window->opened_us + length - now + 999999) / 1000000;
}

static bool
is_full(const Window *window, int64_t allowed)
{
	return allowed > 0 && window->used >= allowed;
}

static void
put_headers(Request *req, int64_t used, int64_t allowed, int64_t reset)
{
	bool both = sw_is(SW_RATE_HEADERS, "both");

	if (both || sw_is(SW_RATE_HEADERS, "inin"))
	{
		number_header(req, "inin-ratelimit-count", used);
		number_header(req, "inin-ratelimit-allowed", allowed);
		number_header(req, "inin-ratelimit-reset", reset);
	}
	if (both || sw_is(SW_RATE_HEADERS, "xratelimit"))
	{
		number_header(req, "X-RateLimit-Limit", allowed);
		number_header(req, "X-RateLimit-Remaining", allowed > used ? allowed - used : 0);
	}
}

static void
refuse(Request *req, Window *window, const char *key, int64_t allowed, int64_t reset)
{
	const char *code = sw_text(SW_THROTTLE_CODE);

	if (sw_is(SW_THROTTLE_CODE, "too.many.requests"))
		reply_error(
			req, 429, code,
			"The client has made more than the maximum [%lld] requests within [%lld] seconds",
			(long long) allowed, (long long) sw_number(SW_RATE_WINDOW_SECONDS));
	else
		reply_error(req, 429, code,
					"Rate limit exceeded the maximum. Retry the request in [%lld] seconds",
					(long long) reset);
	reply_error_limit(req, key, allowed);
	number_header(req, "Retry-After", reset);
	window->throttled++;
	window->throttled_us = sim_now_us();
}

/* What is refused by one window must not use up the other. */
bool
limit_admit(Request *req, Window *window, bool bulk)
{
	int64_t now = sim_now_us();
	int64_t allowed = sw_number(SW_REQUESTS_PER_MINUTE);
	int64_t bulk_allowed = bulk ? sw_number(SW_BULK_REQUESTS_PER_MINUTE) : 0;
	int64_t reset = open_window(window, now);
	int64_t bulk_reset = bulk_allowed > 0 ? open_window(&bulk_window, now) : 0;
	bool full = is_full(window, allowed);
	bool bulk_full = is_full(&bulk_window, bulk_allowed);

	if (!full && !bulk_full)
	{
		window->used++;
		bulk_window.used += bulk_allowed > 0;
	}
	put_headers(req, window->used, allowed > 0 ? allowed : UNLIMITED, reset);
	if (full)
	{
		refuse(req, window, "client.credentials.token.rate.per.minute", allowed, reset);
		counters.throttled++;
		throttled_us = window->throttled_us;
	}
	else if (bulk_full)
	{
		refuse(req, &bulk_window, "outbound.contacts.bulk.rate.per.minute", bulk_allowed,
			   bulk_reset);
		counters.throttled_bulk++;
	}
	return !full && !bulk_full;
}

json_t *
limit_time(int64_t us)
{
	return us == 0 ? json_null() : json_real((double) us / 1000000);
}

int64_t
limit_throttled_us(void)
{
	return throttled_us;
}

void
limit_show(json_t *list, const Window *window, const char *scope, const char *client,
		   int64_t number)
{
	Switch limit =
		strcmp(scope, "bulk") == 0 ? SW_BULK_REQUESTS_PER_MINUTE : SW_REQUESTS_PER_MINUTE;

	if (window->opened_us == 0)
		return;
	json_array_append_new(list, json_pack("{s:s, s:I, s:s?, s:I, s:I, s:o, s:I, s:o}", "scope",
										  scope, "key", (json_int_t) number, "client", client,
										  "used", (json_int_t) window->used, "allowed",
										  (json_int_t) sw_number(limit), "opened_at",
										  limit_time(window->opened_us), "throttled",
										  (json_int_t) window->throttled, "throttled_at",
										  limit_time(window->throttled_us)));
}

void
limit_show_bulk(json_t *list)
{
	limit_show(list, &bulk_window, "bulk", NULL, 0);
}

void
limit_reset(void)
{
	bulk_window = (Window){0};
	throttled_us = 0;
}
