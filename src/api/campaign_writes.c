/*
 * api/campaign_writes.c
 *	  Campaigns are changed: set on and off, bound to lists, recycled (SCENARIOS I).
 *
 * All that a campaign is goes by PUT, with its version.  Its status has calls of its own, which
 * organisations of old do not have, nor every OAuth client: there it goes by PUT, too.
 */
#include "postgres.h"

#include "api/campaign_writes.h"
#include "api/dialect.h"
#include "api/entity_parts.h"
#include "base/clock.h"
#include "base/json_pick.h"
#include "base/value.h"
#include "base/wait.h"

/* So often is it looked whether a campaign has stopped, in microseconds. */
#define STOP_POLL_US 500000

/* ---- DNC lists ---- */

const char *
gc_campaign_ids(const GcSpan *references)
{
	static const char *const id_path = "id";
	GcPick *pick = gc_pick_create();
	StringInfoData ids;
	GcJson json;
	GcSpan id;

	if (references->p == NULL || references->type != '[')
		return NULL;
	gc_pick_add(pick, &id_path, 1, 0);
	initStringInfo(&ids);
	appendStringInfoChar(&ids, '[');
	gc_json_init(&json, references->p, references->len);
	(void) gc_json_enter(&json, '[');
	while (gc_json_element(&json) && gc_pick_object(pick, &json, &id, 1))
	{
		if (id.type != '"')
			continue;
		gc_json_append_comma(&ids);
		gc_json_append(&ids, &id);
	}
	appendStringInfoChar(&ids, ']');
	return ids.data;
}

char *
gc_campaign_references(const char *ids)
{
	StringInfoData references;
	GcJson json;
	GcSpan id;

	initStringInfo(&references);
	appendStringInfoChar(&references, '[');
	gc_json_init(&json, ids, strlen(ids));
	(void) gc_json_enter(&json, '[');
	while (gc_json_element(&json) && gc_json_value(&json, &id))
	{
		gc_json_append_comma(&references);
		appendStringInfoString(&references, "{\"id\":");
		gc_json_append(&references, &id);
		appendStringInfoChar(&references, '}');
	}
	appendStringInfoChar(&references, ']');
	return references.data;
}

/* References are shown with the names of what they refer to; no lists are as good as none. */
static bool
campaign_same(const GcEntityChange *change, const GcSpan *has, const GcSpan *wants)
{
	const char *ids[2];

	if (strcmp(change->member.path, "dncLists") != 0)
		return gc_json_same(has, wants);
	ids[0] = gc_campaign_ids(has);
	ids[1] = gc_campaign_ids(wants);
	return strcmp(ids[0] ? ids[0] : "[]", ids[1] ? ids[1] : "[]") == 0;
}

/* ---- which change goes by which call ---- */

static bool
changes_member(const GcEntityChange *change, const char *path)
{
	return strcmp(change->member.path, path) == 0;
}

static bool
is_word(const GcEntityChange *change, const char *word)
{
	return change->member.json && strcmp(change->member.json, word) == 0;
}

static const GcDialect *
dialect_of(const GcEntityWriter *writer)
{
	return gc_dialect(writer->conn->server_options);
}

static GcEntityTurn
campaign_turn(const GcEntityWriter *writer, const GcEntityChange *change)
{
	if (changes_member(change, GC_CAMPAIGN_LIST) &&
		(change->member.json == NULL || is_word(change, "null")))
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("\"%s\" of a campaign cannot be NULL", change->name),
				 errhint("Bind it to another list; campaign_status = 'off' stops it.")));
	if (changes_member(change, GC_CAMPAIGN_LIST) && dialect_of(writer)->campaign_bind)
		return GC_TURN_BEFORE;
	if (!changes_member(change, GC_CAMPAIGN_STATUS))
		return GC_TURN_PUT;
	/* A list is changed while it stands. */
	if (is_word(change, "\"off\""))
		return GC_TURN_FIRST;
	if (is_word(change, "\"on\"") || is_word(change, "\"recycle\""))
		return GC_TURN_AFTER;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("\"%s\" of a campaign cannot be set to that", change->name),
					errhint("It takes \"on\", \"off\" and \"recycle\".")));
}

/* ---- status ---- */

static char *
status_of(const char *campaign)
{
	GcSpan object = gc_entity_span(campaign);
	char *status = gc_entity_text(&object, GC_CAMPAIGN_STATUS);

	return status ? status : pstrdup("");
}

static bool
is_stopping(const char *campaign)
{
	const char *status = status_of(campaign);

	return strcmp(status, "stopping") == 0 || strcmp(status, "forced_stopping") == 0;
}

/* It stops by and by: calls that are under way end.  Returns it as it is then. */
static char *
await_stop(const GcEntityWriter *writer, const char *id, const char *failed)
{
	GcTime until = gc_clock_now() + writer->ready_timeout_ms * INT64CONST(1000);

	for (;;)
	{
		char *campaign = gc_entity_read(writer, id, failed);
		GcTime now = gc_clock_now();

		if (campaign == NULL || !is_stopping(campaign))
			return campaign;
		if (now >= until)
			ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE), errmsg("%s", failed),
							errdetail("It is still stopping after ready_timeout."),
							errhint("Run it again later, or raise \"ready_timeout\".")));
		(void) gc_calls_sleep(writer->calls, Min(now + STOP_POLL_US, until), GC_WAIT_BACKOFF,
							  true);
	}
}

