/*
 * api/quarantine.c
 *	  "Take me off your list": one contact on every contact list, one number on DNC lists.
 *
 * A contact is read before it is written, so that nothing of it is lost and none is made
 * where there was none.
 */
#include "postgres.h"

#include "api/contact_lists.h"
#include "api/contacts.h"
#include "api/control.h"
#include "api/dnc_lists.h"
#include "api/quarantine.h"
#include "api/url.h"
#include "base/json_edit.h"
#include "base/value.h"

#define CAMPAIGNS "/api/v2/outbound/campaigns"
#define DNC_ADD	  "/api/v2/outbound/dnclists/" GC_DNC_LIST_ID "/phonenumbers"

/* The platform returns no more of them at once. */
#define PAGE_SIZE 100

/* One list at work. */
typedef struct Item
{
	GcQuarantine *shown;
	GcCall *call;  /* NULL: it has not begun, or has ended */
	bool is_write; /* the call is the one that changes something, … */
	char *body;	   /* … with this */
} Item;

typedef struct Run
{
	GcCalls *calls;
	int room; /* so many calls at once */
	Item *items;
	int count;
	GcCall *(*begin)(struct Run *run, Item *item);
	void (*answered)(struct Run *run, Item *item);
} Run;

/* ---- many lists at once ---- */

static const char *
utf8_copy(const char *words)
{
	return words ? gc_value_to_utf8(words) : NULL;
}

static void
take_failure(Item *item, const GcFailure *failure)
{
	const char *words = failure->message ? failure->message : "no answer";

	item->shown->failed = true;
	item->shown->correlation_id = utf8_copy(failure->correlation_id);
	item->shown->result = utf8_copy(
		psprintf("%s: %s%s%s%s", item->is_write && failure->in_doubt ? "in doubt" : "failed",
				 words, failure->code ? " (" : "", failure->code ? failure->code : "",
				 failure->code ? ")" : ""));
}

static void
end_call(Item *item)
{
	gc_call_free(item->call);
	item->call = NULL;
}

/* The call has ended: there may be another one. */
static void
step(Run *run, Item *item)
{
	const GcFailure *failure = gc_call_failure(item->call);
	const char *id = failure ? NULL : gc_call_header(item->call, "inin-correlation-id");

	item->shown->correlation_id = utf8_copy(id);
	run->answered(run, item);
}

/* Has a call ended?  One may have as it began. */
static bool
any_ended(const Run *run, int begun)
{
	for (int i = 0; i < begun; i++)
		if (run->items[i].call && gc_call_ended(run->items[i].call))
			return true;
	return false;
}

/* Sees to the calls that have ended; how many lists are done by that. */
static int
step_all(Run *run, int begun)
{
	int ended = 0;

	for (int i = 0; i < begun; i++)
	{
		Item *item = &run->items[i];

		if (item->call == NULL || !gc_call_ended(item->call))
			continue;
		step(run, item);
		ended += item->call == NULL;
	}
	return ended;
}

static void
run_all(Run *run)
{
	int begun = 0;
	int ended = 0;

	while (ended < run->count)
	{
		for (; begun < run->count && begun - ended < run->room; begun++)
			run->items[begun].call = run->begin(run, &run->items[begun]);
		if (!any_ended(run, begun))
			gc_calls_wait_any(run->calls);
		ended += step_all(run, begun);
	}
}

static List *
shown_items(const Run *run)
{
	List *shown = NIL;

	for (int i = 0; i < run->count; i++)
		shown = lappend(shown, run->items[i].shown);
	return shown;
}

static void
add_item(Run *run, const char *object, const char *list_id, const char *name,
		 const char *entry)
{
	GcQuarantine *shown = palloc0(sizeof(GcQuarantine));

	shown->object = object;
	shown->list_id = pstrdup(list_id);
	shown->name = pstrdup(name);
	shown->entry = entry;
	run->items[run->count++].shown = shown;
}

/* ---- contacts ---- */

static GcCall *
read_contact(Run *run, Item *item)
{
	GcCallSpec spec;
	char *id = pstrdup(item->shown->entry);

	gc_contacts_by_ids(item->shown->list_id, &id, 1, &spec);
	return gc_call_start(run->calls, &spec);
}

/* The contact as it was read, not callable: its cells, and what else is to be said of it. */
static char *
quarantined(const Item *item, const GcSpan *contact)
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
write_contact(Run *run, Item *item)
{
	const GcContactsFlags flags = {.do_not_queue = true};
	GcCallSpec spec = {
		.call_class = GC_CALL_IDEMPOTENT,
		.method = "POST",
		.path = gc_contacts_post_path(item->shown->list_id, &flags),
		.endpoint = GC_CONTACTS_ALL,
		.body = item->body,
		.body_len = strlen(item->body),
		.rate.priority = true,
	};

	end_call(item);
	item->is_write = true;
	item->call = gc_call_start(run->calls, &spec);
}

static void
visit_echo(void *arg, const GcContactEcho *echo)
{
	*(bool *) arg = echo->callable.type == 'f';
}

