/*
 * api/campaigns.c
 *	  Campaigns, how far they have come, and how each dials, which takes calls of their own.
 */
#include "postgres.h"

#include "api/campaign_writes.h"
#include "api/resource.h"
#include "api/url.h"
#include "base/json_pick.h"
#include "base/value.h"

#define CAMPAIGNS_PATH GC_CAMPAIGNS_PATH
#define STATS_ENDPOINT GC_CAMPAIGN "/stats"

/* Their progress is asked for by ids, as many as a page has. */
#define PROGRESS_IDS 100

/* The members that carry a campaign's progress, and what it does now, in its row. */
#define PROGRESS_MEMBER "progress"
#define STATS_MEMBER	"stats"

static const GcExpansion progress_expansion;
static const GcExpansion stats_expansion;

#define OF_PROGRESS .expanded = &progress_expansion

/* There is a call for each campaign, so that no "SELECT *" asks for it unsaid. */
#define OF_STATS .expanded = &stats_expansion, .asked_for = true

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
	{"progress_percent", "integer", PROGRESS_MEMBER "/percentage", OF_PROGRESS},
	{"contacts_called", "bigint", PROGRESS_MEMBER "/numberOfContactsCalled", OF_PROGRESS},
	{"contacts_total", "bigint", PROGRESS_MEMBER "/totalNumberOfContacts", OF_PROGRESS},
	{"date_modified", "timestamptz", "dateModified"},
	{"attempts", "bigint", STATS_MEMBER "/contactRate/attempts", OF_STATS},
	{"connects", "bigint", STATS_MEMBER "/contactRate/connects", OF_STATS},
	{"connect_ratio", "double precision", STATS_MEMBER "/contactRate/connectRatio", OF_STATS},
	{"valid_attempts", "bigint", STATS_MEMBER "/validAttempts", OF_STATS},
	{"right_party_contacts", "bigint", STATS_MEMBER "/rightPartyContactsCount", OF_STATS},
	{"filtered_out_contacts", "bigint", STATS_MEMBER "/filteredOutContactsCount", OF_STATS},
	{"outstanding_calls", "integer", STATS_MEMBER "/outstandingCalls", OF_STATS},
	{"scheduled_calls", "integer", STATS_MEMBER "/scheduledCalls", OF_STATS},
	{"time_zone_rescheduled_calls", "integer", STATS_MEMBER "/timeZoneRescheduledCalls",
	 OF_STATS},
	{"idle_agents", "integer", STATS_MEMBER "/idleAgents", OF_STATS},
	{"effective_idle_agents", "double precision", STATS_MEMBER "/effectiveIdleAgents",
	 OF_STATS},
	{"adjusted_calls_per_agent", "double precision", STATS_MEMBER "/adjustedCallsPerAgent",
	 OF_STATS},
	{"assigned_lines", "integer", STATS_MEMBER "/linesUtilization/assignedOutboundLines",
	 OF_STATS},
	{"available_lines", "integer",
	 STATS_MEMBER "/linesUtilization/totalAvailableOutboundLines", OF_STATS},
	{"successes", "bigint", STATS_MEMBER "/businessCategoryMetrics/successCount", OF_STATS},
	{"neutrals", "bigint", STATS_MEMBER "/businessCategoryMetrics/neutralCount", OF_STATS},
	{"failures", "bigint", STATS_MEMBER "/businessCategoryMetrics/failureCount", OF_STATS},
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

/* ---- further calls ---- */

static GcSpan
campaign_id(const GcSpan *campaign)
{
	static const char *const path[] = {"id"};

	return gc_pick_member(campaign, path, lengthof(path));
}

/* A campaign with one more member; "value" NULL: without. */
static void
append_campaign(StringInfo rows, const GcSpan *campaign, const char *member,
				const GcSpan *value)
{
	gc_json_append_comma(rows);
	gc_json_append(rows, campaign);
	if (value == NULL)
		return;
	rows->data[--rows->len] = '\0'; /* its closing brace; there is an id before it */
	appendStringInfo(rows, ",\"%s\":", member);
	gc_json_append(rows, value);
	appendStringInfoChar(rows, '}');
}

/* ---- progress: of many at once ---- */

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
		append_campaign(rows, &campaigns[i], PROGRESS_MEMBER, match);
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

/* ---- stats: one by one ---- */

static bool
stats_call(const GcSpan *campaign, int count, StringInfo path, StringInfo body,
		   GcCallSpec *spec)
{
	GcSpan id = campaign_id(campaign);
	int len;

	if (id.p == NULL || id.type != '"')
		return false;
	appendStringInfo(path, CAMPAIGNS_PATH "/%s/stats",
					 gc_url_escape(gc_value_span_text(&id, &len)));
	*spec = (GcCallSpec){.call_class = GC_CALL_SAFE,
						 .method = "GET",
						 .path = path->data,
						 .endpoint = STATS_ENDPOINT};
	return true;
}

static int
stats_rows(const GcSpan *campaign, int count, const char *bytes, size_t len, StringInfo rows)
{
	GcSpan stats;
	GcJson json;

	if (bytes == NULL)
	{
		append_campaign(rows, campaign, STATS_MEMBER, NULL);
		return 1;
	}
	gc_json_init(&json, bytes, len);
	if (!gc_json_value(&json, &stats) || stats.type != '{' || !gc_json_end(&json))
		return -1;
	append_campaign(rows, campaign, STATS_MEMBER, &stats);
	return 1;
}

static const GcExpansion stats_expansion = {
	.entities = 1,
	.each = "campaign",
	.may_be_gone = true,
	.method = "GET",
	.endpoint = STATS_ENDPOINT,
	.call = stats_call,
	.rows = stats_rows,
};

const GcResource gc_campaigns = {
	.object = "campaigns",
	.comment = "campaigns of the organisation",
	.attributes = campaign_attributes,
	.attribute_count = lengthof(campaign_attributes),
	.default_rows = 100,
	.page = campaigns_page,
	.filters = campaign_filters,
	.kind = &gc_campaign_kind,
	.update_endpoint = GC_CAMPAIGN,
	.path_name = "listing",
	.method = "GET",
	.endpoint = CAMPAIGNS_PATH,
};
