/*
 * api/export.c
 *	  An export of a contact list or DNC list: asked for, waited for, downloaded.
 */
#include "postgres.h"

#include "api/control.h"
#include "api/export.h"
#include "api/url.h"
#include "base/clock.h"
#include "base/url_check.h"
#include "base/value.h"
#include "net/download.h"
#include "net/loop.h"

#include "common/pg_prng.h"
#include "utils/memutils.h"

/* Between two looks: from so long, doubling, up to so long; a random half of it less. */
#define POLL_FIRST_MS 100
#define POLL_CAP_MS	  5000

/* Who waits for longer than this is told. */
#define TELL_WAITING_US (10 * USECS_PER_SEC)

/* How far the platform's own clocks may differ from each other. */
#define CLOCK_SLACK_US (5 * USECS_PER_SEC)

/* A file that was replaced before we came for it is looked for again so often. */
#define FILE_TRIES 3

/* More redirects than that go round in a circle. */
#define HOPS_MAX 5

/* What the platform says of the export that is there. */
typedef struct Found
{
	char *uri; /* NULL: there is none */
	TimestampTz made_at;
	TimestampTz seen_at; /* by the platform's clock, or else by ours */
} Found;

struct GcExport
{
	GcExportRequest request;
	MemoryContext cxt;
	GcCalls *calls;
	char *path;
	GcDownloadSetup setup;
	TimestampTz before;	  /* the export that was there before; DT_NOBEGIN: none was */
	TimestampTz asked_at; /* by the platform's clock; DT_NOBEGIN: it did not say */
	TimestampTz stale;	  /* what was found and not used, for messages */
	bool told_waiting;
	GcDownload *download;
};

GcExport *
gc_export_open(const GcExportRequest *request)
{
	GcExport *export = palloc0(sizeof(GcExport));
	GcConnection *conn = request->conn;

	export->request = *request;
	export->cxt = CurrentMemoryContext;
	export->calls = gc_calls_open(conn, request->stat);
	export->path = psprintf("/api/v2/outbound/%s/%s/export",
							request->of_dnc_list ? "dnclists" : "contactlists",
							gc_url_escape(request->list_id));
	export->setup = (GcDownloadSetup){.transport = &conn->transport,
									  .retry = &conn->retry,
									  .owner = &conn->owner,
									  .stat = request->stat};
	export->before = export->asked_at = export->stale = DT_NOBEGIN;
	return export;
}

/* ---- errors ---- */

static const char *
not_read(const GcExport *export)
{
	return psprintf("could not read %s", export->request.what);
}

void
gc_export_throw(const GcExport *export, const char *problem, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_FDW_ERROR), errmsg_internal("%s", not_read(export)),
					errdetail_internal("%s", problem), hint ? errhint("%s", hint) : 0));
	pg_unreachable();
}

static void
throw_failure(GcExport *export, const GcFailure *failure)
{
	if (failure->status == 404 && strcmp(failure->path, export->path) == 0 &&
		export->request.on_missing)
		export->request.on_missing(export->request.on_missing_arg);
	gc_failure_throw(failure, not_read(export), NULL);
}

/* ---- waiting ---- */

/* Waits before another look; the next wait will be longer. */
static void
export_sleep(GcExport *export, int *wait_ms, GcTime no_longer_than)
{
	GcStat *stat = export->request.stat;
	double part = 0.5 + 0.5 * pg_prng_double(&pg_global_prng_state);
	GcTime from = gc_clock_now();
	GcTime until = Min(from + (int64) (*wait_ms * part * 1000), no_longer_than);

	while (gc_clock_now() < until)
		gc_loop_wait(until, GC_WAIT_BACKOFF);
	stat->wait_us += gc_clock_now() - from;
	*wait_ms = Min(*wait_ms * 2, POLL_CAP_MS);
}

static void
tell_waiting(GcExport *export, GcTime since)
{
	if (export->told_waiting || gc_clock_now() - since < TELL_WAITING_US)
		return;
	export->told_waiting = true;
	ereport(NOTICE, (errmsg("still waiting for an export of %s", export->request.what)));
}

/* ---- what is there ---- */

static GcCall *
run_call(GcExport *export, const char *method, const char *body)
{
	GcCallSpec spec = {.call_class = GC_CALL_SAFE, /* to ask twice harms nobody */
					   .method = method,
					   .path = export->path,
					   .endpoint = export->request.of_dnc_list ? GC_DNC_EXPORT_ENDPOINT
															   : GC_EXPORT_ENDPOINT,
					   .body = body,
					   .body_len = body ? strlen(body) : 0,
					   .lock_ends = true};
	GcCall *call = gc_call_start(export->calls, &spec);

	gc_call_wait(call);
	return call;
}

