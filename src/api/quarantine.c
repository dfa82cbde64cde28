/*
 * api/quarantine.c
 *	  "Take me off your list": one contact on every contact list, one number on DNC lists.
 *
 * A contact is read before each write, so that nothing of it is lost and none is made
 * where there was none.
 */
#include "postgres.h"

#include "api/contact_lists.h"
#include "api/contacts.h"
#include "api/control.h"
#include "api/dnc_entries.h"
#include "api/quarantine.h"
#include "base/ids.h"
#include "base/json_edit.h"
#include "base/value.h"

/* Those that dial, and those that send messages: SMS, WhatsApp, e-mail. */
#define CAMPAIGNS			"/api/v2/outbound/campaigns"
#define MESSAGING_CAMPAIGNS "/api/v2/outbound/messagingcampaigns"

/* The platform returns no more of them at once. */
#define PAGE_SIZE 100

enum
{
	STEP_READ,
	STEP_WRITE
};

/* ---- contacts ---- */

/* The contact as it was read, not callable: its cells, and what else is to be said of it. */
static char *
quarantined(const GcEachItem *item, const GcSpan *contact)
{
	GcSpan data = gc_json_member(contact, "data");
	StringInfoData body;

	initStringInfo(&body);
	appendStringInfoString(&body, "[{\"id\":\"");
	gc_json_escape(&body, item->shown->entry, strlen(item->shown->entry));
	appendStringInfoString(&body, "\",\"contactListId\":\"");
	gc_json_escape(&body, item->shown->list_id, strlen(item->shown->list_id));
	appendStringInfoString(&body, "\",\"callable\":false,\"data\":");
	if (data.p)
		gc_json_append(&body, &data);
	else
		appendStringInfoString(&body, "{}");
	appendStringInfoString(&body, "}]");
	return body.data;
}

static void
write_contact(GcEach *each, GcEachItem *item)
{
	const GcContactsFlags flags = {.do_not_queue = true};
	GcCallSpec spec = {
		.call_class = GC_CALL_IDEMPOTENT,
		.method = "POST",
		.path = gc_contacts_post_path(item->shown->list_id, &flags),
		.endpoint = GC_CONTACTS_ALL,
		.body = item->body,
		.body_len = strlen(item->body),
		/* Like any write of a single contact. */
		.rate = {.priority = true, .bulk = true},
	};

	item->step = STEP_WRITE;
	(void) gc_each_write(each, item, &spec);
}

typedef struct Echo
{
	const char *id;
	bool shown; /* that contact, not callable */
} Echo;

static void
visit_echo(void *arg, const GcContactEcho *echo)
{
	Echo *wanted = arg;
	int len;
	const char *id = echo->id.type == '"' ? gc_value_span_text(&echo->id, &len) : NULL;

	wanted->shown = echo->callable.type == 'f' && id && strcmp(id, wanted->id) == 0;
}

static void
take_echo(GcEach *each, GcEachItem *item)
{
	Echo wanted = {.id = item->shown->entry};
	size_t len;
	const char *bytes = gc_call_reply(item->call, &len);

	gc_each_known(each, item);
	if (gc_contacts_walk_echo(bytes, len, visit_echo, &wanted) == 1 && wanted.shown)
		gc_each_done(each, item, "quarantined", true);
	else
		gc_each_refused(each, item, "failed: the answer does not show that it took effect");
}

/* Reads what was asked for, and writes it if need be. */
static void
take_contact(GcEach *each, GcEachItem *item)
{
	size_t len;
	const char *bytes = gc_call_reply(item->call, &len);
	GcJson json;
	GcSpan contact;

	gc_json_init(&json, bytes, len);
	if (!gc_json_value(&json, &contact) || contact.type != '{')
		gc_each_refused(each, item, "failed: the answer is no contact");
	else if (gc_json_member(&contact, "callable").type == 'f')
		gc_each_done(each, item, "already", false);
	else
	{
		item->body = quarantined(item, &contact);
		write_contact(each, item);
	}
}

static void
contact_answered(GcEach *each, GcEachItem *item)
{
	const GcFailure *failure = gc_call_failure(item->call);

	if (failure == NULL && item->step == STEP_READ)
		take_contact(each, item);
	else if (failure == NULL)
		take_echo(each, item);
	else if (item->step == STEP_READ && gc_contacts_is_missing(failure))
		gc_each_done(each, item, "absent", false);
	else if (failure->cause == GC_CAUSE_IN_USE)
		gc_each_held(each, item, failure);
	else
		gc_each_failed(each, item);
}

List *
gc_quarantine_contact(GcConnection *conn, GcStat *stat, List *lists, const char *contact_id,
					  const GcListWatch *watch)
{
	const GcEachWay way = {gc_each_read_contact, contact_answered};
	GcEach *each = gc_each_create(conn, stat, &way, watch, list_length(lists));

	gc_each_add_contact(each, lists, contact_id);
	return gc_each_run(each);
}

/* ---- numbers ---- */

/* Adds the DNC lists of a page of campaigns; true if it is the last one. */
static bool
read_campaigns(GcCall *call, int number, const char *failed, List **ids)
{
	json_t *reply = gc_control_json(call, failed);
	json_t *campaign;
	json_t *reference;
	size_t i;
	size_t j;

	if (!json_is_array(json_object_get(reply, "entities")))
		gc_call_throw_reply(call, "The answer has no entities.", failed, NULL);
	json_array_foreach(json_object_get(reply, "entities"), i, campaign)
	{
		json_array_foreach(json_object_get(campaign, "dncLists"), j, reference)
		{
			const char *id = json_string_value(json_object_get(reference, "id"));

			if (id && !gc_ids_have(*ids, id))
				*ids = lappend(*ids, pstrdup(id));
		}
	}
	return number >= json_integer_value(json_object_get(reply, "pageCount"));
}

