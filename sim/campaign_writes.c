/*
 * campaign_writes.c
 *	  Campaigns are changed: bound to lists, started, stopped, recycled.
 */
#include <stdlib.h>

#include "campaign_writes.h"
#include "campaigns.h"
#include "errors.h"
#include "imports.h"
#include "switches.h"

static bool
refuse(Request *req, int status, const char *code, const char *message)
{
	reply_error(req, status, code, "%s", message);
	return false;
}

static bool
has_status(const Thing *campaign, const char *status)
{
	return strcmp(thing_text(campaign, "campaignStatus"), status) == 0;
}

/* Sets members; those that are null go away. */
static void
change(Thing *campaign, json_t *members)
{
	json_object_set(members, "id", json_object_get(campaign->body, "id"));
	campaign_refer_to_list(members);
	things_set(THING_CAMPAIGN, members);
	json_decref(members);
}

void
campaigns_settle(void)
{
	int64_t now = sim_now_us();

	for (Thing *campaign = things_first(THING_CAMPAIGN); campaign; campaign = campaign->next)
	{
		json_t *stops = json_object_get(campaign->body, "stopsAt");

		if (stops && has_status(campaign, "stopping") && json_integer_value(stops) <= now)
			change(campaign, json_pack("{s:s, s:n}", "campaignStatus", "off", "stopsAt"));
	}
}

static bool
has_column(const List *list, const json_t *column)
{
	const json_t *name = json_object_get(column, "columnName");
	Span span = {(char *) json_string_value(name), json_string_length(name)};

	return span.p && columns_find(list->columns, span, 0) >= 0;
}

/* The list is there, and has the columns that are dialled. */
static bool
check_list(Request *req, const char *list_id, const json_t *phone_columns)
{
	List *list = store_find((Span){(char *) list_id, strlen(list_id)});
	size_t i;
	json_t *column;

	if (list == NULL)
		return refuse(req, 409, "referential.integrity.error",
					  "The contact list that the campaign names does not exist.");
	json_array_foreach((json_t *) phone_columns, i, column)
	{
		if (!has_column(list, column))
			return refuse(req, 409, "referential.integrity.error",
						  "The contact list is incompatible with the campaign.");
	}
	return true;
}

/* From the campaign's status to that one, with the list that it will have. */
static bool
check_status(Request *req, const Thing *campaign, const char *status, const char *list_id)
{
	static const char *const startable[] = {"off", "complete", "forced_off", "on"};
	bool may_start = false;

	if (has_status(campaign, status) || strcmp(status, "off") == 0)
		return true;
	for (size_t i = 0; i < sizeof(startable) / sizeof(startable[0]); i++)
		may_start = may_start || has_status(campaign, startable[i]);
	if (strcmp(status, "on") != 0 || !may_start)
		return refuse(req, 400, "invalid.update.bad.status.transition",
					  "The campaign cannot go from its status to that one.");
	return imports_active(list_id, false) == 0 ||
		   refuse(req, 400, "contact.list.import.in.progress",
				  "The contact list has an import in progress.");
}

/* Another list, while it dials. */
static bool
check_active(Request *req, const Thing *campaign, const char *list_id)
{
	bool is_active = has_status(campaign, "on") || has_status(campaign, "stopping");

	return !is_active || strcmp(thing_refers(campaign->body, "contactList"), list_id) == 0 ||
		   refuse(req, 409, "invalid.update.campaign.active", "The campaign is active.");
}

/* What the wanted status makes of the present one: it stops by and by. */
static void
put_status(const Thing *campaign, const char *status, json_t *members)
{
	int64_t ms = sw_number(SW_CAMPAIGN_STOP_MS);
	bool stops = strcmp(status, "off") == 0 && ms > 0 &&
				 (has_status(campaign, "on") || has_status(campaign, "stopping"));

	json_object_set_new(members, "campaignStatus", json_string(stops ? "stopping" : status));
	if (stops && !has_status(campaign, "stopping"))
		json_object_set_new(members, "stopsAt", json_integer(sim_now_us() + ms * 1000));
	else if (!stops)
		json_object_set_new(members, "stopsAt", json_null());
}

static void
set_status(Request *req, Thing *campaign, const char *status)
{
	json_t *members = json_object();

	if (check_status(req, campaign, status, thing_refers(campaign->body, "contactList")))
	{
		put_status(campaign, status, members);
		change(campaign, json_incref(members));
	}
	json_decref(members);
}

/* False, with a reply, when a member is not known. */
static bool
check_known(Request *req, const json_t *body, const char *known)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *) body, name, value)
	{
		char *wanted = sim_printf(" %s ", name);
		bool is_known = strstr(known, wanted) != NULL;

		free(wanted);
		if (!is_known)
			return refuse(req, 400, "invalid.property", "A campaign has no such property.");
	}
	return true;
}

static bool
check_required(Request *req, const json_t *body)
{
	static const char *const texts[] = {"name", "dialingMode", "callerName", "callerAddress"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!json_is_string(json_object_get(body, texts[i])))
			return refuse(req, 400, "constraint.validation",
						  "name, dialingMode, callerName and callerAddress are required.");
	return (*thing_refers(body, "contactList") &&
			json_is_array(json_object_get(body, "phoneColumns"))) ||
		   refuse(req, 400, "constraint.validation",
				  "contactList and phoneColumns are required.");
}

