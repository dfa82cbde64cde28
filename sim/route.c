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
#include "campaign_writes.h"
#include "campaigns.h"
#include "collections.h"
#include "contacts.h"
#include "control.h"
#include "divisions.h"
#include "dnc_writes.h"
#include "dnclists.h"
#include "errors.h"
#include "events.h"
#include "exports.h"
#include "filters.h"
#include "import_control.h"
#include "imports.h"
#include "job_lists.h"
#include "jobs.h"
#include "list_export.h"
#include "lists.h"
#include "locks.h"
#include "outage.h"
#include "route.h"
#include "search.h"
#include "state.h"
#include "switches.h"
#include "uploads.h"

typedef struct Route
{
	const char *method;
	const char *pattern; /* a star stands for one part */
	void (*handler)(Request *req);
	unsigned flags;
} Route;

#define LOCKS 1u  /* takes the lock itself */
#define BULK  2u  /* takes many contacts: has a limit of its own */
#define LARGE 4u  /* takes larger bodies */
#define FORM  8u  /* takes a form with a file */
#define JOBS  16u /* of dialect "jobs" only */

static const Route platform_routes[] = {
	{"GET", "api/v2/outbound/contactlists", lists_get, 0},
	{"POST", "api/v2/outbound/contactlists", lists_post, 0},
	{"DELETE", "api/v2/outbound/contactlists", lists_delete, 0},
	{"GET", "api/v2/outbound/contactlists/divisionviews", list_views_get, 0},
	{"POST", "api/v2/outbound/contactlists/uploads", upload_sign, 0},
	{"GET", "api/v2/outbound/contactlists/*", list_get, 0},
	{"PUT", "api/v2/outbound/contactlists/*", list_put, 0},
	{"DELETE", "api/v2/outbound/contactlists/*", list_delete_one, 0},
	{"POST", "api/v2/outbound/contactlists/*/clear", list_clear_contacts, 0},
	{"POST", "api/v2/outbound/contactlists/*/contacts", contacts_post, LOCKS | BULK},
	{"DELETE", "api/v2/outbound/contactlists/*/contacts", contacts_delete, LOCKS},
	{"POST", "api/v2/outbound/contactlists/*/contacts/search", contacts_search, LOCKS},
	{"POST", "api/v2/outbound/contactlists/*/contacts/bulk", contacts_read, LOCKS | BULK},
	{"POST", "api/v2/outbound/contactlists/*/contacts/import", jobs_import,
	 LOCKS | BULK | LARGE | JOBS},
	{"GET", "api/v2/outbound/contactlists/*/contacts/import", jobs_queue, JOBS},
	{"GET", "api/v2/outbound/contactlists/*/contacts/import/*", jobs_queue_one, JOBS},
	{"GET", "api/v2/outbound/contactlists/*/contacts/*", contact_get, LOCKS},
	{"PUT", "api/v2/outbound/contactlists/*/contacts/*", contact_put, LOCKS},
	{"DELETE", "api/v2/outbound/contactlists/*/contacts/*", contact_delete, LOCKS},
	{"GET", "api/v2/outbound/contactlists/divisionviews/*", list_view_get, 0},
	{"POST", "api/v2/outbound/contactlists/*/export", list_export_post, 0},
	{"GET", "api/v2/outbound/contactlists/*/export", list_export_get, 0},
	{"GET", "api/v2/outbound/contactlists/*/importstatus", list_import_status, 0},
	{"POST", "api/v2/outbound/contactlists/*/contacts/bulk/update", bulk_update, BULK},
	{"POST", "api/v2/outbound/contactlists/*/contacts/bulk/remove", bulk_remove, BULK},
	{"GET", "api/v2/outbound/contactlists/*/contacts/bulk/jobs", bulk_jobs_get, 0},
	{"GET", "api/v2/outbound/contactlists/*/contacts/bulk/jobs/*", bulk_job_get, 0},
	{"POST", "api/v2/outbound/lists", job_lists_post, JOBS},
	{"GET", "api/v2/outbound/lists/*", job_list_get, JOBS},
	{"PUT", "api/v2/outbound/lists/*", job_list_put, JOBS},
	{"POST", "api/v2/outbound/lists/*/contacts/bulk", jobs_append,
	 LOCKS | BULK | LARGE | JOBS},
	{"POST", "api/v2/outbound/lists/*/contacts/upload", jobs_upload,
	 LOCKS | BULK | FORM | JOBS},
	{"GET", "api/v2/outbound/jobs/*", job_get, JOBS},
	{"GET", "api/v2/downloads/*", download_get, 0},
	{"GET", "api/v2/outbound/contactlistfilters", filters_get, 0},
	{"POST", "api/v2/outbound/contactlistfilters", filters_post, 0},
	{"POST", "api/v2/outbound/contactlistfilters/preview", filter_preview, 0},
	{"GET", "api/v2/outbound/contactlistfilters/*", filter_get, 0},
	{"PUT", "api/v2/outbound/contactlistfilters/*", filter_put, 0},
	{"DELETE", "api/v2/outbound/contactlistfilters/*", filter_delete, 0},
	{"GET", "api/v2/outbound/campaigns", campaigns_get, 0},
	{"POST", "api/v2/outbound/campaigns/progress", campaigns_progress, 0},
	{"GET", "api/v2/outbound/campaigns/divisionviews", campaign_views_get, 0},
	{"GET", "api/v2/outbound/campaigns/divisionviews/*", campaign_view_get, 0},
	{"GET", "api/v2/outbound/campaigns/*", campaign_get, 0},
	{"PUT", "api/v2/outbound/campaigns/*", campaign_put, 0},
	{"PATCH", "api/v2/outbound/campaigns/*", campaign_patch, 0},
	{"POST", "api/v2/outbound/campaigns/*", campaign_post, JOBS},
	{"POST", "api/v2/outbound/campaigns/*/start", campaign_start, 0},
	{"POST", "api/v2/outbound/campaigns/*/stop", campaign_stop, 0},
	{"DELETE", "api/v2/outbound/campaigns/*/progress", campaign_recycle, 0},
	{"GET", "api/v2/outbound/campaigns/*/progress", campaign_progress, 0},
	{"GET", "api/v2/outbound/campaigns/*/stats", campaign_stats, 0},
	{"GET", "api/v2/authorization/divisions", divisions_get, 0},
	{"GET", "api/v2/outbound/dnclists", dnc_lists_get, 0},
	{"POST", "api/v2/outbound/dnclists", dnc_lists_post, 0},
	{"GET", "api/v2/outbound/dnclists/*", dnc_list_get, 0},
	{"PUT", "api/v2/outbound/dnclists/*", dnc_list_put, 0},
	{"DELETE", "api/v2/outbound/dnclists/*", dnc_list_delete, 0},
	{"GET", "api/v2/outbound/dnclists/*/importstatus", dnc_import_status, 0},
	{"POST", "api/v2/outbound/dnclists/*/export", dnc_export_post, 0},
	{"GET", "api/v2/outbound/dnclists/*/export", dnc_export_get, 0},
	{"POST", "api/v2/outbound/dnclists/*/phonenumbers", dnc_add, 0},
	{"PATCH", "api/v2/outbound/dnclists/*/phonenumbers", dnc_patch, 0},
	{"DELETE", "api/v2/outbound/dnclists/*/phonenumbers", dnc_wipe, 0},
	{"POST", "api/v2/outbound/dnclists/*/emailaddresses", dnc_add, 0},
	{"PATCH", "api/v2/outbound/dnclists/*/emailaddresses", dnc_patch, 0},
	{"DELETE", "api/v2/outbound/dnclists/*/emailaddresses", dnc_wipe, 0},
	{"PATCH", "api/v2/outbound/dnclists/*/whatsappnumbers", dnc_patch, 0},
	{"DELETE", "api/v2/outbound/dnclists/*/whatsappnumbers", dnc_wipe, 0},
	{"PATCH", "api/v2/outbound/dnclists/*/customexclusioncolumns", dnc_patch, 0},
	{"DELETE", "api/v2/outbound/dnclists/*/customexclusioncolumns", dnc_wipe, 0},
	{"GET", "api/v2/routing/wrapupcodes", collection_get, 0},
	{"POST", "api/v2/routing/wrapupcodes", collection_post, 0},
	{"GET", "api/v2/routing/wrapupcodes/*", collection_get_one, 0},
	{"PUT", "api/v2/routing/wrapupcodes/*", collection_update, 0},
	{"DELETE", "api/v2/routing/wrapupcodes/*", collection_delete, 0},
	{"GET", "api/v2/workforcemanagement/managementunits", collection_get, 0},
	{"POST", "api/v2/workforcemanagement/managementunits", collection_post, 0},
	{"GET", "api/v2/workforcemanagement/managementunits/*", collection_get_one, 0},
	{"PATCH", "api/v2/workforcemanagement/managementunits/*", collection_update, 0},
	{"DELETE", "api/v2/workforcemanagement/managementunits/*", collection_delete, 0},
	{"GET", "api/v2/workforcemanagement/businessunits/*/staffinggroups", collection_get, 0},
	{"POST", "api/v2/workforcemanagement/businessunits/*/staffinggroups", collection_post, 0},
	{"GET", "api/v2/workforcemanagement/businessunits/*/staffinggroups/*", collection_get_one,
	 0},
	{"PATCH", "api/v2/workforcemanagement/businessunits/*/staffinggroups/*", collection_update,
	 0},
	{"DELETE", "api/v2/workforcemanagement/businessunits/*/staffinggroups/*",
	 collection_delete, 0},
	{"GET", "api/v2/wfm/users/groups", collection_get, JOBS},
	{"PUT", "api/v2/wfm/users/groups/*", collection_update, JOBS},
	{"GET", "api/v2/wfm/schedules", collection_get, JOBS},
	{"POST", "api/v2/wfm/schedules", collection_post, JOBS},
	{"PUT", "api/v2/wfm/schedules/*", collection_update, JOBS},
	{"GET", "api/v2/outbound/events", events_get, 0},
	{"GET", "api/v2/outbound/events/*", event_get, 0},
	{NULL, NULL, NULL, 0},
};

