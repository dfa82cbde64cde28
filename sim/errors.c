/*
 * errors.c
 *	  The platform's ErrorBody as a reply.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "errors.h"

void
reply_error(Request *req, int status, const char *code, const char *fmt, ...)
{
	va_list args;
	char *message = NULL;
	json_t *body;

	va_start(args, fmt);
	if (vasprintf(&message, fmt, args) < 0)
		message = NULL;
	va_end(args);
	/* A message may quote bytes of the request that are not text. */
	body = json_pack("{s:s*, s:s, s:i, s:{}, s:s, s:[], s:[]}", "message", message, "code",
					 code, "status", status, "messageParams", "contextId", req->correlation_id,
					 "details", "errors");
	if (body == NULL)
		body = json_pack("{s:s, s:i, s:s}", "code", code, "status", status, "contextId",
						 req->correlation_id);
	reply_json(req, status, body);
	free(message);
}

static void
amend(Request *req, const char *key, json_t *value)
{
	json_t *body = json_loadb(req->reply.body.data, req->reply.body.len, 0, NULL);
	json_t *list = json_object_get(body, key);

	if (json_is_array(list))
		json_array_append_new(list, value);
	else
		json_object_set_new(body, key, value);
	reply_json(req, req->reply.status, body);
}

void
reply_error_detail(Request *req, Span field, Span entity_id)
{
	json_t *detail = json_object();

	if (field.p)
		json_object_set_new(detail, "fieldName", json_stringn(field.p, field.n));
	if (entity_id.p)
		json_object_set_new(detail, "entityId", json_stringn(entity_id.p, entity_id.n));
	amend(req, "details", detail);
}

void
reply_error_limit(Request *req, const char *key, int64_t value)
{
	amend(req, "limit",
		  json_pack("{s:s, s:s, s:I}", "key", key, "namespace", "platform.api", "value",
					(json_int_t) value));
}
