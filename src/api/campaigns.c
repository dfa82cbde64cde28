/*
 * api/campaigns.c
 *	  Campaigns, and how far each has come, which takes a call of its own.
 */
#include "postgres.h"

#include "api/resource.h"
#include "base/clock.h"
#include "base/json_pick.h"
#include "base/wait.h"

#define CAMPAIGNS_PATH "/api/v2/outbound/campaigns"

/* Their progress is asked for by ids, as many as a page has. */
#define PROGRESS_IDS 100

/* The member that carries a campaign's progress in its row. */
#define PROGRESS_MEMBER "progress"

/* The ids of [{"id": …}, …] as an array of strings. */
static const char *
derive_ids(const GcSpan *references)
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

/* The same the other way round. */
static char *
encode_ids(const char *json)
{
	StringInfoData references;
	GcJson ids;
	GcSpan id;

	initStringInfo(&references);
	appendStringInfoChar(&references, '[');
	gc_json_init(&ids, json, strlen(json));
	(void) gc_json_enter(&ids, '[');
	while (gc_json_element(&ids) && gc_json_value(&ids, &id))
	{
		gc_json_append_comma(&references);
		appendStringInfoString(&references, "{\"id\":");
		gc_json_append(&references, &id);
		appendStringInfoChar(&references, '}');
	}
	appendStringInfoChar(&references, ']');
	return references.data;
}

static const GcAttribute campaign_attributes[] = {
	{"id", "text", "id"},
	{"name", "text", "name", .written = GC_WRITTEN_CHANGED},
	{"version", "integer", "version"},
	{"campaign_status", "text", "campaignStatus", .written = GC_WRITTEN_CHANGED},
	{"dialing_mode", "text", "dialingMode", .written = GC_WRITTEN_CHANGED},
	{"contact_list_id", "text", "contactList/id", .written = GC_WRITTEN_CHANGED},
	{"dnc_list_ids", "text[]", "dncLists", .derive = derive_ids, .written = GC_WRITTEN_CHANGED,
	 .encode = encode_ids},
	{"always_running", "boolean", "alwaysRunning", .written = GC_WRITTEN_CHANGED},
	{"progress_percent", "integer", PROGRESS_MEMBER "/percentage", .expanded = true},
	{"contacts_called", "bigint", PROGRESS_MEMBER "/numberOfContactsCalled", .expanded = true},
	{"contacts_total", "bigint", PROGRESS_MEMBER "/totalNumberOfContacts", .expanded = true},
	{"date_modified", "timestamptz", "dateModified"},
};

static const GcListingFilter campaign_filters[] = {
	{"id", "id", GC_LISTING_MAX_IDS},
	{"name", "name", 1, .by_name = true},
	{"contact_list_id", "contactListId", 1},
	{NULL},
};

static void
campaigns_page(const GcPageRequest *request, StringInfo path, StringInfo body,
			   GcCallSpec *spec)
{
	resetStringInfo(path);
	appendStringInfo(path,
					 CAMPAIGNS_PATH "?pageSize=%d&pageNumber=" INT64_FORMAT
									"&sortBy=name&sortOrder=ascending",
					 request->size, request->number);
	if (request->criteria)
		appendStringInfo(path, "&%s", request->criteria);
	*spec = (GcCallSpec){.call_class = GC_CALL_SAFE,
						 .method = "GET",
						 .path = path->data,
						 .endpoint = CAMPAIGNS_PATH};
}

/* ---- progress ---- */

static GcSpan
campaign_id(const GcSpan *campaign)
{
	static const char *const path[] = {"id"};

	return gc_pick_member(campaign, path, lengthof(path));
}

static bool
progress_call(const GcSpan *campaigns, int count, StringInfo path, StringInfo body,
			  GcCallSpec *spec)
{
	appendStringInfoString(path, CAMPAIGNS_PATH "/progress");
	appendStringInfoChar(body, '[');
	for (int i = 0; i < count; i++)
	{
		GcSpan id = campaign_id(&campaigns[i]);

		if (id.type != '"')
			continue;
		gc_json_append_comma(body);
		gc_json_append(body, &id);
	}
	appendStringInfoChar(body, ']');
	*spec = (GcCallSpec){.call_class = GC_CALL_SAFE,
						 .method = "POST",
						 .path = path->data,
						 .endpoint = CAMPAIGNS_PATH "/progress",
						 .body = body->data,
						 .body_len = body->len};
	return true;
}

/* The elements of the answer, and whose each is; how many, or -1. */
static int
read_progress(const char *bytes, size_t len, GcSpan *progress, GcSpan *ids, int room)
{
	static const char *const path[] = {"campaign", "id"};
	GcJson json;
	int count = 0;

	gc_json_init(&json, bytes, len);
	if (!gc_json_enter(&json, '['))
		return -1;
	while (gc_json_element(&json))
	{
		if (count == room || !gc_json_value(&json, &progress[count]))
			return -1;
		ids[count] = gc_pick_member(&progress[count], path, lengthof(path));
		count++;
	}
	return gc_json_end(&json) ? count : -1;
}

