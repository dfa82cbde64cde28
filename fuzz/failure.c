/*
 * fuzz/failure.c
 *	  Error bodies, numbers in headers, and the answer of the token endpoint.
 */
#include "postgres.h"

#include "answer.h"
#include "shim.h"

#include "net/failure.h"
#include "net/loop.h"
#include "net/oauth.h"
#include "net/retry.h"

typedef struct Input
{
	const uint8 *data;
	size_t size;
} Input;

/* A retry that is due at once asks again; nothing else waits here. */
void
gc_loop_wait(GcTime until, GcWait wait)
{
}

void
gc_stat_request(const GcStatOwner *owner, const GcStatRequest *request)
{
}

static void
read_headers(const GcHttpExchange *exchange)
{
	static const char *const names[] = {"Retry-After",			 "inin-ratelimit-allowed",
										"inin-ratelimit-count",	 "inin-ratelimit-reset",
										"X-RateLimit-Remaining", "X-RateLimit-Limit"};

	for (int i = 0; i < lengthof(names); i++)
		shim_check(gc_retry_header_int(exchange, names[i]) >= -1);
}

/* Every verdict with its time, whatever class of call it is. */
static void
judge(const GcHttpExchange *exchange, GcCause cause)
{
	GcRetryPolicy policy = {.timeout_ms = 300000, .max_retries = 3};

	for (int class = GC_CALL_SAFE; class <= GC_CALL_UNSAFE; class ++)
	{
		GcRetry retry = {.call_class = class, .started = 1000000, .sent_at = 1000000};
		GcVerdict verdict = gc_retry_judge(&retry, &policy, exchange, cause, 2000000);

		if (verdict == GC_VERDICT_RETRY)
			shim_check(retry.retry_at >= 2000000 && retry.retry_at <= 301000000);
	}
}

/* The words of a failure are one line each, in the database's encoding. */
static void
check_words(const GcFailure *failure)
{
	const char *words[] = {failure->code, failure->message, failure->field, failure->entity,
						   failure->correlation_id};

	for (int i = 0; i < lengthof(words); i++)
		if (words[i])
			shim_check(strpbrk(words[i], "\r\n") == NULL && strlen(words[i]) < 2100);
	shim_check(failure->sqlstate != 0);
}

static void
ask_for_token(void)
{
	GcOAuthClient client = {"http://127.0.0.1", "id", "secret"};
	GcToken token = {0};
	GcStat stat = {0};
	GcTime asked = gc_clock_now();
	GcFailure *failure = gc_oauth_fetch(&client, &token, CurrentMemoryContext, &stat);

	if (failure)
		check_words(failure);
	else
		shim_check(token.value[0] != '\0' && strpbrk(token.value, "\r\n") == NULL &&
				   (token.refresh_at == 0 || token.refresh_at >= asked));
}

static void
run(void *arg)
{
	Input *input = arg;
	GcHttpExchange *exchange = answer_read(input->data, input->size);
	GcFailure *failure = gc_failure_read(exchange, "POST", "/path", "request-id");

	check_words(failure);
	read_headers(exchange);
	judge(exchange, failure->cause);
	ask_for_token();
	gc_failure_throw(failure, "could not do it", "Contacts accepted: 1.");
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	shim_check(!shim_try(run, &(Input){data, size}));
	shim_check(shim_error.sqlstate != ERRCODE_INTERNAL_ERROR);
	return 0;
}
