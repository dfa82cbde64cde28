/*
 * lists.c
 *	  The calls on contact lists.
 */
#include <stdlib.h>

#include "divisions.h"
#include "errors.h"
#include "exports.h"
#include "imports.h"
#include "journal.h"
#include "lag.h"
#include "list_check.h"
#include "listing.h"
#include "lists.h"
#include "locks.h"
#include "switches.h"

#define MAX_LISTS 1000
#define MAX_BULK  100

/* Lists that tests seed are that old: nothing of them is still to come. */
#define SEED_AGE_US (60 * INT64_C(1000000))

static void
put_date(Buf *out, const char *name, int64_t us)
{
	char text[TIME_SIZE];

	sim_format_time(us, text);
	buf_printf(out, ",\"%s\":\"%s\"", name, text);
}

/* What is shown only when asked for. */
static void
put_status(Buf *out, const List *list, int64_t size, bool with_status)
{
	if (size != NOT_SHOWN)
		buf_printf(out, ",\"size\":%lld", (long long) size);
	if (with_status && list->import_status)
	{
		buf_puts(out, ",\"importStatus\":");
		buf_put_json(out, list->import_status);
	}
}

void
list_put_json(Buf *out, const List *list, int64_t size, bool with_status)
{
	static const char read_only[] =
		" id dateCreated dateModified version size importStatus selfUri ";
	const char *name;
	json_t *value;

	buf_puts(out, "{\"id\":");
	buf_put_string(out, list->id, strlen(list->id));
	put_date(out, "dateCreated", list->created_us);
	put_date(out, "dateModified", list->modified_us);
	buf_printf(out, ",\"version\":%d", list->version);
	json_object_foreach(list->body, name, value)
	{
		if (json_is_null(value) || strstr(read_only, name))
			continue;
		buf_putc(out, ',');
		buf_put_string(out, name, strlen(name));
		buf_putc(out, ':');
		buf_put_json(out, value);
	}
	if (!json_is_boolean(json_object_get(list->body, "trimWhitespace")))
		buf_puts(out, ",\"trimWhitespace\":true");
	put_status(out, list, size, with_status);
	buf_puts(out, ",\"selfUri\":\"/api/v2/outbound/contactlists/");
	buf_put_uri(out, list->id, strlen(list->id));
	buf_puts(out, "\"}");
}

static int64_t
shown_size(List *list, bool with_size)
{
	Contact **shown;

	return with_size ? lag_shown(list, &shown) + list->accepted : NOT_SHOWN;
}

static json_t *
read_body(Request *req)
{
	json_t *json = json_loadb(req->body.data, req->body.len, 0, NULL);

	if (json == NULL)
		reply_error(req, 400, "bad.request",
					"The request could not be understood by the server.");
	return json;
}

static List *
add_list(Request *req, json_t *json, const char *id)
{
	char uuid[UUID_SIZE];

	if (!list_check(req, json, NULL))
		return NULL;
	/* One that is seeded has what a test says. */
	if ((id == NULL || json_object_get(json, "division") == NULL) &&
		!division_refer(req, json))
		return NULL;
	if (store_count() >= MAX_LISTS)
	{
		reply_error(req, 400, "max.entity.count.reached", "There are %d contact lists.",
					MAX_LISTS);
		return NULL;
	}
	sim_uuid(uuid);
	return store_add(id ? id : uuid, json_incref(json), list_columns(json));
}

void
lists_post(Request *req)
{
	json_t *json = read_body(req);
	List *list = json ? add_list(req, json, NULL) : NULL;

	if (list)
	{
		list->ready_us = list->created_us + sw_number(SW_PROVISION_MS) * 1000;
		list->contacts_us = list->ready_us + sw_number(SW_PROVISION_CONTACTS_MS) * 1000;
		list_put_json(&req->reply.body, list, NOT_SHOWN, false);
		reply_ok(req);
	}
	json_decref(json);
}

void
lists_seed(Request *req)
{
	json_t *json = read_body(req);
	json_t *id = json_object_get(json, "id");
	List *list = NULL;

	if (json_is_string(id) &&
		store_find((Span){(char *) json_string_value(id), json_string_length(id)}))
		reply_error(req, 400, "bad.request", "There is a list with this id.");
	else if (json)
		list = add_list(req, json, json_string_value(id));
	if (list)
	{
		journal_list(list, json);
		list->created_us -= SEED_AGE_US;
		list_put_json(&req->reply.body, list, 0, false);
		reply_ok(req);
	}
	json_decref(json);
}

bool
list_is_ready(const List *list)
{
	return list->ready_us <= sim_now_us();
}

List *
list_find(Request *req, const char *code)
{
	List *list = store_find(req->arg[0]);

	if (list && list_is_ready(list))
		return list;
	if (list && sw_is(SW_PROVISION_STATUS, "409"))
	{
		reply_error(req, 409, "contact.list.not.ready", "The contact list is processing.");
		return NULL;
	}
	reply_error(req, 404, code, "The contact list was not found.");
	return NULL;
}

void
list_get(Request *req)
{
	List *list = list_find(req, "contact.list.not.found");
	bool with_size = false;
	bool with_status = false;

	if (!list || !request_flag(req, "includeSize", &with_size) ||
		!request_flag(req, "includeImportStatus", &with_status))
		return;
	list_put_json(&req->reply.body, list, shown_size(list, with_size), with_status);
	reply_ok(req);
}

