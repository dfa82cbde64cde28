/*
 * route.c
 *	  From method and path to the handler that answers.
 *
 * What is checked before any handler is here too, in the platform's order:
 * token, rate window, path, method, kind and size of the body.
 */
#include <strings.h>

#include "auth.h"
#include "bulk_jobs.h"
#include "bulk_run.h"
#include "campaigns.h"
#include "contacts.h"
#include "control.h"
#include "dnclists.h"
#include "errors.h"
#include "events.h"
#include "exports.h"
#include "filters.h"
#include "list_export.h"
#include "lists.h"
#include "locks.h"
#include "route.h"
#include "search.h"
#include "state.h"
#include "switches.h"

typedef struct Route
{
	const char *method;
	const char *pattern; /* a star stands for one part */
	void (*handler)(Request *req);
	bool locks; /* takes the lock itself */
	bool bulk;	/* takes many contacts: has a limit of its own */
} Route;

static const Route platform_routes[] = {
	{"GET", "api/v2/outbound/contactlists", lists_get, false, false},
	{"POST", "api/v2/outbound/contactlists", lists_post, false, false},
	{"DELETE", "api/v2/outbound/contactlists", lists_delete, false, false},
	{"GET", "api/v2/outbound/contactlists/divisionviews", list_views_get, false, false},
	{"GET", "api/v2/outbound/contactlists/*", list_get, false, false},
	{"PUT", "api/v2/outbound/contactlists/*", list_put, false, false},
	{"DELETE", "api/v2/outbound/contactlists/*", list_delete_one, false, false},
	{"POST", "api/v2/outbound/contactlists/*/clear", list_clear_contacts, false, false},
	{"POST", "api/v2/outbound/contactlists/*/contacts", contacts_post, true, true},
	{"DELETE", "api/v2/outbound/contactlists/*/contacts", contacts_delete, true, false},
	{"POST", "api/v2/outbound/contactlists/*/contacts/search", contacts_search, true, false},
	{"POST", "api/v2/outbound/contactlists/*/contacts/bulk", contacts_read, true, true},
	{"GET", "api/v2/outbound/contactlists/*/contacts/*", contact_get, true, false},
	{"PUT", "api/v2/outbound/contactlists/*/contacts/*", contact_put, true, false},
	{"DELETE", "api/v2/outbound/contactlists/*/contacts/*", contact_delete, true, false},
	{"GET", "api/v2/outbound/contactlists/divisionviews/*", list_view_get, false, false},
	{"POST", "api/v2/outbound/contactlists/*/export", list_export_post, false, false},
	{"GET", "api/v2/outbound/contactlists/*/export", list_export_get, false, false},
	{"GET", "api/v2/outbound/contactlists/*/importstatus", list_import_status, false, false},
	{"POST", "api/v2/outbound/contactlists/*/contacts/bulk/update", bulk_update, false, true},
	{"POST", "api/v2/outbound/contactlists/*/contacts/bulk/remove", bulk_remove, false, true},
	{"GET", "api/v2/outbound/contactlists/*/contacts/bulk/jobs", bulk_jobs_get, false, false},
	{"GET", "api/v2/outbound/contactlists/*/contacts/bulk/jobs/*", bulk_job_get, false, false},
	{"GET", "api/v2/downloads/*", download_get, false, false},
	{"GET", "api/v2/outbound/contactlistfilters", filters_get, false, false},
	{"POST", "api/v2/outbound/contactlistfilters", filters_post, false, false},
	{"POST", "api/v2/outbound/contactlistfilters/preview", filter_preview, false, false},
	{"GET", "api/v2/outbound/contactlistfilters/*", filter_get, false, false},
	{"GET", "api/v2/outbound/campaigns", campaigns_get, false, false},
	{"POST", "api/v2/outbound/campaigns/progress", campaigns_progress, false, false},
	{"GET", "api/v2/outbound/campaigns/divisionviews", campaign_views_get, false, false},
	{"GET", "api/v2/outbound/campaigns/divisionviews/*", campaign_view_get, false, false},
	{"GET", "api/v2/outbound/campaigns/*", campaign_get, false, false},
	{"GET", "api/v2/outbound/campaigns/*/progress", campaign_progress, false, false},
	{"GET", "api/v2/outbound/campaigns/*/stats", campaign_stats, false, false},
	{"GET", "api/v2/outbound/dnclists", dnc_lists_get, false, false},
	{"GET", "api/v2/outbound/dnclists/*", dnc_list_get, false, false},
	{"GET", "api/v2/outbound/dnclists/*/importstatus", dnc_import_status, false, false},
	{"POST", "api/v2/outbound/dnclists/*/export", dnc_export_post, false, false},
	{"GET", "api/v2/outbound/dnclists/*/export", dnc_export_get, false, false},
	{"POST", "api/v2/outbound/dnclists/*/phonenumbers", dnc_add, false, false},
	{"PATCH", "api/v2/outbound/dnclists/*/phonenumbers", dnc_patch, false, false},
	{"DELETE", "api/v2/outbound/dnclists/*/phonenumbers", dnc_wipe, false, false},
	{"POST", "api/v2/outbound/dnclists/*/emailaddresses", dnc_add, false, false},
	{"PATCH", "api/v2/outbound/dnclists/*/emailaddresses", dnc_patch, false, false},
	{"DELETE", "api/v2/outbound/dnclists/*/emailaddresses", dnc_wipe, false, false},
	{"GET", "api/v2/outbound/events", events_get, false, false},
	{"GET", "api/v2/outbound/events/*", event_get, false, false},
	{NULL, NULL, NULL, false, false},
};