static void
take_echo(Item *item)
{
	size_t len;
	const char *bytes = gc_call_reply(item->call, &len);

	if (gc_contacts_walk_echo(bytes, len, visit_echo, &item->shown->changed) != 1 ||
		!item->shown->changed)
	{
		item->shown->changed = false;
		item->shown->failed = true;
		item->shown->result = "failed: the answer does not show that it took effect";
	}
	else
		item->shown->result = "quarantined";
}

/* Reads what was asked for; is there something to write? */
static bool
take_contact(Item *item)
{
	size_t len;
	const char *bytes = gc_call_reply(item->call, &len);
	GcJson json;
	GcSpan contact;
	GcSpan callable;

	gc_json_init(&json, bytes, len);
	if (!gc_json_value(&json, &contact) || contact.type != '{')
	{
		item->shown->failed = true;
		item->shown->result = "failed: the answer is no contact";
		return false;
	}
	callable = gc_json_member(&contact, "callable");
	item->shown->was_callable = callable.type != 'f';
	if (!item->shown->was_callable)
		item->shown->result = "already";
	else
		item->body = quarantined(item, &contact);
	return item->shown->was_callable;
}

static void
contact_answered(Run *run, Item *item)
{
	const GcFailure *failure = gc_call_failure(item->call);

	if (failure && !item->is_write && gc_contacts_is_missing(failure))
		item->shown->result = "absent";
	else if (failure)
		take_failure(item, failure);
	else if (item->is_write)
		take_echo(item);
	else if (take_contact(item))
	{
		write_contact(run, item);
		return;
	}
	end_call(item);
}

List *
gc_quarantine_contact(GcConnection *conn, GcStat *stat, const char *contact_id)
{
	List *lists = gc_list_all(conn, stat, NULL);
	Run run = {
		.calls = gc_calls_open(conn, stat),
		.room = conn->max_in_flight,
		.items = palloc0(sizeof(Item) * Max(list_length(lists), 1)),
		.begin = read_contact,
		.answered = contact_answered,
	};
	ListCell *lc;

	foreach (lc, lists)
	{
		const GcList *list = lfirst(lc);

		add_item(&run, "contact_lists", list->id, list->name, contact_id);
	}
	run_all(&run);
	gc_calls_close(run.calls);
	return shown_items(&run);
}

/* ---- numbers ---- */

/* Is it among them already? */
static bool
has_list(const List *lists, const char *id)
{
	ListCell *lc;

	foreach (lc, lists)
		if (strcmp(lfirst(lc), id) == 0)
			return true;
	return false;
}

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

			if (id && !has_list(*ids, id))
				*ids = lappend(*ids, pstrdup(id));
		}
	}
	return number >= json_integer_value(json_object_get(reply, "pageCount"));
}

/* The ids of the DNC lists that campaigns have. */
static List *
campaigns_dnc_lists(GcCalls *calls)
{
	const char *failed = "could not read which DNC lists campaigns have";
	List *ids = NIL;
	bool last = false;

	for (int number = 1; !last; number++)
	{
		GcCallSpec spec = {
			.call_class = GC_CALL_SAFE,
			.method = "GET",
			.path = psprintf(CAMPAIGNS "?pageSize=%d&pageNumber=%d", PAGE_SIZE, number),
			.endpoint = CAMPAIGNS,
			.rate.priority = true,
		};
		GcCall *call = gc_control_run(calls, &spec, failed);

		last = read_campaigns(call, number, failed, &ids);
		gc_call_free(call);
	}
	return ids;
}

static GcCall *
add_number(Run *run, Item *item)
{
	StringInfoData body;
	GcCallSpec spec = {
		.call_class = GC_CALL_IDEMPOTENT,
		.method = "POST",
		.path = psprintf("/api/v2/outbound/dnclists/%s/phonenumbers",
						 gc_url_escape(item->shown->list_id)),
		.endpoint = DNC_ADD,
		.may_be_empty = true,
		.rate.priority = true,
	};

	initStringInfo(&body);
	appendStringInfoString(&body, "[\"");
	gc_json_escape(&body, item->shown->entry, strlen(item->shown->entry));
	appendStringInfoString(&body, "\"]");
	spec.body = body.data;
	spec.body_len = body.len;
	item->is_write = true;
	return gc_call_start(run->calls, &spec);
}

static void
number_answered(Run *run, Item *item)
{
	if (gc_call_failure(item->call))
		take_failure(item, gc_call_failure(item->call));
	else
	{
		item->shown->changed = true;
		item->shown->result = "quarantined";
	}
	end_call(item);
}

List *
gc_quarantine_number(GcConnection *conn, GcStat *stat, const char *number)
{
	List *lists = gc_dnc_list_all(conn, stat, NULL, NULL);
	Run run = {
		.calls = gc_calls_open(conn, stat),
		.room = conn->max_in_flight,
		.items = palloc0(sizeof(Item) * Max(list_length(lists), 1)),
		.begin = add_number,
		.answered = number_answered,
	};
	List *wanted = campaigns_dnc_lists(run.calls);
	ListCell *lc;

	foreach (lc, lists)
	{
		const GcDncList *list = lfirst(lc);

		if (has_list(wanted, list->id))
			add_item(&run, "dnc_lists", list->id, list->name, number);
	}
	run_all(&run);
	gc_calls_close(run.calls);
	return shown_items(&run);
}
