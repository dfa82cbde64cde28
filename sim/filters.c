/*
 * filters.c
 *	  Saved filters of contact lists.
 */
#include "filters.h"
#include "contact_json.h"
#include "errors.h"
#include "lag.h"
#include "things.h"

#define PREVIEW_ROWS 10

bool
filter_conditions(Request *req, const json_t *body, const List *list,
				  const json_t **conditions)
{
	const json_t *id = json_object_get(body, "contactListFilterId");
	const json_t *criteria = json_object_get(body, "criteria");
	Thing *filter;

	*conditions = json_is_null(criteria) ? NULL : criteria;
	if (!json_is_string(id))
		return true;
	filter = things_find(THING_FILTER,
						 (Span){(char *) json_string_value(id), json_string_length(id)});
	if (filter == NULL)
		reply_error(req, 404, "resource.not.found", "The contact list filter was not found.");
	else if (strcmp(thing_refers(filter->body, "contactList"), list->id) != 0)
		reply_error(req, 400, "bad.request", "The filter is of another contact list.");
	else if (*conditions)
		reply_error(req, 400, "bad.request", "There are a filter and criteria.");
	else
	{
		*conditions = filter->body;
		return true;
	}
	return false;
}

/* The list of the filter; NULL, with an error as the reply. */
static List *
filter_list(Request *req, const json_t *body)
{
	const char *id = thing_refers(body, "contactList");
	List *list = store_find((Span){(char *) id, strlen(id)});

	if (list == NULL)
		reply_error(req, 404, "contact.list.not.found", "The contact list was not found.");
	return list;
}

/* The list and what it is asked; NULL, with an error as the reply. */
static Criteria *
read_filter(Request *req, const json_t *body, List **list)
{
	*list = filter_list(req, body);
	return *list ? criteria_read(req, body, (*list)->columns) : NULL;
}

/* Makes the filter that the body is, or changes that with its id; the body is checked here. */
static void
set_filter(Request *req, json_t *body)
{
	Criteria *criteria;
	List *list;

	if (!json_is_string(json_object_get(body, "name")))
		reply_error(req, 400, "constraint.validation", "A filter wants a name.");
	else if ((criteria = read_filter(req, body, &list)) != NULL)
	{
		json_object_set_new(body, "contactList",
							thing_reference(list->id, list->name, "contactlists"));
		reply_json(req, 200, thing_show(things_set(THING_FILTER, body), ""));
		criteria_free(criteria);
	}
}

void
filters_post(Request *req)
{
	json_t *body = thing_body(req);

	if (body)
		set_filter(req, body);
	json_decref(body);
}

void
filter_get(Request *req)
{
	Thing *filter = thing_named(THING_FILTER, req);

	if (filter)
		reply_json(req, 200, thing_show(filter, ""));
}

void
filter_put(Request *req)
{
	Thing *filter = thing_named(THING_FILTER, req);
	json_t *body = filter ? thing_body(req) : NULL;

	if (body && json_integer_value(json_object_get(body, "version")) != filter->version)
		reply_error(req, 409, "invalid.update.wrong.version",
					"The version given does not match the current version.");
	else if (body)
	{
		json_object_set(body, "id", json_object_get(filter->body, "id"));
		set_filter(req, body);
	}
	json_decref(body);
}

void
filter_delete(Request *req)
{
	Thing *filter = thing_named(THING_FILTER, req);

	if (filter)
	{
		things_remove(THING_FILTER, filter);
		reply_empty(req, 204);
	}
}

static void
put_filter(Buf *out, const Listing *listing, void *thing)
{
	const Thing *filter = thing;

	(void) listing;
	buf_put_json(out, filter->body);
}

void
filters_get(Request *req)
{
	Listing listing;

	if (listing_open(&listing, req))
	{
		for (Thing *filter = things_first(THING_FILTER); filter; filter = filter->next)
		{
			const Listed listed = thing_listed(filter);

			if (listing_names(req, "contactListId", thing_refers(filter->body, "contactList")))
				listing_offer(&listing, &listed);
		}
		listing_reply(&listing, put_filter);
	}
	listing_close(&listing);
}

static void
put_preview(Request *req, List *list, Criteria *criteria)
{
	Buf *out = &req->reply.body;
	Contact **shown;
	int64_t n = lag_shown(list, &shown);
	int64_t found = 0;

	buf_puts(out, "{\"preview\":[");
	for (int64_t i = 0; i < n; i++)
	{
		Span cells[MAX_COLUMNS];

		contact_cells(shown[i], cells);
		if (!criteria_match(criteria, cells) || found++ >= PREVIEW_ROWS)
			continue;
		if (found > 1)
			buf_putc(out, ',');
		contact_put_json(out, list, shown[i]);
	}
	buf_printf(out, "],\"filteredContacts\":%lld,\"totalContacts\":%lld}", (long long) found,
			   (long long) n);
	reply_ok(req);
}

void
filter_preview(Request *req)
{
	json_t *body = thing_body(req);
	List *list;
	Criteria *criteria = body ? read_filter(req, body, &list) : NULL;

	if (criteria)
	{
		put_preview(req, list, criteria);
		criteria_free(criteria);
	}
	json_decref(body);
}