/* The platform's clock when it answered, by the header; DT_NOBEGIN: it does not say. */
static TimestampTz
answer_time(GcCall *call)
{
	const char *date = gc_call_header(call, "Date");
	TimestampTz at;

	return date && gc_value_moment(date, &at) ? at : DT_NOBEGIN;
}

/*
 * The platform's clock, to less than the second that its header tells: ours, if
 * they agree.
 */
static TimestampTz
clock_of(TimestampTz answered_at)
{
	TimestampTz now = GetCurrentTimestamp();

	if (TIMESTAMP_IS_NOBEGIN(answered_at) ||
		(now >= answered_at && now < answered_at + 2 * USECS_PER_SEC))
		return now;
	return answered_at;
}

/* Does that failure of a look only say that no export is there yet? */
static bool
says_none(const GcFailure *failure)
{
	if (failure->status == 400)
		return true;
	return failure->status == 404 && failure->code &&
		   strstr(failure->code, "no.available.list.export.uri");
}

/* Looks at what export there is. */
static Found
look(GcExport *export)
{
	GcCall *call = run_call(export, "GET", NULL);
	Found found = {NULL, DT_NOBEGIN, DT_NOBEGIN};
	json_t *reply;
	const char *uri;
	const char *made_at;

	if (gc_call_failure(call))
	{
		if (!says_none(gc_call_failure(call)))
			throw_failure(export, gc_call_failure(call));
		gc_call_free(call);
		return found;
	}
	reply = gc_control_json(call, not_read(export));
	uri = json_string_value(json_object_get(reply, "uri"));
	made_at = json_string_value(json_object_get(reply, "exportTimestamp"));
	if (uri == NULL || made_at == NULL || !gc_value_moment(made_at, &found.made_at))
		gc_call_throw_reply(call, "The answer is not an export with uri and exportTimestamp.",
							not_read(export), NULL);
	found.uri = MemoryContextStrdup(export->cxt, uri);
	found.seen_at = clock_of(answer_time(call));
	gc_call_free(call);
	return found;
}

/*
 * Was it made for us?  By the platform's clocks alone: it is later than the one
 * that was there before we asked, and not earlier than our asking.
 */
static bool
is_ours(const GcExport *export, const Found *found)
{
	return found->made_at > export->before &&
		   (TIMESTAMP_IS_NOBEGIN(export->asked_at) ||
			found->made_at >= export->asked_at - CLOCK_SLACK_US);
}

/* ---- asking ---- */

/* Another export of the list is on its way, which may have been begun before we asked. */
static bool
is_busy(const GcFailure *failure)
{
	if (failure->status == 400)
		return (failure->code && strstr(failure->code, "in.progress")) ||
			   (failure->message && strstr(failure->message, "in progress"));
	return failure->status == 409;
}

static void
throw_busy(GcExport *export, const GcFailure *failure)
{
	GcFailure busy = *failure;

	busy.sqlstate = gc_policy(GC_CAUSE_LOCKED)->sqlstate;
	busy.hint = gc_policy(GC_CAUSE_LOCKED)->hint;
	busy.gave_up = psprintf("Another export of it was still on its way after %g s (limit: "
							"retry_timeout).",
							export->setup.retry->timeout_ms / 1000.0);
	throw_failure(export, &busy);
}

/* Asks for an export, once none is on its way; notes what was there before. */
static void
ask(GcExport *export)
{
	GcTime since = gc_clock_now();
	GcTime until = since + export->setup.retry->timeout_ms * INT64CONST(1000);
	const char *body = export->request.body ? export->request.body : "{}";
	int wait_ms = POLL_FIRST_MS;
	GcCall *call;

	for (;;)
	{
		const GcFailure *failure;

		export->before = look(export).made_at;
		call = run_call(export, "POST", body);
		failure = gc_call_failure(call);
		if (failure == NULL)
			break;
		if (!is_busy(failure))
			throw_failure(export, failure);
		if (gc_clock_now() >= until)
			throw_busy(export, failure);
		gc_call_free(call);
		tell_waiting(export, since);
		export_sleep(export, &wait_ms, until);
	}
	export->asked_at = answer_time(call);
	gc_call_free(call);
}

static void
throw_not_ready(GcExport *export)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONNECTION_FAILURE), errmsg_internal("%s", not_read(export)),
			 TIMESTAMP_IS_NOBEGIN(export->stale)
				 ? errdetail("Its export was not ready after %g s (limit: ready_timeout).",
							 export->request.ready_timeout / 1000.0)
				 : errdetail("Its export was not ready after %g s (limit: ready_timeout).  "
							 "There is one from before it was asked for, which is not used.",
							 export->request.ready_timeout / 1000.0),
			 export->request.of_dnc_list
				 ? errhint("Raise the option \"ready_timeout\".")
				 : errhint("Raise the option \"ready_timeout\", or set \"scan_method\" to "
						   "\"search\".")));
}