static const Route control_routes[] = {
	{"POST", "_sim/reset", control_reset, false, false},
	{"POST", "_sim/set", control_set, false, false},
	{"POST", "_sim/faults", control_set_faults, false, false},
	{"GET", "_sim/faults", control_faults, false, false},
	{"GET", "_sim/requests", control_requests, false, false},
	{"DELETE", "_sim/requests", control_clear_requests, false, false},
	{"GET", "_sim/state", control_state, false, false},
	{"POST", "_sim/lists", lists_seed, false, false},
	{"GET", "_sim/lists", control_lists, false, false},
	{"GET", "_sim/contacts", control_contacts, false, false},
	{"POST", "_sim/contacts", control_set_contact, false, false},
	{"GET", "_sim/checksum", control_checksum, false, false},
	{"POST", "_sim/locks", locks_seed, false, false},
	{"POST", "_sim/campaigns", campaigns_seed, false, false},
	{"POST", "_sim/dnclists", dnc_lists_seed, false, false},
	{"POST", "_sim/events", events_seed, false, false},
	{"POST", "_sim/bulkjobs", bulk_jobs_seed, false, false},
	{"POST", "_sim/importstatus", import_status_seed, false, false},
	{NULL, NULL, NULL, false, false},
};

static bool
route_matches(const Route *route, Request *req)
{
	const char *p = route->pattern;
	int nargs = 0;

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
	if (route->locks)
		state_unlock();
	route->handler(req);
	if (!route->locks)
		state_unlock();
}

static bool
check_body(Request *req)
{
	const char *type = request_header(req, "Content-Type");
	size_t len = strlen("application/json");
	bool is_json = type && strncasecmp(type, "application/json", len) == 0 &&
				   (type[len] == '\0' || type[len] == ';' || type[len] == ' ');

	if (req->body_bytes > MAX_BODY_BYTES)
		reply_error(req, 413, "request.entity.too.large",
					"The request is over the size limit. Maximum bytes: %d", MAX_BODY_BYTES);
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
	if (sw_number(SW_BULK_REQUESTS_PER_MINUTE) == 0)
		return false;
	for (const Route *route = platform_routes; route->method; route++)
		if (route->bulk && strcmp(route->method, req->method) == 0 &&
			route_matches(route, req))
			return true;
	return false;
}

static bool
admit(Request *req)
{
	bool bulk = is_bulk(req);
	Window *window;
	bool admitted;

	state_lock();
	window = auth_check(req);
	admitted = window && limit_admit(req, window, bulk);
	state_unlock();
	return admitted;
}

bool
route_is_control(const Request *req)
{
	return req->nparts > 0 && span_is(req->part[0], "_sim");
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
is_too_long(const Request *req)
{
	size_t most = (size_t) sw_number(SW_URI_MAX);

	return most > 0 && strlen(req->path) + strlen(req->query) > most;
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
	else if (req->nparts == 0 || !span_is(req->part[0], "api"))
		reply_error(req, 404, "not.found", "The requested resource was not found.");
	else if (is_too_long(req))
		reply_error(req, 414, "uri.too.long", "The address is over the size limit.");
	else if (admit(req) && (route = find_route(platform_routes, req)) && check_body(req))
		call(route, req);
	if (req->reply.status >= 400 && req->reply.status < 500 && req->reply.status != 429)
		counters.rejected++;
}

void
route_storage(Request *req)
{
	state_lock();
	storage_get(req);
	state_unlock();
	if (req->reply.status >= 400)
		counters.rejected++;
}
