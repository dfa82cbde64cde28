/*
 * things.c
 *	  What there is beside contact lists, as the JSON that is shown of it.
 */
#include <stdlib.h>

#include "errors.h"
#include "things.h"

typedef struct Kind
{
	const char *path; /* below /api/v2/outbound/; NULL = it has its selfUri set */
	Thing *first;
	Thing **end;
} Kind;

static Kind kinds[THING_KINDS] = {
	[THING_CAMPAIGN] = {"campaigns", NULL, NULL},
	[THING_DIVISION] = {NULL, NULL, NULL},
	[THING_DNC_LIST] = {"dnclists", NULL, NULL},
	[THING_EVENT] = {"events", NULL, NULL},
	[THING_FILTER] = {"contactlistfilters", NULL, NULL},
	[THING_JOB] = {NULL, NULL, NULL},
	[THING_MESSAGING] = {"messagingcampaigns", NULL, NULL},
};

Thing *
things_first(ThingKind kind)
{
	return kinds[kind].first;
}

Thing *
things_find(ThingKind kind, Span id)
{
	Thing *thing = kinds[kind].first;

	while (thing && !span_is(id, thing_text(thing, "id")))
		thing = thing->next;
	return thing;
}

static void
set_date(Thing *thing, const char *member, int64_t us)
{
	char date[TIME_SIZE];

	sim_format_time(us, date);
	json_object_set_new(thing->body, member, json_string(date));
}

static void
set_self_uri(const Kind *kind, Thing *thing)
{
	const char *id = thing_text(thing, "id");
	Buf uri = {0};

	buf_printf(&uri, "/api/v2/outbound/%s/", kind->path);
	buf_put_uri(&uri, id, strlen(id));
	json_object_set_new(thing->body, "selfUri", json_stringn(uri.data, uri.len));
	buf_free(&uri);
}

static Thing *
make_thing(Kind *kind, const json_t *id)
{
	Thing *thing = sim_alloc(sizeof(Thing));
	char uuid[UUID_SIZE];

	sim_uuid(uuid);
	thing->created_us = thing->modified_us = sim_now_us();
	thing->body = json_object();
	json_object_set_new(thing->body, "id", json_string(id ? json_string_value(id) : uuid));
	if (kind->path)
		set_self_uri(kind, thing);
	if (kind->first == NULL)
		kind->end = &kind->first;
	*kind->end = thing;
	kind->end = &thing->next;
	return thing;
}

static void
set_members(Thing *thing, const json_t *members)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *) members, name, value)
	{
		if (json_is_null(value))
			json_object_del(thing->body, name);
		else if (strcmp(name, "id") != 0)
			json_object_set(thing->body, name, value);
	}
}

Thing *
things_set(ThingKind kind, const json_t *members)
{
	const json_t *id = json_object_get(members, "id");
	Thing *thing = NULL;

	if (!json_is_string(id))
		id = NULL;
	if (id)
		thing =
			things_find(kind, (Span){(char *) json_string_value(id), json_string_length(id)});
	if (thing == NULL)
		thing = make_thing(&kinds[kind], id);
	set_members(thing, members);
	thing->version++;
	thing->modified_us = sim_now_us();
	if (kind == THING_EVENT || kind == THING_JOB)
		return thing;
	json_object_set_new(thing->body, "version", json_integer(thing->version));
	set_date(thing, "dateCreated", thing->created_us);
	set_date(thing, "dateModified", thing->modified_us);
	return thing;
}

void
things_remove(ThingKind kind, Thing *thing)
{
	Thing **place = &kinds[kind].first;

	while (*place != thing)
		place = &(*place)->next;
	*place = thing->next;
	if (kinds[kind].end == &thing->next)
		kinds[kind].end = place;
	json_decref(thing->body);
	free(thing);
}

void
things_reset(void)
{
	for (int i = 0; i < THING_KINDS; i++)
		while (kinds[i].first)
		{
			Thing *thing = kinds[i].first;

			kinds[i].first = thing->next;
			json_decref(thing->body);
			free(thing);
		}
}

const char *
thing_text(const Thing *thing, const char *member)
{
	const char *text = json_string_value(json_object_get(thing->body, member));

	return text ? text : "";
}

Listed
thing_listed(Thing *thing)
{
	return (Listed){thing_text(thing, "id"),
					thing_text(thing, "name"),
					division_of(thing->body),
					thing->created_us,
					thing->modified_us,
					thing->version,
					thing};
}

Thing *
thing_named(ThingKind kind, Request *req)
{
	Thing *thing = things_find(kind, req->arg[0]);

	if (thing == NULL)
		reply_error(req, 404, "resource.not.found", "There is no such thing.");
	return thing;
}

json_t *
thing_show(const Thing *thing, const char *hidden)
{
	json_t *shown = json_object();
	const char *name;
	json_t *value;

	json_object_foreach(thing->body, name, value)
	{
		char *wanted = sim_printf(" %s ", name);

		if (strstr(hidden, wanted) == NULL)
			json_object_set(shown, name, value);
		free(wanted);
	}
	return shown;
}

json_t *
thing_reference(const char *id, const char *name, const char *path)
{
	Buf uri = {0};
	json_t *reference;

	buf_printf(&uri, "/api/v2/outbound/%s/", path);
	buf_put_uri(&uri, id, strlen(id));
	buf_putc(&uri, '\0');
	reference = json_pack("{s:s, s:s, s:s}", "id", id, "name", name, "selfUri", uri.data);
	buf_free(&uri);
	return reference;
}

json_t *
thing_body(Request *req)
{
	json_t *json = json_loadb(req->body.data, req->body.len, 0, NULL);

	if (json_is_object(json))
		return json;
	json_decref(json);
	reply_error(req, 400, "bad.request", "The body must be an object.");
	return NULL;
}

const char *
thing_refers(const json_t *body, const char *member)
{
	const char *id = json_string_value(json_object_get(json_object_get(body, member), "id"));

	return id ? id : "";
}
