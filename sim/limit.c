/*
 * limit.c
 *	  The rate window: so many requests, then 429 until it closes.
 */
#include <stdio.h>

#include "errors.h"
#include "limit.h"
#include "state.h"
#include "switches.h"

#define UNLIMITED 1000000

static void
number_header(Request *req, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long) value);
	reply_header(req, name, text);
}

static void
refuse(Request *req, int64_t allowed, int64_t reset)
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
	reply_error_limit(req, "client.credentials.token.rate.per.minute", allowed);
	number_header(req, "Retry-After", reset);
	counters.throttled++;
}

bool
limit_admit(Request *req, Window *window)
{
	int64_t now = sim_now_us();
	int64_t length = sw_number(SW_RATE_WINDOW_SECONDS) * 1000000;
	int64_t allowed = sw_number(SW_REQUESTS_PER_MINUTE);
	int64_t reset;
	bool admitted;

	if (window->opened_us == 0 || now >= window->opened_us + length)
		*window = (Window){now, 0};
	reset = (window->opened_us + length - now + 999999) / 1000000;
	admitted = allowed == 0 || window->used < allowed;
	if (admitted)
		window->used++;
	if (allowed == 0)
		allowed = UNLIMITED;
	number_header(req, "inin-ratelimit-count", window->used);
	number_header(req, "inin-ratelimit-allowed", allowed);
	number_header(req, "inin-ratelimit-reset", reset);
	if (!admitted)
		refuse(req, allowed, reset);
	return admitted;
}