void
list_put(Request *req)
{
	List *list = list_find(req, "resource.not.found");
	json_t *json = list ? read_body(req) : NULL;

	if (json && list_check_update(req, json, list) && division_refer(req, json))
	{
		json_decref(list->body);
		list->body = json_incref(json);
		free(list->name);
		list->name = sim_strdup(json_string_value(json_object_get(json, "name")));
		list->version++;
		list->modified_us = sim_now_us();
		list_put_json(&req->reply.body, list, NOT_SHOWN, false);
		reply_ok(req);
	}
	json_decref(json);
}

static void
reply_deleted(Request *req, int status)
{
	reply_empty(req,
				sw_is(SW_DELETE_STATUS, "auto") ? status : (int) sw_number(SW_DELETE_STATUS));
}

/* One that is being filled stays. */
static bool
is_importing(const List *list)
{
	return sw_is(SW_IMPORT_DELETE, "refuse") && imports_active(list->id, false) > 0;
}

static bool
has_it(ThingKind kind, const List *list)
{
	for (Thing *campaign = things_first(kind); campaign; campaign = campaign->next)
		if (strcmp(thing_refers(campaign->body, "contactList"), list->id) == 0)
			return true;
	return false;
}

/* One that a campaign refers to stays, too. */
static bool
is_used(const List *list)
{
	return has_it(THING_CAMPAIGN, list) || has_it(THING_MESSAGING, list);
}

static void
remove_list(List *list)
{
	exports_forget("contactlists", list->id);
	store_remove(list);
}

void
list_delete_one(Request *req)
{
	List *list = list_find(req, "resource.not.found");

	if (list && is_importing(list))
		reply_error(req, 400, "contact.list.import.in.progress",
					"The contact list has an import in progress.");
	else if (list && is_used(list) && sw_is(SW_LIST_IN_USE, "in_use"))
		reply_error(req, 400, "contact.list.in.use", "The contact list is in use.");
	else if (list && is_used(list))
		reply_error(req, 400, "referential.integrity.error",
					"The contact list is referred to by a campaign.");
	else if (list)
	{
		remove_list(list);
		reply_deleted(req, 200);
	}
}

/* Those that exist are deleted; one that does not makes the reply a conflict. */
void
lists_delete(Request *req)
{
	int asked = 0;
	int missing = 0;

	for (int i = 0; i < req->nparams; i++)
		asked += span_is(req->params[i].name, "id");
	if (asked == 0 || asked > MAX_BULK)
	{
		reply_error(req, 400, asked ? "too.many.deletes" : "invalid.query.param.value",
					"Between 1 and %d ids can be given.", MAX_BULK);
		return;
	}
	for (int i = 0; i < req->nparams; i++)
	{
		List *list;

		if (!span_is(req->params[i].name, "id"))
			continue;
		if ((list = store_find(req->params[i].value)) != NULL && !is_importing(list) &&
			!is_used(list))
			remove_list(list);
		else
			missing++;
	}
	if (missing > 0)
		reply_error(req, 409, "bulk.delete.conflict", "%d of %d lists were not deleted.",
					missing, asked);
	else
		reply_deleted(req, 204);
}

void
list_clear_contacts(Request *req)
{
	List *list = list_find(req, "contact.list.not.found");
	int64_t delay = sw_number(SW_CLEAR_MS) * 1000;

	if (list == NULL || list_refuses(req, list))
		return;
	list_clear(list, delay ? sim_now_us() + delay : 0);
	reply_empty(req, 200);
}

static void
put_view(Buf *out, const List *list, int64_t size, bool with_status)
{
	static const char *const shown[] = {"columnNames", "phoneColumns", "emailColumns",
										"whatsAppColumns", "division"};
	json_t *view = json_pack("{s:s, s:s}", "id", list->id, "name", list->name);

	json_object_set_new(view, "division", division_home());
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
	{
		json_t *value = json_object_get(list->body, shown[i]);

		if (value && !json_is_null(value))
			json_object_set(view, shown[i], value);
	}
	buf_put_json(out, view);
	json_decref(view);
	out->len--; /* the brace */
	put_status(out, list, size, with_status);
	buf_puts(out, ",\"selfUri\":\"/api/v2/outbound/contactlists/divisionviews/");
	buf_put_uri(out, list->id, strlen(list->id));
	buf_puts(out, "\"}");
}

void
list_view_get(Request *req)
{
	List *list = list_find(req, "contact.list.not.found");
	bool with_size = false;
	bool with_status = false;

	if (!list || !request_flag(req, "includeSize", &with_size) ||
		!request_flag(req, "includeImportStatus", &with_status))
		return;
	put_view(&req->reply.body, list, shown_size(list, with_size), with_status);
	reply_ok(req);
}

static void
put_listed(Buf *out, const Listing *listing, void *thing)
{
	List *list = thing;

	list_put_json(out, list, shown_size(list, listing->with_size), listing->with_status);
}

static void
put_listed_view(Buf *out, const Listing *listing, void *thing)
{
	List *list = thing;

	put_view(out, list, shown_size(list, listing->with_size), listing->with_status);
}

static void
reply_listing(Request *req, ListingPut put)
{
	Listing listing;

	if (listing_open(&listing, req))
	{
		for (List *list = store_lists(); list; list = list->next)
		{
			const Listed listed = {list->id,
								   list->name,
								   division_of(list->body),
								   list->created_us,
								   list->modified_us,
								   list->version,
								   list};

			list_settle(list);
			if (list_is_ready(list))
				listing_offer(&listing, &listed);
		}
		listing_reply(&listing, put);
	}
	listing_close(&listing);
}

void
lists_get(Request *req)
{
	reply_listing(req, put_listed);
}

void
list_views_get(Request *req)
{
	reply_listing(req, put_listed_view);
}
