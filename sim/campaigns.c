/*
 * campaigns.c
 *	  Campaigns, as they are read.
 */
#include "campaigns.h"
#include "errors.h"

void
campaign_refer_to_list(json_t *body)
{
	const char *id = thing_refers(body, "contactList");
	const List *list = store_find((Span){(char *) id, strlen(id)});

	if (*id != '\0')
		json_object_set_new(body, "contactList",
							thing_reference(id, list ? list->name : "", "contactlists"));
}

/* What the platform always shows, where nothing was said. */
static void
set_defaults(Thing *campaign)
{
	json_t *defaults =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:[], s:b, s:i, s:o, s:o}", "name",
				  thing_text(campaign, "id"), "dialingMode", "preview", "campaignStatus",
				  "off", "callerName", "", "callerAddress", "", "phoneColumns",
				  "alwaysRunning", 0, "priority", 3, "division", division_home(),
				  "contactList", thing_reference("", "", "contactlists"));

	json_object_update_missing(campaign->body, defaults);
	json_decref(defaults);
}

void
campaigns_seed(Request *req)
{
	json_t *body = thing_body(req);
	Thing *campaign;

	if (body == NULL)
		return;
	campaign_refer_to_list(body);
	campaign = things_set(THING_CAMPAIGN, body);
	set_defaults(campaign);
	reply_json(req, 200, thing_show(campaign, ""));
	json_decref(body);
}

void
campaign_get(Request *req)
{
	Thing *campaign = thing_named(THING_CAMPAIGN, req);

	if (campaign)
		reply_json(req, 200, thing_show(campaign, CAMPAIGN_APART));
}

static void
put_campaign(Buf *out, const Listing *listing, void *thing)
{
	json_t *shown = thing_show(thing, CAMPAIGN_APART);

	(void) listing;
	buf_put_json(out, shown);
	json_decref(shown);
}

static json_t *
view_of(const Thing *campaign)
{
	const char *id = thing_text(campaign, "id");
	json_t *view =
		thing_reference(id, thing_text(campaign, "name"), "campaigns/divisionviews");

	json_object_set(view, "division", json_object_get(campaign->body, "division"));
	return view;
}

static void
put_view(Buf *out, const Listing *listing, void *thing)
{
	json_t *view = view_of(thing);

	(void) listing;
	buf_put_json(out, view);
	json_decref(view);
}

/* Is the thing with the parameter's id among those that the campaign refers to? */
static bool
refers_to_one(const Request *req, const char *param, const json_t *references)
{
	size_t i;
	json_t *reference;

	if (request_param(req, param) == NULL)
		return true;
	json_array_foreach(references, i, reference)
	{
		const char *id = json_string_value(json_object_get(reference, "id"));

		if (id && listing_names(req, param, id))
			return true;
	}
	return false;
}

static bool
is_asked_for(const Request *req, const json_t *body)
{
	static const char *const refers[][2] = {
		{"contactListId", "contactList"},
		{"distributionQueueId", "queue"},
		{"edgeGroupId", "edgeGroup"},
		{"callAnalysisResponseSetId", "callAnalysisResponseSet"}};

	for (size_t i = 0; i < sizeof(refers) / sizeof(refers[0]); i++)
		if (!listing_names(req, refers[i][0], thing_refers(body, refers[i][1])))
			return false;
	return refers_to_one(req, "dncListIds", json_object_get(body, "dncLists"));
}

static void
reply_listing(Request *req, ListingPut put)
{
	Listing listing;

	if (listing_open(&listing, req))
	{
		for (Thing *campaign = things_first(THING_CAMPAIGN); campaign;
			 campaign = campaign->next)
		{
			const Listed listed = thing_listed(campaign);

			if (is_asked_for(req, campaign->body))
				listing_offer(&listing, &listed);
		}
		listing_reply(&listing, put);
	}
	listing_close(&listing);
}

void
campaigns_get(Request *req)
{
	reply_listing(req, put_campaign);
}

void
campaign_views_get(Request *req)
{
	reply_listing(req, put_view);
}

void
campaign_view_get(Request *req)
{
	Thing *campaign = thing_named(THING_CAMPAIGN, req);

	if (campaign)
		reply_json(req, 200, view_of(campaign));
}

static json_t *
progress_of(const Thing *campaign)
{
	const char *list_id = thing_refers(campaign->body, "contactList");
	const List *list = store_find((Span){(char *) list_id, strlen(list_id)});
	json_t *progress = json_pack(
		"{s:o, s:O*, s:i, s:i, s:I, s:i, s:{}}", "campaign",
		thing_reference(thing_text(campaign, "id"), thing_text(campaign, "name"), "campaigns"),
		"contactList", json_object_get(campaign->body, "contactList"),
		"numberOfContactsCalled", 0, "numberOfContactsMessaged", 0, "totalNumberOfContacts",
		(json_int_t) (list ? list->ncontacts + list->accepted : 0), "percentage", 0,
		"numberOfContactsSkipped");

	json_object_update(progress, json_object_get(campaign->body, "progress"));
	return progress;
}

void
campaign_progress(Request *req)
{
	Thing *campaign = thing_named(THING_CAMPAIGN, req);

	if (campaign)
		reply_json(req, 200, progress_of(campaign));
}

/* Ids that there are not are passed over. */
void
campaigns_progress(Request *req)
{
	json_t *ids = json_loadb(req->body.data, req->body.len, 0, NULL);
	json_t *all = json_array();
	size_t i;
	json_t *id;

	json_array_foreach(ids, i, id)
	{
		Thing *campaign = NULL;

		if (json_is_string(id))
			campaign = things_find(THING_CAMPAIGN, (Span){(char *) json_string_value(id),
														  json_string_length(id)});
		if (campaign)
			json_array_append_new(all, progress_of(campaign));
	}
	req->rows = (int64_t) json_array_size(ids);
	if (json_is_array(ids))
		reply_json(req, 200, json_incref(all));
	else
		reply_error(req, 400, "bad.request", "The body must be an array of campaign ids.");
	json_decref(all);
	json_decref(ids);
}

void
campaign_stats(Request *req)
{
	Thing *campaign = thing_named(THING_CAMPAIGN, req);
	json_t *stats;

	if (campaign == NULL)
		return;
	stats = json_pack("{s:{s:i, s:i, s:f}, s:i, s:f, s:f, s:i, s:i}", "contactRate",
					  "attempts", 0, "connects", 0, "connectRatio", 0.0, "idleAgents", 0,
					  "effectiveIdleAgents", 0.0, "adjustedCallsPerAgent", 0.0,
					  "outstandingCalls", 0, "scheduledCalls", 0);
	json_object_update(stats, json_object_get(campaign->body, "stats"));
	reply_json(req, 200, stats);
}