/* Waits for the export that was asked for. */
static Found
await_ready(GcExport *export, GcTime since)
{
	GcTime until = since + export->request.ready_timeout * INT64CONST(1000);
	int wait_ms = POLL_FIRST_MS;

	for (;;)
	{
		Found found;

		export_sleep(export, &wait_ms, until);
		found = look(export);
		if (found.uri && is_ours(export, &found))
			return found;
		if (found.uri)
			export->stale = found.made_at;
		if (gc_clock_now() >= until)
			throw_not_ready(export);
		tell_waiting(export, since);
	}
}

/* ---- the file ---- */

/*
 * The path of a URL that is asked of the API, with a token; NULL if it leads
 * elsewhere.  The platform names its API by its own name, which need not be the
 * one by which we reach it: "named" says that it is the platform that sends us.
 */
static const char *
api_path(GcExport *export, const char *url, bool named)
{
	const char *api_url = export->request.conn->api_url;
	size_t len = strlen(api_url);
	const char *path;

	if (strncmp(url, api_url, len) == 0 && strncmp(url + len, "/api/", 5) == 0)
		return url + len;
	path = strstr(url, "://");
	path = path ? strchr(path + 3, '/') : NULL;
	return named && path && strncmp(path, "/api/v2/", 8) == 0 ? path : NULL;
}

/* Where a file or a redirect leads to. */
static char *
follow(GcExport *export, const char *from, const char *location)
{
	char *url;
	const char *problem = gc_url_follow(from, location, &url);

	if (problem)
		gc_export_throw(export,
						psprintf("Its export is where nobody goes for it: %s", problem), NULL);
	return url;
}

/* Asks the API for the file: NULL if it is there, or failed, else where to go on. */
static char *
fetch_from_api(GcExport *export, const char *path, GcFailure **failure)
{
	GcCallSpec spec = {.call_class = GC_CALL_SAFE,
					   .method = "GET",
					   .path = path,
					   .endpoint = "/api/v2/downloads/{downloadId}",
					   .download = true};
	GcCall *call = gc_call_start(export->calls, &spec);
	const char *location;
	GcHttpExchange *file;
	MemoryContext caller_cxt;
	char *url = NULL;

	gc_call_wait(call);
	if (gc_call_failure(call))
	{
		*failure = palloc(sizeof(GcFailure));
		**failure = *gc_call_failure(call);
		return NULL;
	}
	file = gc_call_file(call, &location);
	if (location)
	{
		url = follow(export, psprintf("%s%s", export->request.conn->api_url, path), location);
		gc_call_free(call);
		return url;
	}
	caller_cxt = MemoryContextSwitchTo(gc_call_context(call));
	export->download = gc_download_adopt(&export->setup, file, path, failure);
	MemoryContextSwitchTo(caller_cxt);
	return NULL;
}

/* Begins the download; else why not. */
static GcFailure *
begin_download(GcExport *export, const char *uri)
{
	char *url = follow(export, psprintf("%s/", export->request.conn->api_url), uri);
	GcFailure *failure = NULL;

	for (int hop = 0; hop < HOPS_MAX; hop++)
	{
		const char *path = api_path(export, url, hop == 0);

		if (path == NULL)
		{
			export->download = gc_download_open(&export->setup, url, &failure);
			return failure;
		}
		url = fetch_from_api(export, path, &failure);
		if (url == NULL)
			return failure;
	}
	gc_export_throw(export, "Its download is redirected without end.", NULL);
}

/* Another export of the list has taken the place of the one we came for, or its time is up. */
static bool
is_gone(const GcFailure *failure)
{
	return failure->status == 403 || failure->status == 404 || failure->status == 410;
}

void
gc_export_begin(GcExport *export)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(export->cxt);
	GcTime since;

	ask(export);
	since = gc_clock_now();
	for (int tries = 1; export->download == NULL; tries++)
	{
		Found found = await_ready(export, since);
		GcFailure *failure = begin_download(export, found.uri);

		if (failure && (failure->status == 404 || failure->status == 410))
		{
			failure->sqlstate = ERRCODE_CONNECTION_FAILURE;
			failure->hint = "Others export the list all the time, it seems.  Run it again.";
		}
		if (failure && (tries == FILE_TRIES || !is_gone(failure)))
			throw_failure(export, failure);
		export->request.stat->export_age_us = Max(found.seen_at - found.made_at, 1);
	}
	ereport(DEBUG1, (errmsg_internal("the export of %s is %.3f s old", export->request.what,
									 export->request.stat->export_age_us / 1e6)));
	MemoryContextSwitchTo(caller_cxt);
}

int
gc_export_read(GcExport *export, char *buf, int min, int max)
{
	GcFailure *failure = NULL;
	int len = gc_download_read(export->download, buf, min, max, &failure);

	if (len < 0)
		throw_failure(export, failure);
	return len;
}
