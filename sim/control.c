/*
 * control.c
 *	  /_sim: what tests set and ask.
 */
#include <stdlib.h>

#include "auth.h"
#include "bulk_run.h"
#include "changes.h"
#include "collections.h"
#include "contact_json.h"
#include "control.h"
#include "digest.h"
#include "errors.h"
#include "exports.h"
#include "faults.h"
#include "import_control.h"
#include "imports.h"
#include "journal.h"
#include "lists.h"
#include "locks.h"
#include "record.h"
#include "state.h"
#include "switches.h"
#include "things.h"
#include "uploads.h"

void
control_reset(Request *req)
{
	runs_reset();
	imports_reset();
	uploads_reset();
	exports_reset();
	things_reset();
	collections_reset();
	store_reset();
	faults_clear();
	record_reset();
	auth_reset();
	limit_reset();
	switches_reset();
	counters_reset();
	journal_reset();
	reply_json(req, 200, json_object());
}

/* {"client": "its new secret"} */
static bool
set_secrets(const json_t *secrets, char **why)
{
	const char *id;
	json_t *secret;

	if (!json_is_object(secrets))
		*why = sim_strdup("client_secret takes an object of ids and secrets");
	json_object_foreach((json_t *) secrets, id, secret)
	{
		if (*why == NULL &&
			(!json_is_string(secret) || !auth_set_secret(id, json_string_value(secret))))
			*why = sim_printf("client \"%s\" is not there or its secret no string", id);
	}
	return *why == NULL;
}

/* {"client": ["domain:entity:action"...]}, or null for all of them */
static bool
set_permissions(const json_t *permissions, char **why)
{
	const char *id;
	json_t *set;

	if (!json_is_object(permissions))
		*why = sim_strdup("client_permissions takes an object of ids and arrays");
	json_object_foreach((json_t *) permissions, id, set)
	{
		if (*why == NULL && !auth_set_permissions(id, set))
			*why = sim_printf("client \"%s\" is not there or its permissions none", id);
	}
	return *why == NULL;
}

static bool
set_one(const char *name, const json_t *value, char **why)
{
	if (strcmp(name, "client_secret") == 0)
		return set_secrets(value, why);
	if (strcmp(name, "client_permissions") == 0)
		return set_permissions(value, why);
	if (strcmp(name, "revoke_tokens") != 0)
		return switch_set_json(name, value, why);
	if (json_is_true(value))
		auth_revoke_tokens();
	return true;
}

/* One that is wrong is told of; those before it are set. */
void
control_set(Request *req)
{
	json_t *json = json_loadb(req->body.data, req->body.len, 0, NULL);
	const char *name;
	json_t *value;
	char *why = NULL;

	if (!json_is_object(json))
		why = sim_strdup("the body must be an object");
	json_object_foreach(json, name, value)
	{
		if (!set_one(name, value, &why))
			break;
	}
	json_decref(json);
	if (why)
		reply_error(req, 400, "bad.request", "%s", why);
	else
		reply_json(req, 200, switches_json());
	free(why);
}

void
control_set_faults(Request *req)
{
	faults_set(req);
}

void
control_faults(Request *req)
{
	faults_list(req);
}

void
control_requests(Request *req)
{
	int64_t since = 0;
	const Span *path = request_param(req, "path");

	if (request_number(req, "since", &since))
		record_list(req, since, path ? path->p : "");
}

void
control_clear_requests(Request *req)
{
	record_clear();
	reply_json(req, 200, json_object());
}

static json_t *
show_lists(void)
{
	json_t *lists = json_array();

	for (List *list = store_lists(); list; list = list->next)
	{
		list_settle(list);
		json_array_append_new(lists, json_pack("{s:s, s:s, s:I, s:s?}", "id", list->id, "name",
											   list->name, "contacts",
											   (json_int_t) (list->ncontacts + list->accepted),
											   "locked", list_locked(list)));
	}
	return lists;
}

static json_t *
show_windows(void)
{
	json_t *windows = auth_windows();

	limit_show_bulk(windows);
	return windows;
}

void
control_state(Request *req)
{
	const struct
	{
		const char *name;
		long value;
	} counts[] = {
		{"requests", counters.requests},
		{"contacts_accepted", counters.contacts_accepted},
		{"rejected", counters.rejected},
		{"throttled", counters.throttled},
		{"throttled_bulk", counters.throttled_bulk},
		{"tokens_issued", counters.tokens_issued},
		{"in_flight", counters.in_flight},
		{"max_in_flight", counters.max_in_flight},
		{"connections", counters.connections},
	};
	json_t *state = json_object();
	char *storage = exports_storage();

	json_object_set_new(state, "lists", show_lists());
	json_object_set_new(state, "imports", imports_show(NULL));
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		json_object_set_new(state, counts[i].name, json_integer(counts[i].value));
	json_object_set_new(state, "throttled_at", limit_time(limit_throttled_us()));
	json_object_set_new(state, "storage", json_string(storage));
	free(storage);
	json_object_set_new(state, "windows", show_windows());
	json_object_set_new(state, "switches", switches_json());
	reply_json(req, 200, state);
}

