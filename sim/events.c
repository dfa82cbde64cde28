/*
 * events.c
 *	  Events and the status of imports: what tells how things went.
 */
#include <stdlib.h>

#include "criteria.h"
#include "errors.h"
#include "events.h"
#include "imports.h"
#include "lists.h"
#include "things.h"

static Span
text_member(const json_t *json, const char *name)
{
	json_t *value = json_object_get(json, name);

	return (Span){(char *) json_string_value(value), json_string_length(value)};
}

static List *
find_list(const json_t *json, const char *name)
{
	Span id = text_member(json, name);

	return id.p ? store_find(id) : NULL;
}

static void
move_member(json_t *from, const char *name, json_t *to)
{
	json_t *value = json_object_get(from, name);

	if (value && !json_object_get(to, name))
		json_object_set(to, name, value);
	json_object_del(from, name);
}

/* A test may say code, message, listId and contactId; the platform nests them. */
static void
nest_members(json_t *event)
{
	json_t *message = json_object_get(event, "eventMessage");
	Span contact = text_member(event, "contactId");
	List *list = find_list(event, "listId");

	message = message ? json_incref(message) : json_object();
	move_member(event, "code", message);
	move_member(event, "message", message);
	if (json_object_size(message) > 0)
		json_object_set(event, "eventMessage", message);
	json_decref(message);
	if (list)
		json_object_set_new(event, "errorEntity",
							thing_reference(list->id, list->name, "contactlists"));
	if (list && contact.p)
	{
		char *path = sim_printf("contactlists/%s/contacts", list->id);

		json_object_set_new(event, "relatedEntity", thing_reference(contact.p, "", path));
		free(path);
	}
	json_object_del(event, "listId");
	json_object_del(event, "contactId");
}

void
event_add(json_t *event)
{
	static int64_t last_us; /* no two at the same time, so that they stay in order */
	bool dated = json_object_get(event, "timestamp") != NULL;
	char now[TIME_SIZE];
	long double seconds;
	json_t *defaults;
	Thing *made;

	sim_format_time(sim_now_us(), now);
	nest_members(event);
	made = things_set(THING_EVENT, event);
	defaults = json_pack("{s:s, s:s, s:s, s:s}", "timestamp", now, "category", "IMPORT_ERROR",
						 "level", "ERROR", "name", thing_refers(made->body, "errorEntity"));
	json_object_update_missing(made->body, defaults);
	json_decref(defaults);
	if (dated && text_time(text_member(made->body, "timestamp"), &seconds))
		made->created_us = (int64_t) (seconds * 1000000);
	else if (made->created_us <= last_us)
		made->created_us = last_us + 1;
	last_us = dated ? last_us : made->created_us;
}

void
events_seed(Request *req)
{
	json_t *body = json_loadb(req->body.data, req->body.len, 0, NULL);
	size_t i;
	json_t *event;
	json_int_t n = 0;

	if (json_is_object(body))
		body = json_pack("[o]", body);
	json_array_foreach(body, i, event)
	{
		if (!json_is_object(event))
			continue;
		event_add(event);
		n++;
	}
	if (body)
		reply_json(req, 200, json_pack("{s:I}", "events", n));
	else
		reply_error(req, 400, "bad.request", "The body must be an event or an array.");
	json_decref(body);
}

void
event_get(Request *req)
{
	Thing *event = thing_named(THING_EVENT, req);

	if (event)
		reply_json(req, 200, thing_show(event, ""));
}

static void
put_event(Buf *out, const Listing *listing, void *thing)
{
	const Thing *event = thing;

	(void) listing;
	buf_put_json(out, event->body);
}

/* What is no level or category is refused. */
static bool
check_words(Request *req)
{
	const char *word;

	return listing_one_of(req, "level", " INFO WARNING ERROR ", &word) &&
		   listing_one_of(
			   req, "category",
			   " CALLBACK CALL_RESTRICTION CALL_RULE CAMPAIGN CAMPAIGN_RULE CONTACT "
			   "CONTACT_LIST_FILTER DIGITAL_RULE DNC_LIST ENTITY_LIMIT IMPORT_ERROR "
			   "MESSAGE_RESTRICTION MESSAGING_CAMPAIGN IMPORT_TEMPLATE "
			   "ORGANIZATION_CONFIGURATION SCHEDULE MESSAGING_CAMPAIGN_SCHEDULE "
			   "EMAIL_CAMPAIGN_SCHEDULE WHATSAPP_CAMPAIGN_SCHEDULE ",
			   &word);
}

void
events_get(Request *req)
{
	Listing listing;

	if (listing_open(&listing, req) && check_words(req))
	{
		if (request_param(req, "sortBy") == NULL)
			listing.sort_by = "timestamp";
		for (Thing *event = things_first(THING_EVENT); event; event = event->next)
		{
			const Listed listed = thing_listed(event);

			if (listing_names(req, "category", thing_text(event, "category")) &&
				listing_names(req, "level", thing_text(event, "level")))
				listing_offer(&listing, &listed);
		}
		listing_reply(&listing, put_event);
	}
	listing_close(&listing);
}

/* Where nothing was imported yet, nothing of it is done. */
static void
reply_status(Request *req, const json_t *status)
{
	if (status)
		reply_json(req, 200, json_deep_copy(status));
	else
		reply_json(req, 200,
				   json_pack("{s:i, s:i, s:i}", "totalRecords", 0, "completedRecords", 0,
							 "percentComplete", 0));
}

void
list_import_status(Request *req)
{
	List *list = list_find(req, "contact.list.not.found");

	if (list == NULL)
		return;
	imports_poll_list(list);
	imports_settle();
	reply_status(req, list->import_status);
}

void
dnc_import_status(Request *req)
{
	Thing *list = thing_named(THING_DNC_LIST, req);

	if (list)
		reply_status(req, json_object_get(list->body, "importStatus"));
}

/* The members of a status that are not null; NULL when there is none. */
static json_t *
read_status(const json_t *body)
{
	json_t *status = json_object();
	const char *name;
	json_t *value;

	json_object_foreach((json_t *) body, name, value)
	{
		if (!json_is_null(value) && strcmp(name, "listId") != 0 &&
			strcmp(name, "dncListId") != 0)
			json_object_set(status, name, value);
	}
	if (json_object_size(status) > 0)
		return status;
	json_decref(status);
	return NULL;
}

void
import_status_seed(Request *req)
{
	json_t *body = thing_body(req);
	List *list = find_list(body, "listId");
	Span dnc_id = text_member(body, "dncListId");
	Thing *dnc = dnc_id.p ? things_find(THING_DNC_LIST, dnc_id) : NULL;
	json_t *status = read_status(body);

	if (list)
	{
		json_decref(list->import_status);
		list->import_status = json_incref(status);
	}
	else if (dnc && status)
		json_object_set(dnc->body, "importStatus", status);
	else if (dnc)
		json_object_del(dnc->body, "importStatus");
	if (list || dnc)
		reply_status(req, status);
	else if (body)
		reply_error(req, 404, "not.found", "listId or dncListId names no list.");
	json_decref(status);
	json_decref(body);
}
