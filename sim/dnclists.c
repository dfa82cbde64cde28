/*
 * dnclists.c
 *	  DNC lists and their entries.
 *
 * The entries are a member of the list that is never shown: an object of
 * entries and when they expire, null for those that never do.
 */
#include "dnclists.h"
#include "criteria.h"
#include "csv.h"
#include "errors.h"
#include "exports.h"
#include "switches.h"
#include "things.h"

#define PIECE (1024 * 1024) /* is written to the file at once */

static json_t *
entries_of(const Thing *list)
{
	return json_object_get(list->body, "entries");
}

/* Entries as a test gives them: texts, or {entry, expiration}. */
static json_t *
read_entries(const json_t *given)
{
	json_t *entries = json_object();
	size_t i;
	json_t *item;

	json_array_foreach(given, i, item)
	{
		json_t *entry = json_is_object(item) ? json_object_get(item, "entry") : item;
		json_t *until = json_object_get(item, "expiration");

		if (json_is_string(entry))
			json_object_set_new(entries, json_string_value(entry),
								json_is_string(until) ? json_incref(until) : json_null());
	}
	return entries;
}

static void
set_defaults(Thing *list)
{
	json_t *defaults = json_pack("{s:s, s:s, s:s, s:o, s:{}}", "name", thing_text(list, "id"),
								 "dncSourceType", "rds", "contactMethod", "Phone", "division",
								 division_home(), "entries");

	json_object_update_missing(list->body, defaults);
	json_decref(defaults);
}

static json_t *
show(const Thing *list, bool with_size, bool with_status)
{
	json_t *shown = thing_show(list, with_status ? " entries " : " entries importStatus ");

	if (with_size)
		json_object_set_new(shown, "size",
							json_integer((json_int_t) json_object_size(entries_of(list))));
	return shown;
}

Thing *
dnc_list_make(const json_t *members)
{
	Thing *list = things_set(THING_DNC_LIST, members);

	set_defaults(list);
	return list;
}

json_t *
dnc_list_show(const Thing *list)
{
	return show(list, false, false);
}

void
dnc_lists_seed(Request *req)
{
	json_t *body = thing_body(req);
	json_t *given = json_object_get(body, "entries");
	Thing *list;

	if (body == NULL)
		return;
	if (given)
		json_object_set_new(body, "entries", read_entries(given));
	list = dnc_list_make(body);
	reply_json(req, 200, show(list, true, true));
	json_decref(body);
}

void
dnc_list_get(Request *req)
{
	Thing *list = thing_named(THING_DNC_LIST, req);
	bool with_size = false;
	bool with_status = false;

	if (list && request_flag(req, "includeSize", &with_size) &&
		request_flag(req, "includeImportStatus", &with_status))
		reply_json(req, 200, show(list, with_size, with_status));
}

static void
put_list(Buf *out, const Listing *listing, void *thing)
{
	json_t *shown = show(thing, listing->with_size, listing->with_status);

	buf_put_json(out, shown);
	json_decref(shown);
}

void
dnc_lists_get(Request *req)
{
	Listing listing;
	const char *source;

	if (listing_open(&listing, req) &&
		listing_one_of(req, "dncSourceType", " rds rds_custom dnc.com gryphon ", &source))
	{
		for (Thing *list = things_first(THING_DNC_LIST); list; list = list->next)
		{
			const Listed listed = thing_listed(list);

			if (listing_names(req, "dncSourceType", thing_text(list, "dncSourceType")))
				listing_offer(&listing, &listed);
		}
		listing_reply(&listing, put_list);
	}
	listing_close(&listing);
}

/* The list that the path names, if its entries are kept here; NULL with a reply. */
static Thing *
writable_list(Request *req)
{
	Thing *list = thing_named(THING_DNC_LIST, req);

	if (list == NULL || strncmp(thing_text(list, "dncSourceType"), "rds", 3) == 0)
		return list;
	reply_error(req, 400, "dnc.source.operation.not.supported",
				"The source of the list does not support the operation.");
	return NULL;
}

/* When the entries expire: null = never; NULL, with an error as the reply. */
static json_t *
read_expiration(Request *req, Span given)
{
	long double seconds;

	if (given.p == NULL || given.n == 0)
		return json_null();
	if (text_time(given, &seconds))
		return json_stringn(given.p, given.n);
	reply_error(req, 400, "invalid.date.value", "The expiration is no date.");
	return NULL;
}

/* The collections of entries: the last part of their path, their member, and whose they are. */
static const struct
{
	const char *part;
	const char *member;
	const char *method; /* of the list; or Any */
	bool custom;		/* its source is rds_custom */
} collections[] = {
	{"/phonenumbers", "phoneNumbers", "Phone", false},
	{"/emailaddresses", "emailAddresses", "Email", false},
	{"/whatsappnumbers", "whatsAppNumbers", "WhatsApp", false},
	{"/customexclusioncolumns", "customExclusionColumnEntries", "", true},
};

/* The member of the collection that the path names, if the list has it; NULL with a reply. */
static const char *
collection_of(Request *req, const Thing *list)
{
	const char *method = thing_text(list, "contactMethod");
	bool custom = strcmp(thing_text(list, "dncSourceType"), "rds_custom") == 0;
	size_t i = 0;

	while (strstr(req->path, collections[i].part) == NULL)
		i++;
	if (collections[i].custom == custom &&
		(custom || strcmp(method, "Any") == 0 || strcmp(method, collections[i].method) == 0))
		return collections[i].member;
	reply_error(req, 400, "constraint.validation", "The list does not have such entries.");
	return NULL;
}

