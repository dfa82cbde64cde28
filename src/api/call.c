/*
 * api/call.c
 *	  One call as a state machine: waiting, in flight, judged, ended.
 */
#include "postgres.h"

#include "api/call.h"
#include "base/value.h"
#include "net/download.h"

#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

/* A call that is tried for longer than this says so. */
#define TELL_WAITING_US (10 * USECS_PER_SEC)

/* ---- one attempt ---- */

/* A random UUID for each request, so that the platform's support can find it (SCENARIOS B3). */
static void
make_request_id(char *dst)
{
	Datum uuid = DirectFunctionCall1(gen_random_uuid, (Datum) 0);
	char *printed = DatumGetCString(DirectFunctionCall1(uuid_out, uuid));

	strlcpy(dst, printed, 40);
	pfree(printed);
	pfree(DatumGetPointer(uuid));
}

/* Books whether it is in doubt that the call took effect. */
static void
call_doubt(GcCall *call, bool doubted)
{
	if (call->spec.in_doubt && doubted != call->doubted)
		*call->spec.in_doubt += doubted ? call->spec.rows : -call->spec.rows;
	call->doubted = doubted;
}

static void
call_end(GcCall *call, GcFailure *failure)
{
	if (failure)
	{
		/* An earlier attempt that got lost may have taken effect, whatever the last one says. */
		failure->in_doubt |= call->retry.in_doubt != 0;
		if (call->retry.gave_up && failure->gave_up == NULL)
			failure->gave_up = MemoryContextStrdup(call->cxt, call->retry.gave_up);
	}
	/* A success stays counted until the caller has looked at the answer. */
	call_doubt(call, failure ? failure->in_doubt : call->doubted);
	call->failure = failure;
	call->state = CALL_ENDED;
}

/* Sends the request. */
static void
call_send(GcCall *call)
{
	GcConnection *conn = call->calls->conn;
	GcStat *stat = call->spec.stat;
	MemoryContext caller_cxt;
	GcHttpRequest request = conn->transport;
	const char *headers[6];
	int n = 0;

	MemoryContextReset(call->attempt_cxt);
	caller_cxt = MemoryContextSwitchTo(call->attempt_cxt);
	make_request_id(call->request_id);
	headers[n++] = psprintf("Authorization: Bearer %s", conn->token.value);
	headers[n++] = psprintf("X-Request-ID: %s", call->request_id);
	headers[n++] = call->spec.download ? "Accept: */*" : "Accept: application/json";
	if (call->spec.body)
	{
		headers[n++] = "Content-Type: application/json";
		headers[n++] = "Expect:";
	}
	headers[n] = NULL;
	request.method = call->spec.method;
	request.url = psprintf("%s%s", conn->api_url, call->spec.path);
	request.headers = headers;
	request.body = call->spec.body;
	request.body_len = call->spec.body_len;
	request.window = call->spec.download ? GC_DOWNLOAD_WINDOW : 0;
	request.fresh_connection =
		call->spec.call_class == GC_CALL_UNSAFE || call->retry.fresh_connection;
	call->token_number = conn->token_number;
	call->retry.sent_at = gc_clock_now();
	call_doubt(call, true);
	call->exchange = gc_http_start(&request);
	call->state = CALL_FLYING;
	MemoryContextSwitchTo(caller_cxt);
	stat->requests++;
	stat->retries += call->retry.attempts > 0;
	stat->bytes_sent += request.body_len;
	if (call->calls->stat->spent)
		(*call->calls->stat->spent)++;
}

/* Sees to it that there is a token; ends the call if none can be had. */
static bool
call_has_token(GcCall *call)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(call->cxt);
	GcFailure *failure = gc_connection_token(call->calls->conn, call->spec.stat);

	MemoryContextSwitchTo(caller_cxt);
	if (failure)
		call_end(call, failure);
	return failure == NULL;
}