/* A campaign with its progress as one more member. */
static void
append_campaign(StringInfo rows, const GcSpan *campaign, const GcSpan *progress)
{
	gc_json_append_comma(rows);
	gc_json_append(rows, campaign);
	if (progress == NULL)
		return;
	rows->data[--rows->len] = '\0'; /* its closing brace; there is an id before it */
	appendStringInfoString(rows, ",\"" PROGRESS_MEMBER "\":");
	gc_json_append(rows, progress);
	appendStringInfoChar(rows, '}');
}

static int
progress_rows(const GcSpan *campaigns, int count, const char *bytes, size_t len,
			  StringInfo rows)
{
	GcSpan progress[PROGRESS_IDS];
	GcSpan ids[PROGRESS_IDS];
	int found = read_progress(bytes, len, progress, ids, lengthof(ids));

	for (int i = 0; i < count && found >= 0; i++)
	{
		GcSpan id = campaign_id(&campaigns[i]);
		GcSpan *match = NULL;

		for (int j = 0; j < found && id.type == '"' && match == NULL; j++)
			if (ids[j].type == '"' && ids[j].len == id.len &&
				memcmp(ids[j].p, id.p, id.len) == 0)
				match = &progress[j];
		append_campaign(rows, &campaigns[i], match);
	}
	return found < 0 ? -1 : count;
}

static const GcExpansion progress_expansion = {
	.entities = PROGRESS_IDS,
	.each = "page of campaigns",
	.method = "POST",
	.endpoint = CAMPAIGNS_PATH "/progress",
	.call = progress_call,
	.rows = progress_rows,
};

/* ---- writing ---- */

#define CAMPAIGN CAMPAIGNS_PATH "/{campaignId}"

/* So often is it looked whether a campaign has stopped, in microseconds. */
#define STOP_POLL_US 500000

static bool
is_word(const GcEntityChange *change, const char *word)
{
	return change->member.json && strcmp(change->member.json, word) == 0;
}

static GcEntityTurn
campaign_turn(const GcEntityChange *change)
{
	if (strcmp(change->member.path, "campaignStatus") != 0)
		return GC_TURN_PUT;
	return is_word(change, "\"off\"") ? GC_TURN_BEFORE : GC_TURN_AFTER;
}

static void
call_campaign(const GcEntityWriter *writer, const char *id, const char *method,
			  const char *rest, const char *endpoint, const char *failed)
{
	const GcCallSpec spec = {.call_class = GC_CALL_IDEMPOTENT,
							 .method = method,
							 .path = gc_entity_path(writer->kind, id, rest),
							 .endpoint = endpoint,
							 .may_be_empty = true};

	gc_entity_call(writer, id, &spec, failed);
}

/* It stops by and by: calls that are under way end. */
static void
await_stop(const GcEntityWriter *writer, const char *id, const char *failed)
{
	GcTime until = gc_clock_now() + writer->ready_timeout_ms * INT64CONST(1000);

	for (;;)
	{
		char *campaign = gc_entity_read(writer, id, failed);
		GcSpan object = {.p = campaign, .len = campaign ? strlen(campaign) : 0, .type = '{'};
		GcSpan status = campaign ? gc_json_member(&object, "campaignStatus") : object;
		GcTime now = gc_clock_now();

		if (campaign == NULL || !gc_json_span_is(&status, "stopping"))
			return;
		if (now >= until)
			ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE), errmsg("%s", failed),
							errdetail("It is still stopping after ready_timeout."),
							errhint("Run it again later, or raise \"ready_timeout\".")));
		(void) gc_calls_sleep(writer->calls, Min(now + STOP_POLL_US, until), GC_WAIT_BACKOFF,
							  true);
	}
}

static void
campaign_act(const GcEntityWriter *writer, const char *id, const GcEntityChange *change,
			 const char *failed)
{
	if (is_word(change, "\"on\""))
		call_campaign(writer, id, "POST", "/start", CAMPAIGN "/start", failed);
	else if (is_word(change, "\"recycle\""))
		call_campaign(writer, id, "DELETE", "/progress", CAMPAIGN "/progress", failed);
	else if (is_word(change, "\"off\""))
	{
		call_campaign(writer, id, "POST", "/stop", CAMPAIGN "/stop", failed);
		await_stop(writer, id, failed);
	}
	else
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", failed),
						errdetail("A campaign's status cannot be set to that."),
						errhint("campaign_status takes \"on\", \"off\" and \"recycle\".")));
}

static const GcEntityKind campaign_kind = {
	.label = "campaign",
	.path = CAMPAIGNS_PATH,
	.endpoint = CAMPAIGN,
	.items = "entities",
	.natural_key = "name",
	.filters_by_name = true,
	.turn = campaign_turn,
	.act = campaign_act,
};

const GcResource gc_campaigns = {
	.object = "campaigns",
	.comment = "campaigns of the organisation",
	.attributes = campaign_attributes,
	.attribute_count = lengthof(campaign_attributes),
	.default_rows = 100,
	.page = campaigns_page,
	.expansion = &progress_expansion,
	.filters = campaign_filters,
	.kind = &campaign_kind,
	.update_endpoint = CAMPAIGN,
	.path_name = "listing",
	.method = "GET",
	.endpoint = CAMPAIGNS_PATH,
};
