/*
 * messaging.c
 *	  Messaging campaigns (SMS, e-mail, WhatsApp), as they are read.
 */
#include "messaging.h"
#include "campaigns.h"

/* What the platform always shows, where nothing was said. */
static void
set_defaults(Thing *campaign)
{
	json_t *defaults = json_pack(
		"{s:s, s:s, s:b, s:i, s:o, s:o}", "name", thing_text(campaign, "id"), "campaignStatus",
		"off", "alwaysRunning", 0, "messagesPerMinute", 10, "division", division_home(),
		"contactList", thing_reference("", "", "contactlists"));

	json_object_update_missing(campaign->body, defaults);
	json_decref(defaults);
}

void
messaging_seed(Request *req)
{
	json_t *body = thing_body(req);
	Thing *campaign;

	if (body == NULL)
		return;
	campaign_refer_to_list(body);
	campaign = things_set(THING_MESSAGING, body);
	set_defaults(campaign);
	reply_json(req, 200, thing_show(campaign, ""));
	json_decref(body);
}

/* By which of its members it says how it sends. */
static const char *
type_of(const Thing *campaign)
{
	if (json_object_get(campaign->body, "emailConfig"))
		return "EMAIL";
	return json_object_get(campaign->body, "whatsAppConfig") ? "WHATSAPP" : "SMS";
}

static bool
is_asked_for(const Request *req, const Thing *campaign)
{
	return listing_names(req, "contactListId", thing_refers(campaign->body, "contactList")) &&
		   listing_names(req, "campaignStatus", thing_text(campaign, "campaignStatus")) &&
		   listing_names(req, "type", type_of(campaign));
}

static void
put_campaign(Buf *out, const Listing *listing, void *thing)
{
	json_t *shown = thing_show(thing, "");

	(void) listing;
	buf_put_json(out, shown);
	json_decref(shown);
}

void
messaging_get(Request *req)
{
	const char *ignored;
	Listing listing;

	if (!listing_one_of(req, "type", " EMAIL SMS WHATSAPP ", &ignored) ||
		!listing_one_of(req, "campaignStatus",
						" on stopping off complete invalid forced_off forced_stopping ",
						&ignored))
		return;
	if (listing_open(&listing, req))
	{
		for (Thing *campaign = things_first(THING_MESSAGING); campaign;
			 campaign = campaign->next)
		{
			const Listed listed = thing_listed(campaign);

			if (is_asked_for(req, campaign))
				listing_offer(&listing, &listed);
		}
		listing_reply(&listing, put_campaign);
	}
	listing_close(&listing);
}
