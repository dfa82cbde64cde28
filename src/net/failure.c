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

static bool
mentions(const GcFailure *failure, const char *code, const char *words)
{
	if (failure->code && strstr(failure->code, code))
		return true;
	return failure->message && words && strstr(failure->message, words);
}

/* 409: by code first, then by words; what is neither is taken for a lock (SCENARIOS K). */
static void
classify_conflict(GcFailure *failure)
{
	if (mentions(failure, "duplicate", "already exists") ||
		mentions(failure, "duplicate", "duplicate contact"))
		failure->sqlstate = ERRCODE_UNIQUE_VIOLATION;
	else if (mentions(failure, "referential.integrity", "does not exist") ||
			 mentions(failure, "referential.integrity", "incompatible"))
		failure->sqlstate = ERRCODE_FOREIGN_KEY_VIOLATION;
	else
	{
		failure->sqlstate = ERRCODE_T_R_SERIALIZATION_FAILURE;
		failure->conflict_passes = true;
	}
}

static void
classify_status(GcFailure *failure)
{
	switch (failure->status)
	{
		case 400:
			failure->sqlstate = mentions(failure, "invalid.contact.columns", NULL)
									? ERRCODE_UNDEFINED_COLUMN
									: ERRCODE_INVALID_PARAMETER_VALUE;
			break;
		case 401:
			failure->sqlstate = ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION;
			break;
		case 403:
			failure->sqlstate = ERRCODE_INSUFFICIENT_PRIVILEGE;
			break;
		case 404:
			failure->sqlstate = ERRCODE_FDW_TABLE_NOT_FOUND;
			break;
		case 408:
			failure->sqlstate = ERRCODE_T_R_SERIALIZATION_FAILURE;
			break;
		case 409:
			classify_conflict(failure);
			break;
		case 413:
			failure->sqlstate = ERRCODE_PROGRAM_LIMIT_EXCEEDED;
			break;
		case 429:
			failure->sqlstate = ERRCODE_CONFIGURATION_LIMIT_EXCEEDED;
			break;
		default:
			failure->sqlstate =
				failure->status >= 500 ? ERRCODE_SYSTEM_ERROR : ERRCODE_FDW_ERROR;
			break;
	}
}

static GcFailure *
failure_make(const GcHttpExchange *exchange, const char *method, const char *path,
			 const char *request_id)
{
	GcFailure *failure = palloc0(sizeof(GcFailure));
	const char *correlation_id = NULL;

	failure->outcome = gc_http_outcome(exchange);
	failure->method = pstrdup(method);
	failure->path = pstrdup(path);
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
	classify_status(failure);
	failure->in_doubt = failure->status >= 500 && failure->status != 501;
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
			failure->sqlstate = ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION;
			failure->message = gc_value_display(gc_http_error(exchange), MESSAGE_MAX);
			if (gc_http_is_timeout(exchange))
			{
				failure->sqlstate = ERRCODE_CONNECTION_FAILURE;
				failure->message = psprintf("%s (limit: connect_timeout)", failure->message);
			}
			break;
		case GC_HTTP_TOO_BIG:
			failure->sqlstate = ERRCODE_FDW_ERROR;
			failure->message = "The answer is larger than max_response_size.";
			failure->in_doubt = true;
			break;
		default:
			failure->sqlstate = ERRCODE_CONNECTION_FAILURE;
			failure->message = gc_value_display(gc_http_error(exchange), MESSAGE_MAX);
			if (gc_http_is_timeout(exchange))
				failure->message = psprintf("%s (limit: request_timeout)", failure->message);
			failure->in_doubt = true;
			break;
	}
	return failure;
}

GcFailure *
gc_failure_bad_reply(const GcHttpExchange *exchange, const char *method, const char *path,
					 const char *request_id, const char *problem)
{
	GcFailure *failure = failure_make(exchange, method, path, request_id);

	failure->sqlstate = ERRCODE_FDW_ERROR;
	failure->message = problem;
	failure->in_doubt = true;
	return failure;
}

static const char *
failure_detail(const GcFailure *failure, const char *counts)
{
	StringInfoData detail;

	initStringInfo(&detail);
	if (failure->status != 0)
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

/* The ways out of a duplicate (SCENARIOS K1, K8). */
static const char *
duplicate_hint(const GcFailure *failure)
{
	if (mentions(failure, "duplicate.external.id", "external id"))
		return "Set \"external_id_unique\" to false, of the organisation or (Terraform: "
			   "resource "
			   "genesyscloud_outbound_contactlist) of the list, and clear the contacts that "
			   "already conflict before running again.";
	if (mentions(failure, "duplicate.contact.id", "duplicate contact"))
		return "Remove the second contact with that id from the source.";
	return NULL;
}

static const char *
failure_hint(const GcFailure *failure)
{
	if (failure->sqlstate == ERRCODE_UNIQUE_VIOLATION)
		return duplicate_hint(failure);
	if (failure->sqlstate == ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION)
		return "Check the credentials of the user mapping, and the roles of its OAuth client.";
	switch (failure->status)
	{
		case 403:
			return "Give the OAuth client a role with the permission that the message names.";
		case 429:
			return "Lower the server option \"requests_per_minute\", or raise "
				   "\"retry_timeout\".";
		default:
			return NULL;
	}
}

void
gc_failure_throw(const GcFailure *failure, const char *message, const char *counts)
{
	const char *hint = failure->hint ? failure->hint : failure_hint(failure);

	if (failure->instead)
		message = failure->instead;
	ereport(ERROR, (errcode(failure->sqlstate), errmsg_internal("%s", message),
					errdetail_internal("%s", failure_detail(failure, counts)),
					hint ? errhint("%s", hint) : 0,
					errcontext("remote request: %s %s", failure->method, failure->path)));
	pg_unreachable();
}
