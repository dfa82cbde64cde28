/*
 * net/retry.c
 *	  Which calls may be repeated, when, and for how long.
 */
#include "postgres.h"

#include <limits.h>

#include "base/clock.h"
#include "net/retry.h"

#include "common/pg_prng.h"

/* Exponential backoff with full jitter: a random part of base × 2^n, at most the cap. */
#define BACKOFF_BASE_US (500 * INT64CONST(1000))
#define BACKOFF_CAP_US	(30 * USECS_PER_SEC)

/* A 429 that does not say how long: its window is a minute (SCENARIOS E2). */
#define THROTTLE_DEFAULT_S 60

/*
 * A write that may have taken effect is repeated only while nobody else is
 * likely to have changed the contact in between: for a minute (DESIGN 3), and
 * some slack so that a Retry-After of one can be waited out.
 */
#define IN_DOUBT_MAX_US (75 * USECS_PER_SEC)

int
gc_retry_header_int(const GcHttpExchange *exchange, const char *name)
{
	const char *value = gc_http_header(exchange, name);
	char *end;
	long number;

	if (value == NULL)
		return -1;
	errno = 0;
	number = strtol(value, &end, 10);
	while (*end == ' ')
		end++;
	if (end == value || *end != '\0' || errno != 0 || number < 0 || number > INT_MAX)
		return -1;
	return (int) number;
}

/* Seconds that Retry-After asks for; -1 where it is absent, not a number, 0 or less. */
static int
retry_after(const GcHttpExchange *exchange)
{
	int seconds = gc_retry_header_int(exchange, "Retry-After");

	return seconds > 0 ? seconds : -1;
}

/* The shortest wait that the answer allows, in microseconds; 0: it does not say. */
static int64
answer_floor(const GcHttpExchange *exchange, int status)
{
	int seconds = retry_after(exchange);

	if (seconds < 0 && status == 429)
	{
		seconds = gc_retry_header_int(exchange, "inin-ratelimit-reset");
		if (seconds <= 0)
			seconds = THROTTLE_DEFAULT_S;
	}
	return seconds > 0 ? seconds * USECS_PER_SEC : 0;
}

/* Did the server say that it did nothing? */
static bool
refused(int status)
{
	return status == 429 || status == 408 || status == 409 || status == 401;
}

/* May a repeat help, and may it be made?  Also notes since when the call is in doubt. */
static bool
repeatable(GcRetry *retry, const GcHttpExchange *exchange, GcHttpOutcome outcome, int status,
		   const GcAnswer *answer)
{
	bool may_help;

	switch (outcome)
	{
		case GC_HTTP_NOT_SENT:
			/* A certificate that is not trusted will not be so in a second. */
			return !gc_http_is_tls_error(exchange);
		case GC_HTTP_LOST:
			may_help = true;
			break;
		case GC_HTTP_ANSWERED:
			if (status == 409)
				return answer->conflict_passes;
			if (refused(status))
				return true;
			may_help = answer->garbled || (status >= 500 && status != 501);
			break;
		default:
			return false;
	}
	if (may_help && retry->call_class != GC_CALL_SAFE && retry->in_doubt == 0)
		retry->in_doubt = retry->sent_at;
	return may_help && retry->call_class != GC_CALL_UNSAFE;
}

static int64
backoff(int attempts)
{
	int64 ceiling = Min(BACKOFF_BASE_US << Min(attempts - 1, 10), BACKOFF_CAP_US);

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
gc_retry_judge(GcRetry *retry, const GcRetryPolicy *policy, const GcHttpExchange *exchange,
			   const GcAnswer *answer, GcTime now)
{
	GcHttpOutcome outcome = gc_http_outcome(exchange);
	int status = outcome == GC_HTTP_ANSWERED ? gc_http_status(exchange) : 0;
	int64 wait;

	retry->attempts++;
	retry->gave_up = NULL;
	if (outcome == GC_HTTP_ANSWERED && status >= 200 && status < 300 && !answer->garbled)
		return GC_VERDICT_SUCCESS;
	if (outcome == GC_HTTP_ANSWERED && status == 401)
	{
		if (retry->token_renewed)
			return GC_VERDICT_FAIL;
		retry->token_renewed = true;
		return GC_VERDICT_NEW_TOKEN;
	}
	if (!repeatable(retry, exchange, outcome, status, answer))
		return GC_VERDICT_FAIL;
	retry->locked += status == 409;
	wait = backoff(retry->attempts);
	if (outcome == GC_HTTP_ANSWERED)
		wait = Max(wait, answer_floor(exchange, status));
	retry->retry_at = now + wait;
	return within_budget(retry, policy) ? GC_VERDICT_RETRY : GC_VERDICT_FAIL;
}