static GcCall *
ask_campaigns(GcCalls *calls, const char *path, int number)
{
	GcCallSpec spec = {
		.call_class = GC_CALL_SAFE,
		.method = "GET",
		.path = psprintf("%s?pageSize=%d&pageNumber=%d", path, PAGE_SIZE, number),
		.endpoint = path,
		.rate.priority = true,
	};
	GcCall *call = gc_call_start(calls, &spec);

	gc_call_wait(call);
	return call;
}

/* A client for dialling need not see messaging campaigns, and a gateway need not have any. */
static bool
is_withheld(const GcFailure *failure)
{
	return failure->status == 403 || failure->cause == GC_CAUSE_NOT_FOUND;
}

static void
warn_withheld(const GcFailure *failure)
{
	ereport(WARNING,
			(errmsg("DNC lists that only messaging campaigns have are left out"),
			 errdetail("The server answered with HTTP status %d: %s", failure->status,
					   failure->message ? failure->message : "(no message)"),
			 failure->status == 403
				 ? errhint("Give the OAuth client a role with the permission that the "
						   "message names, and run it again.")
				 : 0));
}

/* Adds the ids of the DNC lists that campaigns of one kind have. */
static void
add_dnc_lists(GcCalls *calls, const char *path, List **ids)
{
	const char *failed = "could not read which DNC lists campaigns have";
	bool last = false;

	for (int number = 1; !last; number++)
	{
		GcCall *call = ask_campaigns(calls, path, number);
		const GcFailure *failure = gc_call_failure(call);

		last = failure != NULL;
		if (failure && strcmp(path, MESSAGING_CAMPAIGNS) == 0 && is_withheld(failure))
			warn_withheld(failure);
		else if (failure)
			gc_call_throw(call, failed, NULL);
		else
			last = read_campaigns(call, number, failed, ids);
		gc_call_free(call);
	}
}

static List *
campaigns_dnc_lists(GcConnection *conn, GcStat *stat)
{
	GcCalls *calls = gc_calls_open(conn, stat);
	List *ids = NIL;

	add_dnc_lists(calls, CAMPAIGNS, &ids);
	add_dnc_lists(calls, MESSAGING_CAMPAIGNS, &ids);
	gc_calls_close(calls);
	return ids;
}

static GcCall *
add_number(GcEach *each, GcEachItem *item)
{
	const GcDncList *list = item->list;
	GcDncPatch patch = {.list = list, .kind = gc_dnc_kind(list, item->shown->entry)};
	GcCallSpec spec;
	StringInfoData number;

	initStringInfo(&number);
	appendStringInfoChar(&number, '"');
	gc_json_escape(&number, item->shown->entry, strlen(item->shown->entry));
	appendStringInfoChar(&number, '"');
	patch.entries = number.data;
	gc_dnc_patch_spec(&patch, &spec);
	spec.rate.priority = true;
	return gc_each_write(each, item, &spec);
}

static void
number_answered(GcEach *each, GcEachItem *item)
{
	if (gc_call_failure(item->call))
	{
		gc_each_failed(each, item);
		return;
	}
	gc_each_known(each, item);
	gc_each_done(each, item, "quarantined", true);
}

/* A list of addresses, or of a column's values, is about no number. */
static bool
has_numbers(const GcDncList *list, const char *number)
{
	GcDncKind kind = gc_dnc_kind(list, number);

	return kind == GC_DNC_PHONES || kind == GC_DNC_WHATSAPP;
}

/* One that a campaign has, and that may not be seen, is not passed over in silence. */
static void
add_unseen(GcEach *each, const List *wanted, const List *lists, const char *number)
{
	ListCell *lc;

	foreach (lc, wanted)
	{
		const char *id = lfirst(lc);
		bool seen = false;
		ListCell *lc2;

		foreach (lc2, lists)
			seen |= strcmp(((const GcDncList *) lfirst(lc2))->id, id) == 0;
		if (!seen)
			gc_each_refused(each, gc_each_add(each, "dnc_lists", id, id, number),
							"failed: a campaign has it, and the OAuth client may not see it");
	}
}

List *
gc_quarantine_number(GcConnection *conn, GcStat *stat, const char *number,
					 const GcListWatch *watch)
{
	const GcEachWay way = {add_number, number_answered};
	List *wanted = campaigns_dnc_lists(conn, stat);
	List *lists;
	GcEach *each;
	ListCell *lc;

	if (wanted == NIL)
	{
		ereport(WARNING,
				(errmsg("the number was added to no DNC list"),
				 errdetail("No campaign that this OAuth client may see has one."),
				 errhint("UPDATE campaigns SET dnc_list_ids gives a campaign DNC lists.")));
		return NIL;
	}
	lists = gc_dnc_list_all(conn, stat, NULL, NULL);
	each = gc_each_create(conn, stat, &way, watch, list_length(wanted));
	foreach (lc, lists)
	{
		const GcDncList *list = lfirst(lc);
		GcEachItem *item;

		if (!gc_ids_have(wanted, list->id))
			continue;
		item = gc_each_add(each, "dnc_lists", list->id, list->name, number);
		item->list = list;
		if (!has_numbers(list, number))
			gc_each_done(each, item, "no numbers", false);
	}
	add_unseen(each, wanted, lists, number);
	return gc_each_run(each);
}