void
control_lists(Request *req)
{
	Buf *out = &req->reply.body;

	buf_putc(out, '[');
	for (List *list = store_lists(); list; list = list->next)
	{
		list_settle(list);
		list_put_json(out, list, list->ncontacts + list->accepted, true);
		if (list->next)
			buf_putc(out, ',');
	}
	buf_putc(out, ']');
	reply_ok(req);
}

/* The list that a parameter names; NULL, with an error as the reply. */
static List *
named_list(Request *req)
{
	const Span *id = request_param(req, "listId");
	List *list = id ? store_find(*id) : NULL;

	if (list == NULL)
		reply_error(req, 404, "not.found", "listId names no list.");
	return list;
}

void
control_contacts(Request *req)
{
	List *list = named_list(req);
	int64_t offset = 0;
	int64_t limit = INT32_MAX;
	Buf *out = &req->reply.body;
	char before = '[';

	if (!list || !request_number(req, "offset", &offset) ||
		!request_number(req, "limit", &limit))
		return;
	list_compact(list);
	for (int64_t i = offset; i < list->ncontacts && i - offset < limit; i++)
	{
		buf_putc(out, before);
		contact_put_raw(out, list, list->order[i]);
		before = ',';
	}
	buf_puts(out, before == '[' ? "[]" : "]");
	reply_ok(req);
}

/* "deleted": true: gone, as by somebody else; "members" otherwise. */
static void
change_contact(Request *req, List *list, Contact *contact, json_t *members)
{
	bool deleted = json_is_true(json_object_get(members, "deleted"));

	json_object_del(members, "deleted");
	if (deleted)
	{
		list_delete(list, contact);
		reply_json(req, 200, json_object());
	}
	else if (contact_set_members(list, &contact, members))
	{
		contact_put_raw(&req->reply.body, list, contact);
		reply_ok(req);
	}
	else
		reply_error(req, 400, "bad.request", "A contact has no such attribute or column.");
}

void
control_set_contact(Request *req)
{
	json_t *json = json_loadb(req->body.data, req->body.len, JSON_ALLOW_NUL, NULL);
	json_t *list_id = json_object_get(json, "listId");
	json_t *id = json_object_get(json, "id");
	List *list = NULL;
	Contact *contact = NULL;

	if (json_is_string(list_id) && json_is_string(id))
		list = store_find(
			(Span){(char *) json_string_value(list_id), json_string_length(list_id)});
	if (list)
		contact =
			list_contact(list, (Span){(char *) json_string_value(id), json_string_length(id)});
	if (contact)
		change_contact(req, list, contact, json);
	else
		reply_error(req, 404, "not.found", "listId and id name no contact.");
	json_decref(json);
}

/* The columns that a comma-separated parameter names; -1 when one is unknown. */
static int
named_columns(Request *req, const List *list, int *wanted)
{
	const Span *names = request_param(req, "columns");
	char *p = names ? names->p : NULL;
	int n = 0;

	while (p && *p)
	{
		size_t len = strcspn(p, ",");
		int column = columns_find(list->columns, (Span){p, len}, n);

		if (column < 0 || n == MAX_COLUMNS)
		{
			reply_error(req, 400, "bad.request", "There is no column %.*s.", (int) len, p);
			return -1;
		}
		wanted[n++] = column;
		p += len + (p[len] == ',');
	}
	return n;
}

/* The sum, so in whatever order, of a digest of the id and the named cells. */
void
control_checksum(Request *req)
{
	List *list = named_list(req);
	int wanted[MAX_COLUMNS];
	int n = list ? named_columns(req, list, wanted) : -1;
	uint64_t sum = 0;
	Buf text = {0};

	if (n < 0)
		return;
	list_compact(list);
	for (uint32_t i = 0; i < list->ncontacts; i++)
	{
		Span cells[MAX_COLUMNS];
		Span id = contact_id(list->order[i]);

		contact_cells(list->order[i], cells);
		text.len = 0;
		buf_put(&text, id.p, id.n);
		for (int c = 0; c < n; c++)
		{
			buf_putc(&text, 0x1f);
			buf_put(&text, cells[wanted[c]].p, cells[wanted[c]].n);
		}
		sum += md5_head(text.data, text.len);
	}
	buf_free(&text);
	buf_printf(&req->reply.body, "{\"count\":%u,\"checksum\":\"%016llx\"}", list->ncontacts,
			   (unsigned long long) sum);
	reply_ok(req);
}
