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

/* What is done next, as soon as the pause before it is over. */
typedef enum Step
{
	STEP_LOOK, /* what is there before we ask */
	STEP_ASK,
	STEP_AWAIT,
} Step;

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
	Step step;
	GcTime since; /* it has been asked for, or awaited, since */
	GcTime pause_until;
	int pause_ms; /* of the next pause */
	GcCall *call; /* under way; NULL: none is */
	int tries;	  /* to come for the file */
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
	export->pause_ms = POLL_FIRST_MS;
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
	bool missing = failure->status == 404 && strcmp(failure->path, export->path) == 0;

	if ((missing || failure->cause == GC_CAUSE_COLUMNS) && export->request.on_missing)
		export->request.on_missing(export->request.on_missing_arg);
	gc_failure_throw(failure, not_read(export), NULL);
}

/* ---- waiting ---- */

/* There will be a pause before another look; the next one will be longer. */
static void
begin_pause(GcExport *export, GcTime no_longer_than)
{
	double part = 0.5 + 0.5 * pg_prng_double(&pg_global_prng_state);

	export->pause_until =
		Min(gc_clock_now() + (int64) (export->pause_ms * part * 1000), no_longer_than);
	export->pause_ms = Min(export->pause_ms * 2, POLL_CAP_MS);
}

/* Is it over? */
static bool
pause_is_over(GcExport *export, bool wait)
{
	return gc_calls_sleep(export->calls, export->pause_until, GC_WAIT_BACKOFF, wait);
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

/* Has the call ended?  Starts it, if there is none. */
static bool
call_has_ended(GcExport *export, const char *method, const char *body, bool wait)
{
	GcCallSpec spec = {.call_class = GC_CALL_SAFE, /* to ask twice harms nobody */
					   .method = method,
					   .path = export->path,
					   .endpoint = export->request.of_dnc_list ? GC_DNC_EXPORT_ENDPOINT
															   : GC_EXPORT_ENDPOINT,
					   .body = body,
					   .body_len = body ? strlen(body) : 0,
					   .lock_ends = true};

	if (export->call == NULL)
		export->call = gc_call_start(export->calls, &spec);
	return gc_call_try(export->call, wait);
}

static void
free_call(GcExport *export)
{
	gc_call_free(export->call);
	export->call = NULL;
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

/* What export there is, by a look that has ended. */
static Found
read_look(GcExport *export)
{
	GcCall *call = export->call;
	Found found = {NULL, DT_NOBEGIN, DT_NOBEGIN};
	json_t *reply;
	const char *uri;
	const char *made_at;

	if (gc_call_failure(call))
	{
		if (!says_none(gc_call_failure(call)))
			throw_failure(export, gc_call_failure(call));
		free_call(export);
		return found;
	}
	reply = gc_control_json(call, not_read(export));
	uri = json_string_value(json_object_get(reply, "uri"));
	made_at = json_string_value(json_object_get(reply, "exportTimestamp"));
	if (uri == NULL || made_at == NULL || !gc_value_moment(made_at, &found.made_at))
		gc_call_throw_reply(call, "The answer is not an export with uri and exportTimestamp.",
							not_read(export), NULL);
	found.uri = MemoryContextStrdup(export->cxt, uri);
	found.seen_at = clock_of(gc_call_answer_time(call));
	free_call(export);
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

/* Looks at what is there, and asks for an export; false: later.  None is begun if the call failed. */
static bool
look_and_ask(GcExport *export, bool wait)
{
	const char *body = export->request.body ? export->request.body : "{}";

	if (export->step == STEP_LOOK)
	{
		if (!pause_is_over(export, wait) || !call_has_ended(export, "GET", NULL, wait))
			return false;
		export->before = read_look(export).made_at;
		export->step = STEP_ASK;
	}
	return call_has_ended(export, "POST", body, wait);
}

/* Asks for an export, once none is on its way; false: later. */
static bool
ask(GcExport *export, bool wait)
{
	GcTime until;

	if (export->since == 0)
		export->since = gc_clock_now();
	until = export->since + export->setup.retry->timeout_ms * INT64CONST(1000);
	while (look_and_ask(export, wait))
	{
		const GcFailure *failure = gc_call_failure(export->call);

		if (failure == NULL)
		{
			export->asked_at = gc_call_answer_time(export->call);
			free_call(export);
			return true;
		}
		if (!is_busy(failure))
			throw_failure(export, failure);
		if (gc_clock_now() >= until)
			throw_busy(export, failure);
		free_call(export);
		tell_waiting(export, export->since);
		begin_pause(export, until);
		export->step = STEP_LOOK;
	}
	return false;
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

static GcTime
ready_until(const GcExport *export)
{
	return export->since + export->request.ready_timeout * INT64CONST(1000);
}

static void
begin_await(GcExport *export)
{
	export->step = STEP_AWAIT;
	export->pause_ms = POLL_FIRST_MS;
	begin_pause(export, ready_until(export));
}

/* Is the export that was asked for there?  False: later. */
static bool
await_ready(GcExport *export, bool wait, Found *found)
{
	while (pause_is_over(export, wait) && call_has_ended(export, "GET", NULL, wait))
	{
		*found = read_look(export);
		if (found->uri && is_ours(export, found))
			return true;
		if (found->uri)
			export->stale = found->made_at;
		if (gc_clock_now() >= ready_until(export))
			throw_not_ready(export);
		tell_waiting(export, export->since);
		begin_pause(export, ready_until(export));
	}
	return false;
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
			/* The storage has no quota, but what is asked of it counts like all else. */
			if (gc_calls_allowance(export->calls) == 0)
				gc_calls_refuse(export->calls, 1, not_read(export));
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

/* Comes for an export that is there; it may be gone by now, and is to be looked for again. */
static void
fetch(GcExport *export, const Found *found)
{
	GcFailure *failure = begin_download(export, found->uri);

	export->tries++;
	if (failure && (failure->status == 404 || failure->status == 410))
	{
		failure->sqlstate = ERRCODE_CONNECTION_FAILURE;
		failure->hint = "Others export the list all the time, it seems.  Run it again.";
	}
	if (failure && (export->tries == FILE_TRIES || !is_gone(failure)))
		throw_failure(export, failure);
	export->request.stat->export_age_us = Max(found->seen_at - found->made_at, 1);
	if (failure)
		begin_await(export);
}

bool
gc_export_begin(GcExport *export, bool wait)
{
	MemoryContext caller_cxt = MemoryContextSwitchTo(export->cxt);
	Found found;

	if (export->step != STEP_AWAIT && ask(export, wait))
	{
		export->since = gc_clock_now();
		begin_await(export);
	}
	while (export->download == NULL && export->step == STEP_AWAIT &&
		   await_ready(export, wait, &found))
		fetch(export, &found);
	if (export->download)
		ereport(DEBUG1,
				(errmsg_internal("the export of %s is %.3f s old", export->request.what,
								 export->request.stat->export_age_us / 1e6)));
	MemoryContextSwitchTo(caller_cxt);
	return export->download != NULL;
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
