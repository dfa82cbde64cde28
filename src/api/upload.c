/*
 * api/upload.c
 *	  A CSV file handed to the platform, from which it fills a contact list.
 *
 * Not a call of api/request.h: its body comes piece by piece, and neither the upload
 * service nor the storage counts in the API's quota.
 */
#include "postgres.h"

#include "api/upload.h"
#include "api/url.h"
#include "base/json_pick.h"
#include "base/url_check.h"
#include "base/value.h"
#include "net/loop.h"
#include "net/retry.h"

#include "utils/memutils.h"

#define SERVICE_PATH	 "/uploads/v2/contactlist"
#define JOB_ENDPOINT	 "/api/v2/outbound/lists/{listId}/contacts/upload"
#define TICKETS_ENDPOINT "/api/v2/outbound/contactlists/uploads"

/* Headers of a signed address, at most. */
#define HEADERS_MAX 32

/* One attempt after the other, each in a context of its own. */
typedef struct Sender
{
	const GcUpload *upload;
	MemoryContext attempt_cxt;
	MemoryContext piece_cxt; /* of the piece on its way */
	GcHttpExchange *exchange;
	const char *method;
	const char *path; /* for messages and views */
	uint64 token_number;
} Sender;

bool
gc_upload_can(const GcConnection *conn, bool presigned)
{
	return presigned || conn->upload_url != NULL;
}

static const char *
not_uploaded(const GcUpload *upload)
{
	return psprintf("could not upload a file to %s", upload->what);
}

/* ---- where to ---- */

/* Lines up for the quota. */
static void
await_turn(const GcUpload *upload)
{
	GcTime from = gc_clock_now();
	uint64 ticket = 0;
	GcTime until;

	while (!gc_quota_ask(upload->conn->quota, (GcRateClass){.bulk = true}, &ticket, &until))
		gc_loop_wait(until, GC_WAIT_QUOTA);
	upload->stat->wait_us += gc_clock_now() - from;
}

static void
add_header(const char **headers, int *count, const char *header)
{
	if (*count == HEADERS_MAX)
		ereport(ERROR, (errcode(ERRCODE_FDW_ERROR),
						errmsg("an upload's address has more than %d headers", HEADERS_MAX)));
	headers[(*count)++] = header;
}

/* The service's form, with our token. */
static void
address_service(Sender *sender, GcHttpRequest *request)
{
	const GcUpload *upload = sender->upload;
	GcConnection *conn = upload->conn;
	const char **headers = palloc0(sizeof(char *) * (HEADERS_MAX + 1));
	const char **form = palloc0(sizeof(char *) * 8);
	GcFailure *failure = gc_connection_token(conn, upload->stat);
	int count = 0;

	if (failure)
		gc_failure_throw(failure, not_uploaded(upload), NULL);
	sender->token_number = conn->token_number;
	add_header(headers, &count, psprintf("Authorization: Bearer %s", conn->token.value));
	add_header(headers, &count, "Accept: application/json");
	add_header(headers, &count, psprintf("X-Content-SHA256: %s", upload->sha256));
	add_header(headers, &count, "Expect:");
	form[0] = "id";
	form[1] = upload->list_id;
	form[2] = "fileType";
	form[3] = "contactlist";
	form[4] = "contact-id-name";
	form[5] = upload->id_column;
	request->form = form;
	request->headers = headers;
	request->url = psprintf("%s" SERVICE_PATH, conn->upload_url);
	sender->method = request->method = "POST";
	sender->path = SERVICE_PATH;
}

/* As a job of the list: one of the API's own calls, which counts in the quota. */
static void
address_list(Sender *sender, GcHttpRequest *request)
{
	const GcUpload *upload = sender->upload;

	address_service(sender, request);
	request->form = palloc0(sizeof(char *));
	sender->path =
		psprintf("/api/v2/outbound/lists/%s/contacts/upload", gc_url_escape(upload->list_id));
	request->url = psprintf("%s%s", upload->conn->api_url, sender->path);
	await_turn(upload);
}

static char *
span_string(const GcSpan *span)
{
	char *string = palloc(span->len + 1);

	string[Max(gc_json_unescape(span, string), 0)] = '\0';
	return string;
}

static GcSpan
member(const GcSpan *object, const char *name)
{
	return gc_pick_member(object, &name, 1);
}

