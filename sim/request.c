/*
 * request.c
 *	  One request and its reply, apart from any HTTP library.
 */
#include <stdlib.h>
#include <strings.h>

#include "errors.h"
#include "request.h"

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes from..end to *out, which moves on past a closing NUL. */
static Span
decode(const char *from, const char *end, bool plus, char **out)
{
	Span span = {*out, 0};
	char *to = *out;

	for (; from < end; from++)
	{
		if (*from == '%' && end - from > 2 && hex_value(from[1]) >= 0 &&
			hex_value(from[2]) >= 0)
		{
			*to++ = (char) (hex_value(from[1]) << 4 | hex_value(from[2]));
			from += 2;
		}
		else
			*to++ = plus && *from == '+' ? ' ' : *from;
	}
	span.n = (size_t) (to - span.p);
	*to++ = '\0';
	*out = to;
	return span;
}

static void
split_path(Request *req, char **out)
{
	const char *p = req->path;

	while (*p == '/')
	{
		const char *end = p + 1 + strcspn(p + 1, "/");

		if (req->nparts == MAX_PARTS)
		{
			req->nparts++;
			return;
		}
		req->part[req->nparts++] = decode(p + 1, end, false, out);
		p = end;
	}
}

static void
split_query(Request *req, char **out)
{
	const char *p = req->query;
	int most = 1;

	for (const char *c = p; *c; c++)
		most += *c == '&';
	req->params = sim_alloc(sizeof(Param) * (size_t) most);
	while (*p)
	{
		const char *end = p + strcspn(p, "&");
		const char *equals = memchr(p, '=', (size_t) (end - p));
		Param *param = &req->params[req->nparams];

		if (end > p)
		{
			param->name = decode(p, equals ? equals : end, true, out);
			param->value = decode(equals ? equals + 1 : end, end, true, out);
			req->nparams++;
		}
		p = *end ? end + 1 : end;
	}
}

Request *
request_create(const char *uri)
{
	Request *req = sim_alloc(sizeof(Request));
	size_t len = strlen(uri);
	size_t path_len = strcspn(uri, "?");
	char *out;

	req->path = sim_strndup(uri, path_len);
	req->query = sim_strdup(uri[path_len] ? uri + path_len + 1 : "");
	req->rows = -1;
	req->arrived_us = sim_now_us();
	sim_uuid(req->correlation_id);
	out = req->decoded = sim_alloc(2 * len + MAX_PARTS + 4);
	split_path(req, &out);
	split_query(req, &out);
	return req;
}

void
request_free(Request *req)
{
	for (int i = 0; i < req->reply.nheaders; i++)
	{
		free(req->reply.names[i]);
		free(req->reply.values[i]);
	}
	free(req->reply.content_type);
	stream_release(req->reply.stream);
	buf_free(&req->reply.body);
	buf_free(&req->body);
	intake_free(req->intake);
	free(req->params);
	free(req->decoded);
	free(req->query);
	free(req->path);
	free(req);
}

const char *
request_header(const Request *req, const char *name)
{
	for (int i = 0; i < req->nheaders; i++)
		if (strcasecmp(req->headers[i].name, name) == 0)
			return req->headers[i].value;
	return NULL;
}

bool
span_is(Span span, const char *text)
{
	return span.p && strlen(text) == span.n && memcmp(span.p, text, span.n) == 0;
}

const Span *
request_param(const Request *req, const char *name)
{
	for (int i = 0; i < req->nparams; i++)
		if (span_is(req->params[i].name, name))
			return &req->params[i].value;
	return NULL;
}

bool
request_is(const Request *req, const char *path)
{
	return strcmp(req->path, path) == 0;
}

static bool
bad_param(Request *req, const char *name, const Span *value)
{
	reply_error(req, 400, "invalid.query.param.value",
				"The query parameter %s cannot have the value %s.", name, value->p);
	return false;
}

bool
request_flag(Request *req, const char *name, bool *value)
{
	const Span *given = request_param(req, name);

	if (given == NULL)
		return true;
	*value = strcasecmp(given->p, "true") == 0;
	return *value || strcasecmp(given->p, "false") == 0 || bad_param(req, name, given);
}

bool
request_number(Request *req, const char *name, int64_t *value)
{
	const Span *given = request_param(req, name);
	char *end;

	if (given == NULL)
		return true;
	*value = strtoll(given->p, &end, 10);
	return (given->n > 0 && *end == '\0' && *value >= 0) || bad_param(req, name, given);
}

void
reply_header(Request *req, const char *name, const char *value)
{
	Reply *reply = &req->reply;
	int i = 0;

	while (i < reply->nheaders && strcasecmp(reply->names[i], name) != 0)
		i++;
	if (i < reply->nheaders)
	{
		free(reply->names[i]);
		free(reply->values[i]);
		reply->nheaders--;
		reply->names[i] = reply->names[reply->nheaders];
		reply->values[i] = reply->values[reply->nheaders];
	}
	if (value == NULL || reply->nheaders == MAX_REPLY_HEADERS)
		return;
	reply->names[reply->nheaders] = sim_strdup(name);
	reply->values[reply->nheaders++] = sim_strdup(value);
}

void
reply_ok(Request *req)
{
	req->reply.status = 200;
	reply_type(req, "application/json");
}

void
reply_type(Request *req, const char *content_type)
{
	free(req->reply.content_type);
	req->reply.content_type = sim_strdup(content_type);
}

void
reply_stream(Request *req, const char *content_type, Stream *stream)
{
	req->reply.status = 200;
	reply_type(req, content_type);
	req->reply.stream = stream;
}

void
reply_drop_stream(Request *req)
{
	stream_release(req->reply.stream);
	req->reply.stream = NULL;
}

void
reply_json(Request *req, int status, json_t *value)
{
	req->reply.body.len = 0;
	buf_put_json(&req->reply.body, value);
	json_decref(value);
	reply_ok(req);
	req->reply.status = status;
}

void
reply_empty(Request *req, int status)
{
	req->reply.status = status;
	req->reply.body.len = 0;
}
