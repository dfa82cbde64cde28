/*
 * route.c
 *	  From method and path to the handler that answers.
 *
 * What is checked before any handler is here too, in the platform's order:
 * token, rate window, path, method, permissions, kind and size of the body.
 */
#include <strings.h>

#include "auth.h"
#include "bulk_run.h"
#include "campaign_writes.h"
#include "errors.h"
#include "exports.h"
#include "imports.h"
#include "permissions.h"
#include "route.h"
#include "routes.h"
#include "state.h"
#include "switches.h"
#include "uploads.h"

static bool
route_matches(const Route *route, Request *req)
{
	const char *p = route->pattern;
	int nargs = 0;

	if ((route->flags & JOBS) && sw_is(SW_DIALECTS, "platform"))
		return false;
	for (int i = 0; i < req->nparts && i < MAX_PARTS; i++)
	{
		size_t len = strcspn(p, "/");
		Span part = req->part[i];

		if (*p == '\0')
			return false;
		if (*p == '*')
		{
			if (part.n == 0)
				return false;
			req->arg[nargs++] = part;
		}
		else if (part.n != len || memcmp(part.p, p, len) != 0)
			return false;
		p += len + (p[len] == '/');
	}
	return *p == '\0' && req->nparts <= MAX_PARTS;
}

/* NULL, with 404 or 405 as the reply, when there is none. */
static const Route *
find_route(const Route *routes, Request *req)
{
	Buf allowed = {0};

	for (const Route *route = routes; route->method; route++)
	{
		if (!route_matches(route, req))
			continue;
		if (strcmp(route->method, req->method) == 0)
		{
			buf_free(&allowed);
			return route;
		}
		buf_printf(&allowed, "%s%s", allowed.len ? ", " : "", route->method);
	}
	if (allowed.len > 0)
	{
		buf_putc(&allowed, '\0');
		reply_header(req, "Allow", allowed.data);
		reply_error(req, 405, "method.not.allowed", "The path does not take %s.", req->method);
	}
	else
		reply_error(req, 404, "not.found", "The requested resource was not found.");
	buf_free(&allowed);
	return NULL;
}

static void
call(const Route *route, Request *req)
{
	state_lock();
	runs_settle();
	imports_settle();
	campaigns_settle();
	if (route->flags & LOCKS)
		state_unlock();
	route->handler(req);
	if (!(route->flags & LOCKS))
		state_unlock();
}

static const Route *
match(const Route *routes, Request *req)
{
	for (const Route *route = routes; route->method; route++)
		if (strcmp(route->method, req->method) == 0 && route_matches(route, req))
			return route;
	return NULL;
}

static bool
has_flag(const Route *routes, Request *req, unsigned flag)
{
	const Route *route = match(routes, req);

	return route && (route->flags & flag);
}

FileKind
route_takes_file(Request *req)
{
	bool alone =
		req->storage && strcmp(req->method, "PUT") == 0 && span_is(req->part[0], "uploads");

	if (req->storage)
		return alone ? FILE_ALONE : FILE_NONE;
	return has_flag(upload_routes, req, FORM) || has_flag(platform_routes, req, FORM)
			   ? FILE_IN_FORM
			   : FILE_NONE;
}

size_t
route_body_max(Request *req)
{
	return !req->storage && has_flag(platform_routes, req, LARGE)
			   ? (size_t) sw_number(SW_JOBS_BYTES_MAX)
			   : MAX_BODY_BYTES;
}

static bool
check_body(Request *req)
{
	size_t most = route_body_max(req);
	const char *type = request_header(req, "Content-Type");
	size_t len = strlen("application/json");
	bool is_json = type && strncasecmp(type, "application/json", len) == 0 &&
				   (type[len] == '\0' || type[len] == ';' || type[len] == ' ');

	if (req->intake)
		return true;
	if (req->body_bytes > most)
		reply_error(req, 413, "request.entity.too.large",
					"The request is over the size limit. Maximum bytes: %zu", most);
	else if (req->body_bytes > 0 && !is_json)
		reply_error(req, 415, "unsupported.media.type", "The body must be application/json.");
	else
		return true;
	return false;
}

/* Asked before the path is checked: a path that is not there is no bulk. */
static bool
is_bulk(Request *req)
{
	return sw_number(SW_BULK_REQUESTS_PER_MINUTE) > 0 && has_flag(platform_routes, req, BULK);
}

static bool
admit(Request *req, bool limited)
{
	bool bulk = is_bulk(req);
	Window *window;
	bool admitted;

	state_lock();
	window = auth_check(req);
	admitted = window && (!limited || limit_admit(req, window, bulk));
	state_unlock();
	return admitted;
}

bool
route_is_control(const Request *req)
{
	return req->nparts > 0 && span_is(req->part[0], "_sim") && !route_is_webhook(req);
}

bool
route_is_webhook(const Request *req)
{
	return req->nparts > 1 && span_is(req->part[0], "_sim") &&
		   span_is(req->part[1], "webhook");
}

void
route_control(Request *req)
{
	const Route *route = find_route(control_routes, req);

	if (route)
		call(route, req);
}

void
route_aside(Request *req)
{
	const Route *route;

	if (route_is_control(req))
		route_control(req);
	else if ((route = find_route(platform_routes, req)) && check_body(req))
		call(route, req);
}

static bool
permitted(const Route *route, Request *req)
{
	bool permitted;

	state_lock();
	permitted = permissions_check(req, route->permissions);
	state_unlock();
	return permitted;
}

static bool
is_too_long(const Request *req)
{
	size_t most = (size_t) sw_number(SW_URI_MAX);

	return most > 0 && strlen(req->path) + strlen(req->query) > most;
}

/* Another host: its calls count in no window, but by a switch. */
static void
route_upload(Request *req)
{
	const Route *route;

	if (admit(req, sw_is(SW_UPLOAD_LIMITED, "on")) &&
		(route = find_route(upload_routes, req)) && permitted(route, req))
		call(route, req);
}

void
route_platform(Request *req)
{
	const Route *route;

	if (request_is(req, "/oauth/token"))
	{
		state_lock();
		auth_token(req);
		state_unlock();
	}
	else if (route_is_webhook(req))
		reply_json(req, 200, json_object());
	else if (req->nparts > 0 && span_is(req->part[0], "uploads"))
		route_upload(req);
	else if (req->nparts == 0 || !span_is(req->part[0], "api"))
		reply_error(req, 404, "not.found", "The requested resource was not found.");
	else if (is_too_long(req))
		reply_error(req, 414, "uri.too.long", "The address is over the size limit.");
	else if (admit(req, true) && (route = find_route(platform_routes, req)) &&
			 permitted(route, req) && check_body(req))
		call(route, req);
	if (req->reply.status >= 400 && req->reply.status < 500 && req->reply.status != 429)
		counters.rejected++;
}

void
route_storage(Request *req)
{
	reply_header(req, "ININ-Correlation-Id", NULL);
	reply_header(req, "x-amz-request-id", req->correlation_id);
	if (req->nparts > 0 && span_is(req->part[0], "uploads"))
		upload_put(req);
	else
	{
		state_lock();
		storage_get(req);
		state_unlock();
	}
	if (req->reply.status >= 400)
		counters.rejected++;
}