/* Exactly the headers that were signed: what curl would add by itself is taken away. */
static const char **
signed_headers(const GcSpan *given)
{
	const char **headers = palloc0(sizeof(char *) * (HEADERS_MAX + 1));
	int count = 0;
	bool has_type = false;
	GcJson json;
	GcSpan name;
	GcSpan value;

	gc_json_init(&json, given->p, given->p ? given->len : 0);
	if (given->p && gc_json_enter(&json, '{'))
		while (gc_json_key(&json, &name) && gc_json_value(&json, &value))
		{
			char *header = psprintf("%s: %s", span_string(&name), span_string(&value));

			if (strpbrk(header, "\r\n"))
				ereport(ERROR, (errcode(ERRCODE_FDW_ERROR),
								errmsg("an upload's address has a header that is none")));
			has_type = has_type || pg_strncasecmp(header, "Content-Type:", 13) == 0;
			add_header(headers, &count, header);
		}
	if (!has_type)
		add_header(headers, &count, "Content-Type:");
	add_header(headers, &count, "Accept:");
	add_header(headers, &count, "Expect:");
	return headers;
}

static char *
ticket_body(const GcUpload *upload)
{
	StringInfoData body;

	initStringInfo(&body);
	appendStringInfoString(&body, "{\"contentType\":\"text/csv\",\"id\":\"");
	gc_json_escape(&body, upload->list_id, strlen(upload->list_id));
	appendStringInfoString(&body, "\",\"contactIdName\":\"");
	gc_json_escape(&body, upload->id_column, strlen(upload->id_column));
	appendStringInfoString(&body, "\",\"signedUrlTimeoutSeconds\":3600}");
	return body.data;
}

/* An address that is signed for this upload alone; false: the list is locked. */
static bool
address_storage(Sender *sender, GcHttpRequest *request)
{
	const GcUpload *upload = sender->upload;
	char *body = ticket_body(upload);
	GcCallSpec spec = {.call_class = GC_CALL_IDEMPOTENT,
					   .method = "POST",
					   .path = TICKETS_ENDPOINT,
					   .endpoint = TICKETS_ENDPOINT,
					   .body = body,
					   .body_len = strlen(body),
					   .lock_ends = true};
	GcCall *call = gc_call_start(gc_calls_open(upload->conn, upload->stat), &spec);
	GcSpan ticket = {.type = '{'};
	GcSpan url;
	GcSpan headers;
	const char *problem = "The answer has no address.";
	size_t len;
	char *followed;

	gc_call_wait(call);
	if (gc_call_failure(call) && gc_call_failure(call)->cause == GC_CAUSE_LOCKED)
		return false;
	if (gc_call_failure(call))
		gc_call_throw(call, not_uploaded(upload), NULL);
	ticket.p = gc_call_reply(call, &len);
	ticket.len = len;
	url = member(&ticket, "url");
	headers = member(&ticket, "headers");
	if (url.p && url.type == '"')
		problem = gc_url_follow(upload->conn->api_url, span_string(&url), &followed);
	if (problem)
		gc_call_throw_reply(call, problem, not_uploaded(upload), NULL);
	request->url = followed;
	request->headers = signed_headers(&headers);
	/* Who we are is the API's to know. */
	request->client_cert = request->client_key = NULL;
	sender->method = request->method = "PUT";
	sender->path = gc_url_without_query(request->url);
	return true;
}

/* ---- an attempt ---- */

/* Hands over the file as it is asked for. */
static void
feed(Sender *sender)
{
	const GcUpload *upload = sender->upload;
	int number = 0;

	while (gc_http_outcome(sender->exchange) == GC_HTTP_PENDING)
	{
		GcTime from = gc_clock_now();

		if (gc_http_wants(sender->exchange))
		{
			MemoryContext caller_cxt;
			char *bytes;
			int len;

			MemoryContextReset(sender->piece_cxt);
			caller_cxt = MemoryContextSwitchTo(sender->piece_cxt);
			bytes = upload->piece(upload->arg, ++number, &len);
			MemoryContextSwitchTo(caller_cxt);
			if (bytes == NULL)
				ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
								errmsg("a staged file is shorter than it was")));
			gc_http_give(sender->exchange, bytes, len);
			continue;
		}
		gc_loop_wait(0, GC_WAIT_HTTP);
		upload->stat->wait_us += gc_clock_now() - from;
	}
}

static void
book_attempt(Sender *sender, int attempt)
{
	const GcUpload *upload = sender->upload;
	GcHttpExchange *exchange = sender->exchange;
	bool answered = gc_http_outcome(exchange) == GC_HTTP_ANSWERED;
	GcStatRequest request = {.method = sender->method,
							 .path = sender->path,
							 .endpoint = upload->presigned ? "{file}"
										 : upload->as_job  ? JOB_ENDPOINT
														   : SERVICE_PATH,
							 .status = answered ? gc_http_status(exchange) : 0,
							 .us = gc_http_time_us(exchange),
							 .attempt = attempt,
							 .bytes_sent = upload->bytes};

	upload->stat->requests++;
	upload->stat->retries += attempt > 1;
	upload->stat->bytes_sent += upload->bytes;
	if (answered)
		request.correlation_id = gc_http_header(exchange, "inin-correlation-id");
	gc_stat_request(&upload->conn->owner, &request);
}

