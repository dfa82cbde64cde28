/*
 * api/campaign_restart.c
 *	  A campaign is bound to a list and set on, after an import (SCENARIOS I1, I2).
 *
 * A campaign has a version: what is written is what was read, but for its list, and
 * where somebody else was quicker it is read again (I3).  One that dials another list is
 * stopped first, since the platform binds none that is active.
 */
#include "postgres.h"

#include "api/campaign_restart.h"
#include "api/dialect.h"
#include "api/url.h"
#include "base/clock.h"
#include "base/json_pick.h"
#include "base/value.h"

#define CAMPAIGN "/api/v2/outbound/campaigns/{campaignId}"

/* Versions that are tried. */
#define MAX_TRIES 3

/* How long one that was told to stop is waited for, and how often it is looked at. */
#define STOP_MAX_US	 (30 * USECS_PER_SEC)
#define STOP_POLL_US (500 * INT64CONST(1000))

typedef struct Restart
{
	GcCalls *calls;
	const GcDialect *dialect;
	const char *id;
	const char *list_id;
	char *path;
	const char *failed; /* what could not be done */
} Restart;

static GcCall *
run(const Restart *restart, const GcCallSpec *spec)
{
	GcCall *call = gc_call_start(restart->calls, spec);

	gc_call_wait(call);
	return call;
}

/* The campaign as it is; *body lives as long as the call. */
static GcCall *
read_campaign(const Restart *restart, GcSpan *body)
{
	GcJson json;
	size_t len;
	const char *bytes;
	GcCall *call = run(restart, &(GcCallSpec){.call_class = GC_CALL_SAFE,
											  .method = "GET",
											  .path = restart->path,
											  .endpoint = CAMPAIGN});

	if (gc_call_failure(call))
		gc_call_throw(call, restart->failed, NULL);
	bytes = gc_call_reply(call, &len);
	gc_json_init(&json, bytes, len);
	if (!gc_json_value(&json, body) || body->type != '{' || !gc_json_end(&json))
		gc_call_throw_reply(call, "The answer is not a JSON object.", restart->failed, NULL);
	return call;
}

/* A text of the campaign's, "" if it has none. */
static char *
text_at(const GcSpan *campaign, const char *const *path, int depth)
{
	GcSpan span = gc_pick_member(campaign, path, depth);
	int len;

	return span.p && span.type == '"' ? gc_value_span_text(&span, &len) : pstrdup("");
}

static char *
list_of(const GcSpan *campaign)
{
	static const char *const path[] = {"contactList", "id"};

	return text_at(campaign, path, lengthof(path));
}

static char *
status_of(const GcSpan *campaign)
{
	static const char *const path[] = {"campaignStatus"};

	return text_at(campaign, path, lengthof(path));
}

/* False: somebody else has changed the campaign since it was read. */
static bool
write_list(const Restart *restart, const GcSpan *campaign, bool last)
{
	StringInfoData body;
	GcCallSpec spec;
	GcCall *call;
	const GcFailure *failure;

	initStringInfo(&body);
	restart->dialect->campaign_bind(restart->path, campaign, restart->list_id, &body, &spec);
	call = run(restart, &spec);
	failure = gc_call_failure(call);
	if (failure && failure->cause == GC_CAUSE_VERSION && !last)
		return false;
	if (failure)
		gc_call_throw(call, restart->failed, NULL);
	gc_call_free(call);
	return true;
}

static _Noreturn void
throw_rebound(const Restart *restart, const char *list_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE), errmsg("%s", restart->failed),
			 errdetail("Somebody else has bound it to the contact list \"%s\" meanwhile.",
					   gc_value_display(list_id, strlen(list_id)))));
}

/* While it dials, it cannot be bound to another list. */
static void
stop(const Restart *restart)
{
	GcCallSpec spec;
	GcCall *call;

	restart->dialect->campaign_stop(restart->path, &spec);
	call = run(restart, &spec);
	if (gc_call_failure(call))
		gc_call_throw(call, restart->failed, NULL);
	gc_call_free(call);
}

/* It stops by and by; "since": when it was told to. */
static void
await_stop(const Restart *restart, GcTime since)
{
	if (gc_clock_now() - since > STOP_MAX_US)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE), errmsg("%s", restart->failed),
						errdetail("It dials another contact list, and has not stopped yet.")));
	(void) gc_calls_sleep(restart->calls, gc_clock_now() + STOP_POLL_US, GC_WAIT_BACKOFF,
						  true);
}

/*
 * The campaign as it is once it may be bound: with that list, or standing still.  *since: when
 * it was told to stop; 0: it was not.
 */
static GcCall *
read_standing(const Restart *restart, GcSpan *campaign, GcTime *since)
{
	for (;;)
	{
		GcCall *call = read_campaign(restart, campaign);
		char *status = status_of(campaign);

		if (strcmp(list_of(campaign), restart->list_id) == 0 ||
			(strcmp(status, "on") != 0 && strcmp(status, "stopping") != 0))
			return call;
		gc_call_free(call);
		if (*since == 0 && strcmp(status, "on") == 0)
			stop(restart);
		if (*since == 0)
			*since = gc_clock_now();
		else
			await_stop(restart, *since);
	}
}

/* Returns whether it dials that list already. */
static bool
bind_to_list(const Restart *restart)
{
	char *found = NULL;
	GcTime since = 0;

	for (int tries = 1;; tries++)
	{
		GcSpan campaign;
		GcCall *call = read_standing(restart, &campaign, &since);
		char *list_id = list_of(&campaign);

		if (strcmp(list_id, restart->list_id) == 0)
		{
			bool is_on = strcmp(status_of(&campaign), "on") == 0;

			gc_call_free(call);
			return is_on;
		}
		if (found && strcmp(found, list_id) != 0)
			throw_rebound(restart, list_id);
		found = list_id;
		if (write_list(restart, &campaign, tries == MAX_TRIES))
			return false;
		gc_call_free(call);
	}
}

void
gc_campaign_restart(GcCalls *calls, const char *campaign_id, const char *list_id)
{
	Restart restart = {
		.calls = calls,
		.dialect = gc_dialect(gc_calls_connection(calls)->server_options),
		.id = campaign_id,
		.list_id = list_id,
		.path = psprintf("/api/v2/outbound/campaigns/%s", gc_url_escape(campaign_id)),
		.failed = psprintf("could not restart the campaign \"%s\"",
						   gc_value_display(campaign_id, strlen(campaign_id))),
	};
	GcCallSpec spec;
	GcCall *call;

	if (bind_to_list(&restart))
		return;
	restart.dialect->campaign_start(restart.path, &spec);
	call = run(&restart, &spec);
	if (gc_call_failure(call))
		gc_call_throw(call, restart.failed, NULL);
	gc_call_free(call);
}
