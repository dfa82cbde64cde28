/*
 * api/clear.c
 *	  All contacts of a list removed: asked for, and waited for.
 */
#include "postgres.h"

#include "api/clear.h"
#include "api/page.h"
#include "api/resource.h"
#include "api/url.h"

/* How long to wait before another look: at first, and at most. */
#define POLL_FIRST_MS 100
#define POLL_CAP_MS	  5000

/* Who waits for longer than this is told. */
#define TELL_WAITING_US (10 * USECS_PER_SEC)

GcCall *
gc_clear_start(GcCalls *calls, const GcList *list, int64 *clears)
{
	GcCallSpec spec = {
		.call_class = GC_CALL_IDEMPOTENT,
		.method = "POST",
		.path = psprintf("/api/v2/outbound/contactlists/%s/clear", gc_url_escape(list->id)),
		.endpoint = GC_CLEAR_ENDPOINT,
		.body = "",
		.may_be_empty = true,
		.in_doubt = clears,
		.rows = 1};

	return gc_call_start(calls, &spec);
}

static const char *
not_seen(const char *what)
{
	return psprintf("could not see whether %s is empty", what);
}

/* How many contacts the platform shows. */
static int64
count_contacts(GcCalls *calls, const GcList *list, const char *what)
{
	GcPageRequest request = {.list_id = list->id, .number = 1, .size = 1};
	StringInfoData path;
	StringInfoData body;
	GcCallSpec spec;
	GcCall *call;
	GcPage page;
	const char *problem;
	const char *bytes;
	size_t len;

	initStringInfo(&path);
	initStringInfo(&body);
	gc_contacts.page(&request, &path, &body, &spec);
	call = gc_call_start(calls, &spec);
	gc_call_wait(call);
	if (gc_call_failure(call))
		gc_call_throw(call, not_seen(what), NULL);
	bytes = gc_call_reply(call, &len);
	problem = gc_page_read(&page, bytes, len);
	if (problem == NULL && page.total < 0)
		problem = "The answer does not say how many there are in all.";
	if (problem)
		gc_call_throw_reply(call, problem, not_seen(what), NULL);
	gc_call_free(call);
	return page.total;
}

static void
throw_not_empty(const char *what, int64 left, int timeout_ms)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_CONNECTION_FAILURE), errmsg("%s is not empty yet", what),
		 errdetail(
			 "Contacts that it still had after %g s (limit: ready_timeout): " INT64_FORMAT ".",
			 timeout_ms / 1000.0, left),
		 errhint("The platform goes on removing them.  Raise the option "
				 "\"ready_timeout\" to wait for longer.")));
}

void
gc_clear_await(GcCalls *calls, const GcList *list, const char *what, GcTime lag_until,
			   int timeout_ms)
{
	GcTime since = gc_clock_now();
	GcTime until = since + timeout_ms * INT64CONST(1000);
	int64 wait_us = POLL_FIRST_MS * INT64CONST(1000);
	bool told = false;
	int64 left;

	while ((left = count_contacts(calls, list, what)) > 0 || gc_clock_now() < lag_until)
	{
		GcTime from = gc_clock_now();
		GcTime next = Min(from + wait_us, until);

		if (from >= until)
			throw_not_empty(what, left, timeout_ms);
		if (!told && from - since >= TELL_WAITING_US)
			ereport(NOTICE, (errmsg("still waiting until %s is empty", what)));
		told = told || from - since >= TELL_WAITING_US;
		(void) gc_calls_sleep(calls, next, GC_WAIT_BACKOFF, true);
		wait_us = Min(wait_us * 2, POLL_CAP_MS * INT64CONST(1000));
	}
}
