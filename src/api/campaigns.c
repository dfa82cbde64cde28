/*
 * api/campaigns.c
 *	  Campaigns, and how far each has come, which takes a call of its own.
 */
#include "postgres.h"

#include "api/campaign_writes.h"
#include "api/resource.h"
#include "base/json_pick.h"

#define CAMPAIGNS_PATH GC_CAMPAIGNS_PATH

/* Their progress is asked for by ids, as many as a page has. */
#define PROGRESS_IDS 100

/* The member that carries a campaign's progress in its row. */
#define PROGRESS_MEMBER "progress"

static const GcAttribute campaign_attributes[] = {
	{"id", "text", "id"},
	{"name", "text", "name", .written = GC_WRITTEN_CHANGED},
	{"version", "integer", "version"},
	{"campaign_status", "text", "campaignStatus", .written = GC_WRITTEN_CHANGED},
	{"dialing_mode", "text", "dialingMode", .written = GC_WRITTEN_CHANGED},
	{"contact_list_id", "text", "contactList/id", .written = GC_WRITTEN_CHANGED},
	{"dnc_list_ids", "text[]", "dncLists", .derive = gc_campaign_ids,
	 .written = GC_WRITTEN_CHANGED, .encode = gc_campaign_references},
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

const GcResource gc_campaigns = {
	.object = "campaigns",
	.comment = "campaigns of the organisation",
	.attributes = campaign_attributes,
	.attribute_count = lengthof(campaign_attributes),
	.default_rows = 100,
	.page = campaigns_page,
	.expansion = &progress_expansion,
	.filters = campaign_filters,
	.kind = &gc_campaign_kind,
	.update_endpoint = GC_CAMPAIGN,
	.path_name = "listing",
	.method = "GET",
	.endpoint = CAMPAIGNS_PATH,
};