/* Sets it on or off, by the call for that or, where that is withheld, by its version. */
static void
tell(const GcEntityWriter *writer, const char *id, const char *now, bool on,
	 const char *failed)
{
	const GcDialect *dialect = dialect_of(writer);
	GcSpan object = gc_entity_span(now);
	GcEntityChange change = {
		.member = {.path = GC_CAMPAIGN_STATUS, .json = on ? "\"on\"" : "\"off\""},
		.name = "campaign_status"};
	GcCallSpec spec;

	(on ? dialect->campaign_start
		: dialect->campaign_stop)(gc_entity_path(writer->kind, id, ""), &spec);
	if (!gc_entity_try(writer, id, &spec, failed))
		(void) gc_entity_put(writer, id, &object, NULL, &change, 1, failed);
}

void
gc_campaign_start(const GcEntityWriter *writer, const char *id, char *now, const char *failed)
{
	if (is_stopping(now))
		now = await_stop(writer, id, failed);
	if (now)
		tell(writer, id, now, true, failed);
}

static char *
stop(const GcEntityWriter *writer, const char *id, const char *now, const char *failed)
{
	if (!is_stopping(now))
		tell(writer, id, now, false, failed);
	return await_stop(writer, id, failed);
}

/* Throws if somebody else has set its status since; that a stop has come to its end is none. */
static void
check_status(const GcEntityWriter *writer, const GcSpan *seen, const char *now,
			 const GcEntityChange *change)
{
	GcSpan object = gc_entity_span(now);
	const char *was = gc_entity_text(seen, GC_CAMPAIGN_STATUS);

	if (was && strcmp(was, "stopping") == 0 && strcmp(status_of(now), "off") == 0)
		return;
	gc_entity_check_change(writer->kind, seen, &object, change);
}

static char *
set_status(const GcEntityWriter *writer, const char *id, const GcSpan *seen, char *now,
		   const GcEntityChange *change, const char *failed)
{
	bool on = is_word(change, "\"on\"");

	if (strcmp(status_of(now), on ? "on" : "off") == 0)
		return now;
	/* Who stops it does what is wanted. */
	if (on || !is_stopping(now))
		check_status(writer, seen, now, change);
	if (!on)
		return stop(writer, id, now, failed);
	gc_campaign_start(writer, id, now, failed);
	return writer->shown ? gc_entity_read(writer, id, failed) : now;
}

static bool
is_recycle(const GcEntityChange *change)
{
	return changes_member(change, GC_CAMPAIGN_STATUS) && is_word(change, "\"recycle\"");
}

/*
 * All its contacts are to be dialled again: from now on, so that nobody may do it twice.
 * Returns it as it is then, if somebody looks, else as it was "seen".
 */
static char *
recycle(const GcEntityWriter *writer, const char *id, const GcSpan *seen, const char *failed)
{
	const GcCallSpec spec = {.call_class = GC_CALL_UNSAFE,
							 .method = "DELETE",
							 .path = gc_entity_path(writer->kind, id, "/progress"),
							 .endpoint = GC_CAMPAIGN "/progress",
							 .may_be_empty = true,
							 .in_doubt = writer->in_doubt,
							 .rows = 1};

	GcCall *call = gc_call_start(writer->calls, &spec);
	const GcFailure *failure;
	bool gone;

	gc_call_wait(call);
	failure = gc_call_failure(call);
	gone = failure && failure->cause == GC_CAUSE_NOT_FOUND;
	if (failure && !gone)
		gc_entity_fail(writer, id, call, failed);
	if (!gone)
	{
		(*writer->in_doubt)--;
		gc_entity_took_effect(writer, call);
	}
	gc_call_free(call);
	if (gone)
		return NULL;
	return writer->shown ? gc_entity_read(writer, id, failed) : pnstrdup(seen->p, seen->len);
}

/* ---- the list, where it has a call of its own ---- */

static char *
bind_to_list(const GcEntityWriter *writer, const char *id, const GcSpan *seen, char *now,
			 const GcEntityChange *change, const char *failed)
{
	GcSpan object = gc_entity_span(now);
	const char *list_id = change->member.json ? change->member.json : "null";
	GcCallSpec spec;

	if (gc_entity_has(writer->kind, &object, change))
		return now;
	gc_entity_check_change(writer->kind, seen, &object, change);
	dialect_of(writer)->campaign_bind(gc_entity_path(writer->kind, id, ""), list_id, &spec);
	return gc_entity_call(writer, id, &spec, failed);
}

static char *
campaign_act(const GcEntityWriter *writer, const char *id, const GcSpan *seen, char *now,
			 const GcEntityChange *change, const char *failed)
{
	if (changes_member(change, GC_CAMPAIGN_LIST))
		return bind_to_list(writer, id, seen, now, change, failed);
	if (is_recycle(change))
		return recycle(writer, id, seen, failed);
	return set_status(writer, id, seen, now, change, failed);
}

/* The name of a list where its id belongs is soon written. */
static void
explain_campaign(const GcEntityWriter *writer, const char *id, const GcFailure *failure,
				 const char *failed)
{
	GcFailure told = *failure;

	if (failure->cause != GC_CAUSE_REFERENCE)
		return;
	told.hint = "\"contact_list_id\" and \"dnc_list_ids\" take ids, not names, and the "
				"contact list needs the campaign's phone columns.";
	gc_failure_throw(&told, failed, NULL);
}

const GcEntityKind gc_campaign_kind = {
	.label = "campaign",
	.path = GC_CAMPAIGNS_PATH,
	.endpoint = GC_CAMPAIGN,
	.items = "entities",
	.version_field = "version",
	.natural_key = "name",
	.filters_by_name = true,
	.same = campaign_same,
	.explain = explain_campaign,
	.turn = campaign_turn,
	.act = campaign_act,
	.acts_unread = is_recycle,
};
