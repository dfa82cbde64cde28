/*
 * net/failure.c
 *	  What a failed exchange says, and the one place that words it as an error.
 */
#include "postgres.h"

#include <jansson.h>

#include "base/value.h"
#include "net/failure.h"

#include "lib/stringinfo.h"

/* The platform's words are cut here: a line, not a page. */
#define MESSAGE_MAX 500

/* A path may carry a hundred ids, percent-encoded: these are enough to find it. */
#define PATH_MAX_SHOWN 200

static const char *
json_text(json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value && *value ? gc_value_display(value, MESSAGE_MAX) : NULL;
}

/* Every member may be absent: a gateway's page is no ErrorBody. */
static void
read_error_body(GcFailure *failure, json_t *body)
{
	json_t *detail = json_array_get(json_object_get(body, "details"), 0);

	failure->code = json_text(body, "code");
	failure->message = json_text(body, "message");
	failure->entity = json_text(body, "entityName");
	failure->field = json_text(detail, "fieldName");
	if (failure->entity == NULL)
		failure->entity = json_text(detail, "entityName");
	if (failure->correlation_id == NULL)
		failure->correlation_id = json_text(body, "contextId");
	/* The token endpoint has a shape of its own. */
	if (failure->code == NULL)
		failure->code = json_text(body, "error");
	if (failure->message == NULL)
		failure->message = json_text(body, "description");
	if (failure->message == NULL)
		failure->message = json_text(body, "error_description");
}

static GcCause
cause_of_status(const GcFailure *failure)
{
	switch (failure->status)
	{
		case 400:
			return gc_policy_bad_request(failure->code, failure->message);
		case 401:
			return GC_CAUSE_TOKEN;
		case 403:
			return GC_CAUSE_FORBIDDEN;
		case 404:
			return GC_CAUSE_NOT_FOUND;
		case 407:
			return GC_CAUSE_PROXY; /* of one that forwards */
		case 408:
			return GC_CAUSE_TIMEOUT;
		case 409:
			return gc_policy_conflict(failure->code, failure->message);
		case 413:
			return GC_CAUSE_TOO_LARGE;
		case 429:
			return gc_policy_throttled(failure->code);
		case 501:
			return GC_CAUSE_NOT_OFFERED;
		default:
			return failure->status >= 500 ? GC_CAUSE_SERVER : GC_CAUSE_OTHER;
	}
}

static void
set_cause(GcFailure *failure, GcCause cause)
{
	failure->cause = cause;
	failure->sqlstate = gc_policy(cause)->sqlstate;
	failure->in_doubt = gc_policy(cause)->doubt;
}

static GcFailure *
failure_make(const GcHttpExchange *exchange, const char *method, const char *path,
			 const char *request_id)
{
	GcFailure *failure = palloc0(sizeof(GcFailure));
	const char *correlation_id = NULL;

	failure->outcome = gc_http_outcome(exchange);
	failure->method = pstrdup(method);
	failure->path = strlen(path) > PATH_MAX_SHOWN ? psprintf("%.*s...", PATH_MAX_SHOWN, path)
												  : pstrdup(path);
	failure->request_id = request_id ? pstrdup(request_id) : NULL;
	if (failure->outcome == GC_HTTP_ANSWERED)
	{
		failure->status = gc_http_status(exchange);
		correlation_id = gc_http_header(exchange, "inin-correlation-id");
	}
	if (correlation_id)
		failure->correlation_id = gc_value_display(correlation_id, MESSAGE_MAX);
	return failure;
}

static void
read_answer(GcFailure *failure, const GcHttpExchange *exchange)
{
	size_t len;
	const char *bytes = gc_http_body(exchange, &len);
	json_t *body = json_loadb(bytes, len, 0, NULL);

	if (json_is_object(body))
		read_error_body(failure, body);
	json_decref(body);
	set_cause(failure, cause_of_status(failure));
	if (failure->cause == GC_CAUSE_FORBIDDEN && failure->code &&
		strstr(failure->code, "division"))
		failure->hint = "Give the role of the OAuth client for that division, too.";
}

/* Why there was no connection. */
static GcCause
cause_of_no_connection(const GcHttpExchange *exchange)
{
	int refusal = gc_http_tunnel_status(exchange);

	if (refusal == 407)
		return GC_CAUSE_PROXY;
	if (refusal >= 400 && refusal < 500)
		return GC_CAUSE_PROXY_NO;
	return gc_http_is_tls_error(exchange) ? GC_CAUSE_TRUST : GC_CAUSE_NOT_SENT;
}