/* On a host of its own, apps.{region}. */
static const Route upload_routes[] = {
	{"POST", "uploads/v2/contactlist", upload_classic, LOCKS | FORM},
	{NULL, NULL, NULL, 0},
};

static const Route control_routes[] = {
	{"POST", "_sim/reset", control_reset, 0},
	{"POST", "_sim/set", control_set, 0},
	{"POST", "_sim/faults", control_set_faults, 0},
	{"GET", "_sim/faults", control_faults, 0},
	{"GET", "_sim/requests", control_requests, 0},
	{"DELETE", "_sim/requests", control_clear_requests, 0},
	{"GET", "_sim/state", control_state, 0},
	{"POST", "_sim/lists", lists_seed, 0},
	{"GET", "_sim/lists", control_lists, 0},
	{"GET", "_sim/contacts", control_contacts, 0},
	{"POST", "_sim/contacts", control_set_contact, 0},
	{"GET", "_sim/checksum", control_checksum, 0},
	{"POST", "_sim/locks", locks_seed, 0},
	{"POST", "_sim/outage", control_outage, 0},
	{"POST", "_sim/liststatus", job_list_seed_status, 0},
	{"POST", "_sim/campaigns", campaigns_seed, 0},
	{"POST", "_sim/divisions", divisions_seed, 0},
	{"POST", "_sim/dnclists", dnc_lists_seed, 0},
	{"POST", "_sim/entities", collections_seed, 0},
	{"POST", "_sim/events", events_seed, 0},
	{"POST", "_sim/bulkjobs", bulk_jobs_seed, 0},
	{"POST", "_sim/importstatus", import_status_seed, 0},
	{"GET", "_sim/imports", control_imports, 0},
	{"POST", "_sim/imports", control_set_imports, 0},
	{NULL, NULL, NULL, 0},
};

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

	if (admit(req, sw_is(SW_UPLOAD_LIMITED, "on")) && (route = find_route(upload_routes, req)))
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
	else if (admit(req, true) && (route = find_route(platform_routes, req)) && check_body(req))
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