/* How many it takes at once, and has in all. */
static bool
check_room(Request *req, const Thing *list, const json_t *texts, bool add)
{
	int64_t given = (int64_t) json_array_size(texts);
	int64_t had = (int64_t) json_object_size(entries_of(list));

	if (given > sw_number(SW_DNC_ENTRIES_MAX))
		reply_error(req, 400, "constraint.validation", "There are too many entries.");
	else if (add && had + given > sw_number(SW_DNC_RECORDS_MAX))
		reply_error(req, 400, "dnc.records.per.list.limit.exceeded",
					"The list would have too many records.");
	else
		return true;
	return false;
}

static bool
check_texts(Request *req, const json_t *texts)
{
	size_t i;
	json_t *item;
	bool good = json_is_array(texts);

	json_array_foreach(texts, i, item) good = good && json_is_string(item);
	req->rows = (int64_t) json_array_size(texts);
	if (!good)
		reply_error(req, 400, "bad.request", "The entries must be an array of strings.");
	return good;
}

static void
set_entries(Thing *list, const json_t *texts, bool add, json_t *until)
{
	json_t *entries = entries_of(list);
	size_t i;
	json_t *item;

	json_array_foreach(texts, i, item)
	{
		const char *entry = json_string_value(item);
		bool keeps = json_is_null(until) && sw_is(SW_DNC_UNDATED_ADD, "keep") &&
					 json_object_get(entries, entry);

		if (!add)
			json_object_del(entries, entry);
		else if (!keeps)
			json_object_set(entries, entry, until);
	}
}

void
dnc_add(Request *req)
{
	Thing *list = writable_list(req);
	const Span *given = request_param(req, "expirationDateTime");
	json_t *texts = json_loadb(req->body.data, req->body.len, 0, NULL);
	json_t *until = NULL;

	if (list && check_texts(req, texts) && collection_of(req, list) &&
		check_room(req, list, texts, true) &&
		(until = read_expiration(req, given ? *given : (Span){NULL, 0})) != NULL)
	{
		set_entries(list, texts, true, until);
		reply_empty(req, 200);
	}
	json_decref(until);
	json_decref(texts);
}

void
dnc_patch(Request *req)
{
	Thing *list = writable_list(req);
	json_t *body = list ? thing_body(req) : NULL;
	const char *member = body ? collection_of(req, list) : NULL;
	const json_t *texts = member ? json_object_get(body, member) : NULL;
	const char *action = json_string_value(json_object_get(body, "action"));
	json_t *given = json_object_get(body, "expirationDateTime");
	bool add = action && strcmp(action, "Add") == 0;
	json_t *until = NULL;

	if (member == NULL)
		json_decref(body);
	if (member == NULL)
		return;
	if (!action || (!add && strcmp(action, "Remove") != 0))
		reply_error(req, 400, "constraint.validation", "action is Add or Remove.");
	else if (check_texts(req, texts) && check_room(req, list, texts, add) &&
			 (until = read_expiration(req, (Span){(char *) json_string_value(given),
												  json_string_length(given)})) != NULL)
	{
		set_entries(list, texts, add, until);
		reply_empty(req, 200);
	}
	json_decref(until);
	json_decref(body);
}

static bool
has_expired(const json_t *until)
{
	Span date = {(char *) json_string_value(until), json_string_length(until)};
	long double seconds;

	return date.p && text_time(date, &seconds) &&
		   seconds * 1000000 < (long double) sim_now_us();
}

void
dnc_wipe(Request *req)
{
	Thing *list = writable_list(req);
	bool expired = false;
	const char *entry;
	json_t *until;
	void *next;

	if (!list || !collection_of(req, list) || !request_flag(req, "expiredOnly", &expired))
		return;
	json_object_foreach_safe(entries_of(list), next, entry, until)
	{
		if (!expired || has_expired(until))
			json_object_del(entries_of(list), entry);
	}
	reply_empty(req, 204);
}

/* Column 0 is the entry, column 2 when it expires. */
static Stream *
make_file(const Thing *list)
{
	Stream *stream = stream_create();
	const char *method = thing_text(list, "contactMethod");
	Buf piece = {0};
	bool good = stream != NULL;
	const char *entry;
	json_t *until;

	csv_put_start(&piece, "Entry");
	buf_puts(&piece, ",ContactMethod,ExpirationDateTime");
	csv_put_end(&piece);
	json_object_foreach(entries_of(list), entry, until)
	{
		csv_put_text(&piece, entry);
		buf_putc(&piece, ',');
		csv_put_text(&piece, method);
		buf_putc(&piece, ',');
		csv_put_text(&piece, json_is_string(until) ? json_string_value(until) : "");
		csv_put_end(&piece);
		if (good && piece.len >= PIECE)
			good = stream_append(stream, &piece);
	}
	if (good && stream_append(stream, &piece))
	{
		buf_free(&piece);
		return stream;
	}
	buf_free(&piece);
	stream_release(stream);
	return NULL;
}

void
dnc_export_post(Request *req)
{
	Thing *list = writable_list(req);
	const char *name = list ? thing_text(list, "name") : NULL;
	Stream *stream;

	if (!list || !export_may_begin(req, "dnclists", name))
		return;
	if ((stream = make_file(list)) != NULL)
		export_begin(req, "dnclists", name, stream,
					 (int64_t) json_object_size(entries_of(list)));
	else
		reply_error(req, 500, "internal.server.error", "There is no room for the export.");
}

void
dnc_export_get(Request *req)
{
	if (thing_named(THING_DNC_LIST, req))
		export_get(req, "dnclists");
}
