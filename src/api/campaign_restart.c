/*
 * api/campaign_restart.c
 *	  A campaign is bound to a list and set on, after an import (SCENARIOS I1, I2).
 *
 * One that dials another list is stopped first, since the platform binds none that is
 * active.
 */
#include "postgres.h"

#include "api/campaign_restart.h"
#include "api/campaign_writes.h"
#include "base/value.h"

/* How long one that was told to stop is waited for. */
#define STOP_MAX_MS 30000

static char *
quoted(const char *value)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '"');
	gc_json_escape(&json, value, strlen(value));
	appendStringInfoChar(&json, '"');
	return json.data;
}

static bool
has(const char *campaign, const char *path, const char *value)
{
	GcSpan object = gc_entity_span(campaign);
	const char *member = gc_entity_text(&object, path);

	return member && strcmp(member, value) == 0;
}

/* Returns the campaign as it is then. */
static char *
bind_to_list(const GcEntityWriter *writer, const char *id, char *campaign, const char *list_id,
			 const char *failed)
{
	GcSpan object = gc_entity_span(campaign);
	GcEntityChange changes[] = {
		{.member = {GC_CAMPAIGN_LIST, quoted(list_id)}, .name = "contact_list_id"},
		{.member = {GC_CAMPAIGN_STATUS, "\"off\""}, .name = "campaign_status"}};
	bool active = has(campaign, GC_CAMPAIGN_STATUS, "on") ||
				  has(campaign, GC_CAMPAIGN_STATUS, "stopping");

	return gc_entity_apply(writer, id, &object, campaign, changes, active ? 2 : 1, failed);
}

void
gc_campaign_restart(GcCalls *calls, const char *campaign_id, const char *list_id)
{
	int64 counts[2] = {0};
	bool counted = false;
	bool listed_only = false;
	char correlation_id[GC_STAT_ID_SIZE];
	const GcEntityWriter writer = {.kind = &gc_campaign_kind,
								   .conn = gc_calls_connection(calls),
								   .calls = calls,
								   .ready_timeout_ms = STOP_MAX_MS,
								   .accepted = &counts[0],
								   .in_doubt = &counts[1],
								   .counted = &counted,
								   .listed_only = &listed_only,
								   .correlation_id = correlation_id};
	char *failed = psprintf("could not restart the campaign \"%s\"",
							gc_value_display(campaign_id, strlen(campaign_id)));
	char *campaign = gc_entity_read(&writer, campaign_id, failed);

	if (campaign && !has(campaign, GC_CAMPAIGN_LIST, list_id))
		campaign = bind_to_list(&writer, campaign_id, campaign, list_id, failed);
	if (campaign == NULL)
		ereport(ERROR, (errcode(ERRCODE_FDW_TABLE_NOT_FOUND), errmsg("%s", failed),
						errdetail("There is no such campaign.")));
	if (!has(campaign, GC_CAMPAIGN_STATUS, "on"))
		gc_campaign_start(&writer, campaign_id, campaign, failed);
}
