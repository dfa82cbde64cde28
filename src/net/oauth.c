/*
 * net/oauth.c
 *	  Access tokens by OAuth client credentials.
 */
#include "postgres.h"

#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/failure.h"
#include "net/loop.h"
#include "net/oauth.h"

#include "common/base64.h"
#include "storage/fd.h"
#include "utils/memutils.h"

#define TOKEN_PATH "/oauth/token"

static const char form[] = "grant_type=client_credentials";

/* A token is renewed this long before it expires, or at nine tenths of a short life. */
#define TOKEN_MARGIN_S 60

/* A life that is said to be longer is not believed: it may be any number. */
#define TOKEN_LIFE_MAX_S (365 * 24 * 3600)

/* Bytes of a file with a secret; the platform's have 43. */
#define SECRET_MAX 4096

/* Reads a file's first line, of what is no more than a file; NULL with what is wrong. */
static char *
read_secret_file(const char *path, const char **problem)
{
	char *secret = palloc0(SECRET_MAX + 2);
	/* Not to wait for the writer of a pipe. */
	int fd = OpenTransientFile(path, O_RDONLY | O_NONBLOCK | PG_BINARY);
	struct stat status;
	ssize_t len;

	*problem = NULL;
	if (fd < 0 || fstat(fd, &status) != 0)
		*problem = psprintf("could not be opened: %m");
	else if (!S_ISREG(status.st_mode))
		*problem = "is not a regular file";
	else if ((len = read(fd, secret, SECRET_MAX + 1)) < 0)
		*problem = psprintf("could not be read: %m");
	else if (len > SECRET_MAX)
		*problem = psprintf("is longer than %d bytes", SECRET_MAX);
	if (fd >= 0)
		CloseTransientFile(fd);
	secret[strcspn(secret, "\r\n")] = '\0';
	if (*problem == NULL && *secret == '\0')
		*problem = "has no secret in its first line";
	if (*problem == NULL)
		return secret;
	explicit_bzero(secret, SECRET_MAX + 2);
	return NULL;
}

/* A failure before anything was asked: the secret cannot be had. */
static GcFailure *
unreadable_secret(const char *path, const char *problem)
{
	GcFailure *failure = palloc0(sizeof(GcFailure));

	failure->cause = GC_CAUSE_CREDENTIALS;
	failure->sqlstate = gc_policy(failure->cause)->sqlstate;
	failure->outcome = GC_HTTP_PENDING;
	failure->message = psprintf("The client_secret_file \"%s\" %s.", path, problem);
	failure->method = "POST";
	failure->path = TOKEN_PATH;
	failure->instead = "could not obtain an access token";
	failure->hint =
		"It must be a file that the database server's user can read, with the secret "
		"in its first line.";
	return failure;
}

static char *
basic_authorization(const GcOAuthClient *client, const char *secret)
{
	char *plain = psprintf("%s:%s", client->client_id, secret);
	int room = pg_b64_enc_len(strlen(plain));
	char *encoded = palloc0(room + 1);
	char *header;

	if (pg_b64_encode((void *) plain, strlen(plain), encoded, room) < 0)
		elog(ERROR, "could not encode credentials");
	header = psprintf("Authorization: Basic %s", encoded);
	explicit_bzero(plain, strlen(plain));
	explicit_bzero(encoded, room);
	return header;
}

static const char *
read_token(const GcHttpExchange *exchange, GcToken *token, MemoryContext cxt)
{
	size_t len;
	const char *bytes = gc_http_body(exchange, &len);
	json_t *body = json_loadb(bytes, len, 0, NULL);
	const char *value = json_string_value(json_object_get(body, "access_token"));
	double said = json_number_value(json_object_get(body, "expires_in"));
	double seconds = Min(said, TOKEN_LIFE_MAX_S);
	const char *problem = NULL;

	if (body == NULL)
		problem = "The answer is not JSON.";
	else if (value == NULL || *value == '\0')
		problem = "The answer has no access_token.";
	else if (strpbrk(value, "\r\n") != NULL)
		problem = "The access_token is malformed.";
	else
	{
		double use = Max(seconds * 0.9, seconds - TOKEN_MARGIN_S);

		token->value = MemoryContextStrdup(cxt, value);
		token->refresh_at = seconds > 0 ? gc_clock_now() + (int64) (use * USECS_PER_SEC) : 0;
	}
	json_decref(body);
	return problem;
}