GcFailure *
gc_failure_read(const GcHttpExchange *exchange, const char *method, const char *path,
				const char *request_id)
{
	GcFailure *failure = failure_make(exchange, method, path, request_id);

	switch (failure->outcome)
	{
		case GC_HTTP_ANSWERED:
			read_answer(failure, exchange);
			break;
		case GC_HTTP_NOT_SENT:
			set_cause(failure, cause_of_no_connection(exchange));
			failure->message = gc_value_display(gc_http_error(exchange), MESSAGE_MAX);
			if (gc_http_is_timeout(exchange))
			{
				failure->sqlstate = ERRCODE_CONNECTION_FAILURE;
				failure->message = psprintf("%s (limit: connect_timeout)", failure->message);
			}
			break;
		case GC_HTTP_TOO_BIG:
			set_cause(failure, GC_CAUSE_TOO_BIG);
			failure->message = "The answer is larger than max_response_size.";
			break;
		default:
			set_cause(failure, GC_CAUSE_LOST);
			failure->message = gc_value_display(gc_http_error(exchange), MESSAGE_MAX);
			if (gc_http_is_timeout(exchange))
				failure->message = psprintf("%s (limit: request_timeout)", failure->message);
			break;
	}
	return failure;
}

GcFailure *
gc_failure_bad_reply(const GcHttpExchange *exchange, const char *method, const char *path,
					 const char *request_id, const char *problem)
{
	GcFailure *failure = failure_make(exchange, method, path, request_id);

	set_cause(failure, GC_CAUSE_GARBLED);
	failure->message = problem;
	return failure;
}

static const char *
failure_detail(const GcFailure *failure, const char *counts)
{
	StringInfoData detail;

	initStringInfo(&detail);
	if (failure->cause == GC_CAUSE_PROXY)
		appendStringInfoString(&detail, "The proxy asked for credentials, or refused those it "
										"was given (HTTP status 407)");
	else if (failure->status != 0)
	{
		appendStringInfo(&detail, "The server answered with HTTP status %d", failure->status);
		if (failure->code)
			appendStringInfo(&detail, " (%s)", failure->code);
		if (failure->message)
			appendStringInfo(&detail, ": %s", failure->message);
	}
	else if (failure->outcome == GC_HTTP_PENDING)
		appendStringInfoString(&detail, failure->message);
	else if (failure->outcome == GC_HTTP_NOT_SENT)
		appendStringInfo(&detail, "There was no connection: %s", failure->message);
	else if (failure->outcome == GC_HTTP_TOO_BIG)
		appendStringInfoString(&detail, failure->message);
	else
		appendStringInfo(&detail, "There was no answer: %s", failure->message);
	if (detail.data[detail.len - 1] != '.')
		appendStringInfoChar(&detail, '.');
	if (failure->field)
		appendStringInfo(&detail, " Field: %s.", failure->field);
	if (failure->entity)
		appendStringInfo(&detail, " Entity: %s.", failure->entity);
	if (failure->gave_up)
		appendStringInfo(&detail, " %s", failure->gave_up);
	if (counts)
		appendStringInfo(&detail, "\n%s", counts);
	if (failure->correlation_id)
		appendStringInfo(&detail, "\nCorrelation id: %s.", failure->correlation_id);
	if (failure->request_id)
		appendStringInfo(&detail, "\nRequest id: %s.", failure->request_id);
	return detail.data;
}

void
gc_failure_throw(const GcFailure *failure, const char *message, const char *counts)
{
	const char *hint = failure->hint ? failure->hint : gc_policy(failure->cause)->hint;

	if (failure->instead)
		message = failure->instead;
	ereport(ERROR, (errcode(failure->sqlstate), errmsg_internal("%s", message),
					errdetail_internal("%s", failure_detail(failure, counts)),
					hint ? errhint("%s", hint) : 0,
					errcontext("remote request: %s %s", failure->method, failure->path)));
	pg_unreachable();
}

bool
gc_failure_passes(const GcFailure *failure)
{
	switch (failure->cause)
	{
		case GC_CAUSE_NOT_SENT:
		case GC_CAUSE_LOST:
		case GC_CAUSE_GARBLED:
		case GC_CAUSE_TIMEOUT:
		case GC_CAUSE_THROTTLED:
		case GC_CAUSE_SERVER:
			return true;
		default:
			return false;
	}
}