/* False: the list is locked, and nothing was sent. */
static bool
attempt(Sender *sender, int number)
{
	const GcUpload *upload = sender->upload;
	GcHttpRequest request = upload->conn->transport;
	MemoryContext caller_cxt;
	bool addressed = true;

	sender->exchange = NULL;
	MemoryContextReset(sender->attempt_cxt);
	caller_cxt = MemoryContextSwitchTo(sender->attempt_cxt);
	request.streamed = true;
	request.fresh_connection = true;
	request.body_len = upload->bytes;
	if (upload->presigned)
		addressed = address_storage(sender, &request);
	else if (upload->as_job)
		address_list(sender, &request);
	else
		address_service(sender, &request);
	if (addressed)
	{
		sender->exchange = gc_http_start(&request);
		feed(sender);
		book_attempt(sender, number);
	}
	MemoryContextSwitchTo(caller_cxt);
	return addressed;
}

/* What the attempt came to; NULL: the file was taken. */
static GcFailure *
read_answer(const Sender *sender)
{
	GcHttpExchange *exchange = sender->exchange;

	if (gc_http_outcome(exchange) == GC_HTTP_ANSWERED && gc_http_status(exchange) < 300)
		return NULL;
	return gc_failure_read(exchange, sender->method, sender->path, NULL);
}

static void
pause_until(const GcUpload *upload, GcTime until)
{
	GcTime from = gc_clock_now();

	while (gc_clock_now() < until)
		gc_loop_wait(until, GC_WAIT_BACKOFF);
	upload->stat->wait_us += gc_clock_now() - from;
}

/* Is there another token to try? */
static bool
renews_token(const Sender *sender)
{
	return !sender->upload->presigned &&
		   gc_connection_token_refused(sender->upload->conn, sender->token_number);
}

/* What the platform says of a file that it has taken. */
static GcJobOutcome
read_ticket(const Sender *sender, GcJobTicket *ticket)
{
	const char *id = gc_http_header(sender->exchange, "inin-correlation-id");
	size_t len;
	const char *bytes = gc_http_body(sender->exchange, &len);

	ticket->correlation_id = id ? pstrdup(id) : NULL;
	if (!sender->upload->as_job)
		return GC_JOB_TAKEN;
	ticket->job_id = gc_job_id(bytes, len);
	return ticket->job_id ? GC_JOB_TAKEN : GC_JOB_IN_DOUBT;
}

/* What is not tried again here: somebody else's turn, or who sends it knows what to do. */
static GcJobOutcome
outcome_of(const GcUpload *upload, const GcFailure *failure)
{
	GcJobOutcome outcome = gc_job_outcome(failure);

	if (outcome == GC_JOB_TOO_LARGE || (outcome == GC_JOB_TOO_MANY && !upload->as_job))
		return GC_JOB_TAKEN;
	return outcome;
}

GcJobOutcome
gc_upload_send(const GcUpload *upload, GcJobTicket *ticket)
{
	Sender sender = {.upload = upload};
	GcRetry retry = {.call_class = GC_CALL_UNSAFE, .started = gc_clock_now()};

	sender.attempt_cxt =
		AllocSetContextCreate(CurrentMemoryContext, "gc_fdw upload", ALLOCSET_DEFAULT_SIZES);
	sender.piece_cxt = AllocSetContextCreate(CurrentMemoryContext, "gc_fdw upload piece",
											 ALLOCSET_DEFAULT_SIZES);
	*ticket = (GcJobTicket){0};
	for (;;)
	{
		GcFailure *failure;
		GcVerdict verdict;

		retry.sent_at = gc_clock_now();
		if (!attempt(&sender, retry.attempts + 1))
			return GC_JOB_NOT_READY;
		failure = read_answer(&sender);
		verdict = gc_retry_judge(&retry, &upload->conn->retry, sender.exchange,
								 failure ? failure->cause : GC_CAUSE_NONE, gc_clock_now());
		if (verdict == GC_VERDICT_SUCCESS)
		{
			GcJobOutcome outcome = read_ticket(&sender, ticket);

			gc_http_free(sender.exchange);
			return outcome;
		}
		if (outcome_of(upload, failure) != GC_JOB_TAKEN)
			return outcome_of(upload, failure);
		if (upload->as_job && failure->cause == GC_CAUSE_THROTTLED)
			gc_quota_close(upload->conn->quota, false, retry.retry_at);
		if (verdict == GC_VERDICT_RETRY)
			pause_until(upload, retry.retry_at);
		else if (verdict != GC_VERDICT_NEW_TOKEN || !renews_token(&sender))
			gc_failure_throw(failure, not_uploaded(upload), NULL);
	}
}