/* The headers' word on the quota, of either family. */
static void
observe_limits(GcCall *call, GcCause cause)
{
	GcHttpExchange *exchange = call->exchange;
	GcQuota *quota = call->calls->conn->quota;
	int allowed = gc_retry_header_int(exchange, "inin-ratelimit-allowed");
	int used = gc_retry_header_int(exchange, "inin-ratelimit-count");
	int reset = gc_retry_header_int(exchange, "inin-ratelimit-reset");

	if (allowed < 0)
	{
		int remaining = gc_retry_header_int(exchange, "X-RateLimit-Remaining");

		allowed = gc_retry_header_int(exchange, "X-RateLimit-Limit");
		if (allowed >= 0 && remaining >= 0)
			used = allowed - remaining;
	}
	gc_quota_observe(quota, allowed, used, reset);
	if (cause != GC_CAUSE_THROTTLED)
		return;
	call->spec.stat->throttled++;
	/* With quota left in the window, it is the second bucket that is empty. */
	gc_quota_close(quota, call->spec.rate.bulk && used >= 0 && used < allowed,
				   call->retry.retry_at);
}

/* Books an ended attempt for the views. */
static void
book_attempt(GcCall *call)
{
	GcHttpExchange *exchange = call->exchange;
	bool answered = gc_http_outcome(exchange) == GC_HTTP_ANSWERED;
	GcStatRequest request = {.method = call->spec.method,
							 .path = call->spec.path,
							 .endpoint = call->spec.endpoint,
							 .status = answered ? gc_http_status(exchange) : 0,
							 .us = gc_http_time_us(exchange),
							 .attempt = call->retry.attempts,
							 .bytes_sent = call->spec.body_len,
							 .request_id = call->request_id};
	size_t len;

	(void) gc_http_body(exchange, &len);
	/* Those of a file are booked as they are taken. */
	if (call->spec.download)
		len = 0;
	request.bytes_received = len;
	call->spec.stat->bytes_received += len;
	if (answered)
		request.correlation_id = gc_http_header(exchange, "inin-correlation-id");
	gc_stat_request(&call->calls->conn->owner, &request);
}

/* ---- waiting ---- */

static GcCallLine *
call_line(GcCall *call)
{
	return &call->calls->lines[call->spec.rate.priority + 2 * call->spec.rate.bulk];
}

/* Leaves the line unless another call of the set is ready to go by it. */
static void
line_leave(GcCalls *calls, GcCallLine *line)
{
	dlist_iter iter;

	if (line->ticket == 0)
		return;
	dlist_foreach (iter, &calls->list)
	{
		GcCall *call = dlist_container(GcCall, node, iter.cur);

		if (call->state == CALL_WAITING && call_line(call) == line &&
			gc_clock_now() >= call->start_at)
			return;
	}
	gc_quota_leave(calls->conn->quota, &line->ticket);
}

/* Waits for a moment; lines up only then, so that nobody waits behind a backoff. */
static void
call_wait_until(GcCall *call, GcTime start_at)
{
	call->start_at = start_at;
	call->state = CALL_WAITING;
}

/* A failure without an exchange. */
static GcFailure *
call_failure(GcCall *call, int sqlstate, const char *message, const char *hint)
{
	GcFailure *failure = MemoryContextAllocZero(call->cxt, sizeof(GcFailure));

	failure->outcome = GC_HTTP_PENDING;
	failure->cause = GC_CAUSE_NOT_ASKED;
	failure->sqlstate = sqlstate;
	failure->message = MemoryContextStrdup(call->cxt, message);
	failure->hint = hint;
	failure->method = call->spec.method;
	failure->path = call->spec.path;
	return failure;
}

/* Ends a call for which the quota is closed for longer than it may take. */
static void
call_check_closed(GcCall *call)
{
	GcConnection *conn = call->calls->conn;
	GcTime closed = gc_quota_closed_until(conn->quota, call->spec.rate);

	if (closed - call->retry.started > conn->retry.timeout_ms * INT64CONST(1000))
		call_end(call, call_failure(call, ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
									psprintf("The quota is used up for another " INT64_FORMAT
											 " s, which is beyond retry_timeout",
											 (closed - gc_clock_now()) / USECS_PER_SEC),
									"Try again later, or raise the server option "
									"\"retry_timeout\"."));
}

/* Ends a call that is one too many. */
static bool
call_is_allowed(GcCall *call)
{
	if (gc_calls_allowance(call->calls) != 0)
		return true;
	call_end(call, call_failure(call, ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
								psprintf("The statement has made " INT64_FORMAT
										 " requests, which is its limit of max_requests",
										 *call->calls->stat->spent),
								GC_MAX_REQUESTS_HINT));
	return false;
}

