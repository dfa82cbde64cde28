/*
 * net/retry.c
 *	  Which calls may be repeated, when, and for how long.
 */
#include "postgres.h"

#include <limits.h>

#include "base/clock.h"
#include "net/retry.h"

#include "common/pg_prng.h"

/* A 429 that does not say how long: its window is a minute (SCENARIOS E2). */
#define THROTTLE_DEFAULT_S 60

/*
 * A write that may have taken effect is repeated only while nobody else is
 * likely to have changed the contact in between: for a minute (DESIGN 3), and
 * some slack so that a Retry-After of one can be waited out.
 */
#define IN_DOUBT_MAX_US (75 * USECS_PER_SEC)

/* A header's whole number, LONG_MAX if it is larger; -1 if it has none. */
static long
header_number(const GcHttpExchange *exchange, const char *name)
{
	const char *value = gc_http_header(exchange, name);
	char *end;
	long number;

	if (value == NULL)
		return -1;
	number = strtol(value, &end, 10);
	while (*end == ' ')
		end++;
	return end == value || *end != '\0' || number < 0 ? -1 : number;
}

int
gc_retry_header_int(const GcHttpExchange *exchange, const char *name)
{
	long number = header_number(exchange, name);

	return number > INT_MAX ? -1 : (int) number;
}

/*
 * Seconds that Retry-After asks for; -1 where it is absent, not a number, 0 or
 * less.  However large it is, it is a floor.
 */
static int
retry_after(const GcHttpExchange *exchange)
{
	long seconds = header_number(exchange, "Retry-After");

	return seconds > 0 ? (int) Min(seconds, INT_MAX) : -1;
}

/* The shortest wait that the answer allows, in microseconds; 0: it does not say. */
static int64
answer_floor(const GcHttpExchange *exchange, GcCause cause)
{
	int seconds;

	if (gc_http_outcome(exchange) != GC_HTTP_ANSWERED)
		return 0;
	seconds = retry_after(exchange);
	if (seconds < 0 && cause == GC_CAUSE_THROTTLED)
	{
		seconds = gc_retry_header_int(exchange, "inin-ratelimit-reset");
		if (seconds <= 0)
			seconds = THROTTLE_DEFAULT_S;
	}
	return seconds > 0 ? seconds * USECS_PER_SEC : 0;
}

/* How long to wait before the next try, in microseconds. */
static int64
backoff(const GcPolicy *policy, int attempts)
{
	int64 ceiling = Min(policy->first_ms * INT64CONST(1000) << Min(attempts - 1, 10),
						policy->cap_ms * INT64CONST(1000));

	if (policy->exact)
		return ceiling;
	return (int64) (pg_prng_double(&pg_global_prng_state) * ceiling);
}

/* Is there budget for one more attempt at "retry_at"?  Sets gave_up if not. */
static bool
within_budget(GcRetry *retry, const GcRetryPolicy *policy)
{
	if (retry->attempts - retry->locked > policy->max_retries)
		retry->gave_up =
			psprintf("The limit of max_retries (%d) was reached.", policy->max_retries);
	else if (retry->retry_at - retry->started > policy->timeout_ms * INT64CONST(1000))
		retry->gave_up =
			psprintf("Another try would come after the limit of retry_timeout (%g s).",
					 policy->timeout_ms / 1000.0);
	else if (retry->in_doubt != 0 && retry->retry_at - retry->in_doubt > IN_DOUBT_MAX_US)
		retry->gave_up = pstrdup("A write without an answer is not repeated after a minute.");
	else
		return true;
	return false;
}

GcVerdict
gc_retry_judge(GcRetry *retry, const GcRetryPolicy *budgets, const GcHttpExchange *exchange,
			   GcCause cause, GcTime now)
{
	const GcPolicy *policy = gc_policy(cause);

	retry->attempts++;
	retry->gave_up = NULL;
	/* Where one kept connection has died, the others have, too, and curl need not know yet. */
	retry->fresh_connection |= gc_http_outcome(exchange) != GC_HTTP_ANSWERED;
	if (cause == GC_CAUSE_NONE)
		return GC_VERDICT_SUCCESS;
	if (policy->budget == GC_BUDGET_TOKEN && !retry->token_renewed)
	{
		retry->token_renewed = true;
		return GC_VERDICT_NEW_TOKEN;
	}
	/* Any other answer means that the new one was taken; it may be revoked in its turn. */
	if (policy->budget != GC_BUDGET_TOKEN)
		retry->token_renewed = false;
	if (policy->doubt && retry->call_class != GC_CALL_SAFE && retry->in_doubt == 0)
		retry->in_doubt = retry->sent_at;
	if (policy->doubt && retry->call_class == GC_CALL_UNSAFE)
	{
		retry->gave_up = pstrdup(GC_RETRY_UNKNOWN);
		return GC_VERDICT_FAIL;
	}
	if (policy->budget != GC_BUDGET_TRIES && policy->budget != GC_BUDGET_TIME)
		return GC_VERDICT_FAIL;
	retry->locked += policy->budget == GC_BUDGET_TIME;
	retry->retry_at =
		now + Max(backoff(policy, retry->attempts), answer_floor(exchange, cause));
	return within_budget(retry, budgets) ? GC_VERDICT_RETRY : GC_VERDICT_FAIL;
}