/* Books a try for the views. */
static void
book_try(const GcOAuthClient *client, const GcHttpExchange *exchange, int attempt,
		 GcStat *stat)
{
	bool answered = gc_http_outcome(exchange) == GC_HTTP_ANSWERED;
	GcStatRequest request = {.method = "POST",
							 .path = TOKEN_PATH,
							 .endpoint = TOKEN_PATH,
							 .status = answered ? gc_http_status(exchange) : 0,
							 .us = gc_http_time_us(exchange),
							 .attempt = attempt,
							 .bytes_sent = sizeof(form) - 1,
							 .token = true};
	size_t len;

	(void) gc_http_body(exchange, &len);
	request.bytes_received = len;
	if (answered)
		request.correlation_id = gc_http_header(exchange, "inin-correlation-id");
	gc_stat_request(&client->owner, &request);
	stat->requests++;
	stat->retries += attempt > 1;
	stat->bytes_sent += request.bytes_sent;
	stat->bytes_received += len;
}

/* One try; waits for its end. */
static GcHttpExchange *
ask(const GcOAuthClient *client, const char *secret, GcStat *stat)
{
	const char *headers[] = {basic_authorization(client, secret),
							 "Content-Type: application/x-www-form-urlencoded",
							 "Accept: application/json", "Expect:", NULL};
	GcHttpRequest request = client->transport;
	GcHttpExchange *exchange;
	GcTime started = gc_clock_now();

	request.method = "POST";
	request.url = psprintf("%s" TOKEN_PATH, client->login_url);
	request.headers = headers;
	request.body = form;
	request.body_len = sizeof(form) - 1;
	request.fresh_connection = true; /* seldom asked, and often after a long time */
	exchange = gc_http_start(&request);
	while (gc_http_outcome(exchange) == GC_HTTP_PENDING)
		gc_loop_wait(0, GC_WAIT_TOKEN);
	stat->wait_us += gc_clock_now() - started;
	return exchange;
}

/*
 * What a status means here: wrong credentials come as 400, as RFC 6749 has it,
 * and lists, contacts and locks are nothing that this endpoint knows.
 */
static GcCause
cause_of_refusal(const GcFailure *failure)
{
	switch (failure->status)
	{
		case 400:
		case 401:
			return GC_CAUSE_CREDENTIALS;
		case 403:
		case 407:
		case 408:
		case 429:
			return failure->cause;
		default:
			return failure->status / 100 == 4 ? GC_CAUSE_LOGIN : failure->cause;
	}
}

/* What is wrong with a try; NULL: there is a token. */
static GcFailure *
token_failure(const GcHttpExchange *exchange, GcToken *token, MemoryContext cxt)
{
	GcFailure *failure;

	if (gc_http_outcome(exchange) == GC_HTTP_ANSWERED && gc_http_status(exchange) / 100 == 2)
	{
		const char *problem = read_token(exchange, token, cxt);

		if (problem == NULL)
			return NULL;
		failure = gc_failure_bad_reply(exchange, "POST", TOKEN_PATH, NULL, problem);
	}
	else
	{
		failure = gc_failure_read(exchange, "POST", TOKEN_PATH, NULL);
		if (failure->status != 0)
		{
			failure->cause = cause_of_refusal(failure);
			failure->sqlstate = gc_policy(failure->cause)->sqlstate;
		}
	}
	failure->instead = "could not obtain an access token";
	failure->in_doubt = false; /* whatever became of it, nobody's data changed */
	return failure;
}

GcFailure *
gc_oauth_fetch(const GcOAuthClient *client, GcToken *token, MemoryContext cxt, GcStat *stat)
{
	/* Everything of this call, copies of the secret in headers included, goes with it. */
	MemoryContext ask_cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw token call", ALLOCSET_SMALL_SIZES);
	MemoryContext caller_cxt = MemoryContextSwitchTo(ask_cxt);
	GcRetry retry = {.call_class = GC_CALL_SAFE, .started = gc_clock_now()};
	GcFailure *failure;
	const char *secret = client->client_secret;
	const char *problem = NULL;

	if (client->client_secret_file)
		secret = read_secret_file(client->client_secret_file, &problem);
	if (problem)
	{
		MemoryContextSwitchTo(caller_cxt);
		failure = unreadable_secret(client->client_secret_file, problem);
		MemoryContextDelete(ask_cxt);
		return failure;
	}
	for (;;)
	{
		GcHttpExchange *exchange = ask(client, secret, stat);
		GcVerdict verdict;

		MemoryContextSwitchTo(caller_cxt);
		failure = token_failure(exchange, token, cxt);
		MemoryContextSwitchTo(ask_cxt);
		verdict = gc_retry_judge(&retry, &client->retry, exchange,
								 failure ? failure->cause : GC_CAUSE_NONE, gc_clock_now());
		book_try(client, exchange, retry.attempts, stat);
		if (verdict != GC_VERDICT_RETRY)
			break;
		gc_http_free(exchange);
		while (gc_clock_now() < retry.retry_at)
			gc_loop_wait(retry.retry_at, GC_WAIT_BACKOFF);
	}
	MemoryContextSwitchTo(caller_cxt);
	if (failure && retry.gave_up)
		failure->gave_up = pstrdup(retry.gave_up);
	MemoryContextDelete(ask_cxt);
	return failure;
}