/* A call that is ready: lines up for the quota, and goes if it is its turn. */
static void
call_try(GcCall *call)
{
	GcCallLine *line = call_line(call);

	if (!line->refused && call_is_allowed(call) && call_has_token(call))
	{
		line->refused = !gc_quota_ask(call->calls->conn->quota, call->spec.rate, &line->ticket,
									  &line->until);
		if (!line->refused)
			call_send(call);
	}
	if (line->refused)
		call_check_closed(call);
	if (call->state == CALL_ENDED)
		line_leave(call->calls, line);
}

/* Somebody may sit before a prompt: once a statement, say what it waits for. */
static void
tell_waiting(GcCall *call, const GcFailure *failure, GcTime now)
{
	GcCalls *calls = call->calls;

	if (calls->told_waiting || call->retry.retry_at - call->retry.started < TELL_WAITING_US)
		return;
	calls->told_waiting = true;
	ereport(
		NOTICE,
		(errmsg("still trying: %s %s", call->spec.method, call->spec.path),
		 failure->status != 0
			 ? errdetail("The server answered with HTTP status %d.", failure->status)
			 : errdetail("There was no answer: %s.", failure->message),
		 errhint("It goes on until retry_timeout (" INT64_FORMAT " s) or max_retries (%d).",
				 calls->conn->retry.timeout_ms / 1000, calls->conn->retry.max_retries)));
}

/* Does the answer begin and end as JSON does?  A gateway's page and half an answer do not. */
static bool
looks_like_json(const char *bytes, size_t len)
{
	const char *end = bytes + len;

	while (bytes < end && isspace((unsigned char) *bytes))
		bytes++;
	while (bytes < end && isspace((unsigned char) end[-1]))
		end--;
	return end - bytes >= 2 &&
		   ((*bytes == '{' && end[-1] == '}') || (*bytes == '[' && end[-1] == ']'));
}

static bool
is_redirect(const GcHttpExchange *exchange)
{
	return gc_http_status(exchange) >= 300 && gc_http_status(exchange) < 400 &&
		   gc_http_header(exchange, "Location") != NULL;
}

/* Is it an answer as the call expects it? */
static bool
is_success(GcCall *call)
{
	if (gc_http_outcome(call->exchange) != GC_HTTP_ANSWERED)
		return false;
	return gc_http_status(call->exchange) < 300 ||
		   (call->spec.download && is_redirect(call->exchange));
}

/* What an ended exchange says that is no success; NULL if it is one. */
static GcFailure *
read_failure(GcCall *call)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(call->cxt);
	GcHttpExchange *exchange = call->exchange;
	GcFailure *failure = NULL;
	size_t len;
	const char *bytes = gc_http_body(exchange, &len);

	if (!is_success(call))
		failure =
			gc_failure_read(exchange, call->spec.method, call->spec.path, call->request_id);
	else if (!call->spec.download && !(call->spec.may_be_empty && len == 0) &&
			 !looks_like_json(bytes, len))
		failure = gc_failure_bad_reply(exchange, call->spec.method, call->spec.path,
									   call->request_id, "The answer is not JSON.");
	MemoryContextSwitchTo(caller_cxt);
	return failure;
}

/* A list that was made a moment ago may not be known everywhere yet: A2. */
static bool
is_not_yet(const GcCall *call, const GcFailure *failure)
{
	return failure->cause == GC_CAUSE_NOT_FOUND && failure->code &&
		   strstr(failure->code, "list.not.found") && gc_call_is_young(call);
}