static bool
check_put(Request *req, const Thing *campaign, const json_t *body)
{
	static const char known[] =
		" abandonRate agentOwnedColumn alwaysRunning callAnalysisLanguage "
		"callAnalysisResponseSet callableTimeSet callbackAutoAnswer callerAddress callerName "
		"campaignStatus contactList contactListFilters contactSort contactSorts dateCreated "
		"dateModified diagnosticsSettings dialingMode division dncLists "
		"dynamicContactQueueingSettings dynamicLineBalancingSettings edgeGroup errors id "
		"maxCallsPerAgent maxCallsPerAgentDecimal name noAnswerTimeout outboundLineCount "
		"phoneColumns preciseDialingEnabled previewAutoEnd previewTimeOutSeconds priority "
		"queue ruleSets script selfUri site skillColumns skipPreviewDisabled version ";
	const char *status = json_string_value(json_object_get(body, "campaignStatus"));
	const char *list_id = thing_refers(body, "contactList");

	if (!check_known(req, body, known) || !check_required(req, body))
		return false;
	if (json_integer_value(json_object_get(body, "version")) != campaign->version)
		return refuse(req, 409, "invalid.update.wrong.version",
					  "The version given does not match the current version.");
	return check_list(req, list_id, json_object_get(body, "phoneColumns")) &&
		   check_active(req, campaign, list_id) &&
		   (!status || check_status(req, campaign, status, list_id));
}

/* All that may be set is, or goes away. */
static json_t *
replacement(const Thing *campaign, const json_t *body)
{
	static const char kept[] = " id version dateCreated dateModified selfUri progress stats "
							   "stopsAt division campaignStatus ";
	const char *status = json_string_value(json_object_get(body, "campaignStatus"));
	json_t *members = json_copy((json_t *) body);
	const char *name;
	json_t *value;

	json_object_foreach(campaign->body, name, value)
	{
		char *wanted = sim_printf(" %s ", name);

		if (strstr(kept, wanted) == NULL && json_object_get(body, name) == NULL)
			json_object_set_new(members, name, json_null());
		free(wanted);
	}
	if (status)
		put_status(campaign, status, members);
	return members;
}

static void
reply_campaign(Request *req, const Thing *campaign)
{
	if (req->reply.status == 0)
		reply_json(req, 200, thing_show(campaign, CAMPAIGN_APART));
}

void
campaign_put(Request *req)
{
	Thing *campaign = thing_named(THING_CAMPAIGN, req);
	json_t *body = campaign ? thing_body(req) : NULL;

	if (body && check_put(req, campaign, body))
	{
		change(campaign, replacement(campaign, body));
		reply_campaign(req, campaign);
	}
	json_decref(body);
}

/* In dialect "jobs" a campaign is bound so. */
static void
bind(Request *req, Thing *campaign, const char *list_id)
{
	if (check_list(req, list_id, json_object_get(campaign->body, "phoneColumns")) &&
		check_active(req, campaign, list_id))
		change(campaign, json_pack("{s:{s:s}}", "contactList", "id", list_id));
}

void
campaign_patch(Request *req)
{
	static const char known[] = " abandonRate dynamicLineBalancingSettings maxCallsPerAgent "
								"outboundLineCount queue contactListId ";
	Thing *campaign = thing_named(THING_CAMPAIGN, req);
	json_t *body = campaign ? thing_body(req) : NULL;
	json_t *list_id = json_object_get(body, "contactListId");

	if (body && check_known(req, body, known))
	{
		json_incref(list_id);
		json_object_del(body, "contactListId");
		if (json_is_string(list_id))
			bind(req, campaign, json_string_value(list_id));
		if (req->reply.status == 0 && json_object_size(body) > 0)
			change(campaign, json_incref(body));
		reply_campaign(req, campaign);
		json_decref(list_id);
	}
	json_decref(body);
}

void
campaign_post(Request *req)
{
	Thing *campaign = thing_named(THING_CAMPAIGN, req);
	json_t *body = campaign ? thing_body(req) : NULL;
	const char *status = json_string_value(json_object_get(body, "campaignStatus"));

	if (body && check_known(req, body, " campaignStatus "))
	{
		if (status)
			set_status(req, campaign, status);
		else
			refuse(req, 400, "constraint.validation", "campaignStatus is required.");
		reply_campaign(req, campaign);
	}
	json_decref(body);
}

static void
reply_done(Request *req, const Thing *campaign, const char *status)
{
	if (campaign)
		set_status(req, (Thing *) campaign, status);
	if (campaign && req->reply.status == 0)
		reply_empty(req, 200);
}

void
campaign_start(Request *req)
{
	reply_done(req, thing_named(THING_CAMPAIGN, req), "on");
}

void
campaign_stop(Request *req)
{
	reply_done(req, thing_named(THING_CAMPAIGN, req), "off");
}

/* All contacts are to be called again; not so often. */
void
campaign_recycle(Request *req)
{
	Thing *campaign = thing_named(THING_CAMPAIGN, req);
	int64_t now = sim_now_us();
	json_t *last = campaign ? json_object_get(campaign->body, "recycledAt") : NULL;

	if (campaign == NULL)
		return;
	if (last && now < json_integer_value(last) + sw_number(SW_RECYCLE_MS) * 1000)
	{
		reply_error(req, 429, "too.many.recycles",
					"A campaign can be recycled once in %lld milliseconds.",
					(long long) sw_number(SW_RECYCLE_MS));
		return;
	}
	json_object_set_new(campaign->body, "recycledAt", json_integer(now));
	json_object_del(campaign->body, "progress");
	reply_empty(req,
				sw_is(SW_DELETE_STATUS, "auto") ? 204 : (int) sw_number(SW_DELETE_STATUS));
}