static void
call_judge(GcCall *call)
{
	GcConnection *conn = call->calls->conn;
	GcTime now = gc_clock_now();
	GcFailure *failure = read_failure(call);
	GcCause cause;
	GcVerdict verdict;

	if (failure && is_not_yet(call, failure))
		failure->cause = GC_CAUSE_LOCKED;
	cause = failure ? failure->cause : GC_CAUSE_NONE;
	verdict = gc_retry_judge(&call->retry, &conn->retry, call->exchange, cause, now);
	/* What it says of the quota holds for everybody, whatever becomes of this call. */
	if (gc_http_outcome(call->exchange) == GC_HTTP_ANSWERED)
		observe_limits(call, cause);
	book_attempt(call);
	if (verdict != GC_VERDICT_SUCCESS)
		call_doubt(call, call->retry.in_doubt != 0);
	if (verdict == GC_VERDICT_NEW_TOKEN &&
		!gc_connection_token_refused(conn, call->token_number))
		verdict = GC_VERDICT_FAIL;
	if (verdict != GC_VERDICT_SUCCESS &&
		(call->last_attempt || (call->spec.lock_ends && failure->status == 409) ||
		 (call->spec.in_use_ends && failure->cause == GC_CAUSE_IN_USE)))
		verdict = GC_VERDICT_FAIL;
	switch (verdict)
	{
		case GC_VERDICT_SUCCESS:
			call_end(call, NULL);
			break;
		case GC_VERDICT_RETRY:
			tell_waiting(call, failure, now);
			call_wait_until(call, call->retry.retry_at);
			break;
		case GC_VERDICT_NEW_TOKEN:
			call_wait_until(call, now);
			break;
		case GC_VERDICT_FAIL:
			call_end(call, failure);
			break;
	}
}

void
gc_call_give_up(GcCall *call)
{
	call->last_attempt = true;
	if (call->state != CALL_WAITING)
		return;
	call_end(call, call_failure(call, ERRCODE_OPERATOR_INTERVENTION,
								"The statement had failed", NULL));
	line_leave(call->calls, call_line(call));
}

void
gc_call_leave_line(GcCall *call)
{
	line_leave(call->calls, call_line(call));
}

void
gc_call_begin(GcCall *call)
{
	call_wait_until(call, call->retry.started);
	(void) gc_call_advance(call, gc_clock_now());
}

/* ---- moving on ---- */

/* Moves one call; the moment from which it can move on, or 0 if only an event helps. */
GcTime
gc_call_advance(GcCall *call, GcTime now)
{
	if (call->state == CALL_WAITING && now >= call->start_at)
		call_try(call);
	if (call->state == CALL_FLYING && gc_http_outcome(call->exchange) != GC_HTTP_PENDING)
		call_judge(call);
	if (call->state != CALL_WAITING)
		return 0;
	/* What has just been judged may be ready at once, and has not asked yet. */
	return now >= call->start_at && call_line(call)->refused ? call_line(call)->until
															 : call->start_at;
}

/* ---- answers ---- */

bool
gc_call_ended(const GcCall *call)
{
	return call->state == CALL_ENDED;
}

const GcFailure *
gc_call_failure(const GcCall *call)
{
	Assert(call->state == CALL_ENDED);
	return call->failure;
}

bool
gc_call_in_doubt(const GcCall *call)
{
	switch (call->state)
	{
		case CALL_WAITING:
			return call->retry.in_doubt != 0;
		case CALL_FLYING:
			return true;
		default:
			return call->failure != NULL && call->failure->in_doubt;
	}
}

GcTime
gc_call_doubted(const GcCall *call)
{
	return call->retry.in_doubt;
}

GcTime
gc_call_sent_at(const GcCall *call)
{
	return call->retry.sent_at;
}

const char *
gc_call_reply(const GcCall *call, size_t *len)
{
	return gc_http_body(call->exchange, len);
}

const char *
gc_call_header(const GcCall *call, const char *name)
{
	return gc_http_header(call->exchange, name);
}

TimestampTz
gc_call_answer_time(const GcCall *call)
{
	const char *date = gc_call_header(call, "Date");
	TimestampTz at;

	return date && gc_value_moment(date, &at) ? at : DT_NOBEGIN;
}

GcHttpExchange *
gc_call_file(const GcCall *call, const char **location)
{
	*location =
		is_redirect(call->exchange) ? gc_http_header(call->exchange, "Location") : NULL;
	return call->exchange;
}

MemoryContext
gc_call_context(const GcCall *call)
{
	return call->cxt;
}

void
gc_call_throw(const GcCall *call, const char *message, const char *counts)
{
	gc_failure_throw(call->failure, message, counts);
}

void
gc_call_throw_reply(const GcCall *call, const char *problem, const char *message,
					const char *counts)
{
	GcFailure *failure = gc_failure_bad_reply(call->exchange, call->spec.method,
											  call->spec.path, call->request_id, problem);

	if (call->spec.call_class == GC_CALL_UNSAFE)
		failure->gave_up = GC_RETRY_UNKNOWN;
	gc_failure_throw(failure, message, counts);
}
