/*
 * contacts.c
 *	  The calls under /contactlists/{id}/contacts, search apart.
 */
#include <stdlib.h>

#include "changes.h"
#include "contact_json.h"
#include "contacts.h"
#include "criteria.h"
#include "errors.h"
#include "generate.h"
#include "locks.h"
#include "state.h"
#include "switches.h"

#define MAX_READ 50

List *
contacts_list(Request *req)
{
	List *list = store_find(req->arg[0]);

	bool ready = list && list->ready_us <= sim_now_us() && list->contacts_us <= sim_now_us();

	if (list == NULL || (!ready && sw_is(SW_PROVISION_STATUS, "404")))
	{
		reply_error(req, 404, "contact.list.not.found", "The contact list was not found.");
		return NULL;
	}
	if (!ready)
	{
		reply_error(req, 409, "contact.list.not.ready", "The contact list is processing.");
		return NULL;
	}
	/* Fields are being added. */
	if (list->processing_us > sim_now_us())
	{
		reply_error(req, 409, "contact.list.not.ready", "The contact list is processing.");
		return NULL;
	}
	return list;
}

/* Columns to read a body by, without the lock; NULL with an error as the reply. */
static Columns *
borrow_columns(Request *req)
{
	List *list;
	Columns *columns = NULL;

	state_lock();
	if ((list = contacts_list(req)) != NULL)
		columns = columns_share(list->columns);
	state_unlock();
	return columns;
}

static bool
tristate(Request *req, const char *name, int8_t *out)
{
	bool value = false;

	*out = -1;
	if (request_param(req, name) == NULL)
		return true;
	if (!request_flag(req, name, &value))
		return false;
	*out = value;
	return true;
}

static bool
read_flags(Request *req, PostFlags *flags)
{
	flags->clear_system_data = false;
	flags->blank = sw_is(SW_ABSENT_CELLS, "blank");
	return tristate(req, "priority", &flags->priority) &&
		   tristate(req, "doNotQueue", &flags->do_not_queue) &&
		   request_flag(req, "clearSystemData", &flags->clear_system_data);
}

/* A row whose contact the dialler holds, where that keeps it from being written. */
static bool
is_held(List *list, const Batch *batch, int i)
{
	Contact *contact = batch->rows[i].id.p ? list_contact(list, batch->rows[i].id) : NULL;

	return contact && contact_is_held(list, contact) && !sw_is(SW_IN_USE_WRITES, "take");
}

static bool
dialler_holds_one(List *list, const Batch *batch, Request *req)
{
	for (int i = 0; i < batch->n && sw_is(SW_IN_USE_WRITES, "409"); i++)
		if (is_held(list, batch, i))
		{
			reply_error(req, 409, "contact.in.use", "A contact is being dialed.");
			return true;
		}
	return false;
}

static int
compare_ids(const void *left, const void *right)
{
	const Span *a = *(const Span *const *) left;
	const Span *b = *(const Span *const *) right;

	return text_compare(*a, *b);
}

/* One that is twice in the batch, where that is a conflict. */
static bool
has_twice(const Batch *batch, Request *req)
{
	const Span *ids[MAX_BATCH];
	size_t n = 0;

	for (int i = 0; i < batch->n && sw_is(SW_DUPLICATE_IDS, "409"); i++)
		if (batch->rows[i].id.p)
			ids[n++] = &batch->rows[i].id;
	qsort(ids, n, sizeof(ids[0]), compare_ids);
	for (size_t i = 1; i < n; i++)
		if (text_compare(*ids[i - 1], *ids[i]) == 0)
		{
			reply_error(req, 409, "duplicate.contact.id",
						"The request has a duplicate contact: %.*s.", (int) ids[i]->n,
						ids[i]->p);
			reply_error_detail(req, (Span){"id", 2}, *ids[i]);
			return true;
		}
	return false;
}

/* One that is in another list, too, where ids are the organization's. */
static bool
is_elsewhere(const List *list, const Batch *batch, Request *req)
{
	for (List *other = store_lists(); other && sw_is(SW_EXTERNAL_ID_UNIQUE, "on");
		 other = other->next)
		for (int i = 0; i < batch->n && other != list; i++)
		{
			Span id = batch->rows[i].id;

			if (!id.p || !list_contact(other, id))
				continue;
			reply_error(req, 409, "duplicate.external.id",
						"A contact with the external id %.*s already exists in the "
						"organization.",
						(int) id.n, id.p);
			reply_error_detail(req, (Span){"externalId", 10}, id);
			return true;
		}
	return false;
}

static void
put_reversed(Buf *out, const Buf *echo, const size_t *ends, int n)
{
	for (int i = n - 1; i >= 0; i--)
	{
		size_t from = i > 0 ? ends[i - 1] : 0;

		buf_put(out, echo->data + from, ends[i] - from);
		if (i > 0)
			buf_putc(out, ',');
	}
}

/* All rows are good, so they are stored; each is shown as it is after its turn. */
static void
store_batch(List *list, const Batch *batch, const PostFlags *flags, Request *req)
{
	Buf *out = &req->reply.body;
	bool reversed = sw_is(SW_ECHO_ORDER, "reversed");
	bool skip = sw_is(SW_IN_USE_WRITES, "skip");
	size_t ends[MAX_BATCH];
	int stored = 0;
	Buf echo = {0};

	buf_reserve(out, req->body.len * 3 / 2 + 64);
	buf_putc(out, '[');
	for (int i = 0; i < batch->n; i++)
	{
		Contact *contact =
			skip && is_held(list, batch, i) ? NULL : contact_upsert(list, batch, i, flags);

		if (contact == NULL)
			continue;
		if (stored > 0 && !reversed)
			buf_putc(out, ',');
		contact_put_json(reversed ? &echo : out, list, contact);
		ends[stored++] = echo.len;
	}
	put_reversed(out, &echo, ends, reversed ? stored : 0);
	buf_free(&echo);
	buf_putc(out, ']');
	counters.contacts_accepted += stored;
	reply_ok(req);
}

static void
echo_body(Request *req)
{
	req->reply.body = req->body;
	req->body = (Buf){0};
	reply_ok(req);
}

static void
discard_batch(Request *req)
{
	List *list;
	int64_t rows = scan_count_rows(req->body.data, req->body.len);

	req->rows = rows < 0 ? 0 : rows;
	state_lock();
	list = contacts_list(req);
	if (list == NULL || list_refuses(req, list))
		;
	else if (rows < 0)
		reply_error(req, 400, "bad.request",
					"The request could not be understood by the server.");
	else if (rows > MAX_BATCH)
		reply_error(req, 400, "too.many.contacts.added",
					"Too many contacts added; the limit is %d.", MAX_BATCH);
	else
	{
		list->accepted += rows;
		counters.contacts_accepted += rows;
		echo_body(req);
	}
	state_unlock();
}

void
contacts_post(Request *req)
{
	PostFlags flags;
	Columns *columns;
	List *list;
	Batch batch;

	if (!read_flags(req, &flags))
		return;
	if (sw_is(SW_DISCARD, "on"))
	{
		discard_batch(req);
		return;
	}
	if ((columns = borrow_columns(req)) == NULL)
		return;
	if (batch_read(&batch, req, req->arg[0].p, columns))
	{
		state_lock();
		if ((list = contacts_list(req)) && !list_refuses(req, list) &&
			!has_twice(&batch, req) && !is_elsewhere(list, &batch, req) &&
			!dialler_holds_one(list, &batch, req))
			store_batch(list, &batch, &flags, req);
		state_unlock();
	}
	batch_free(&batch);
	columns_release(columns);
}

/* The array of id strings that POST /contacts/bulk takes; NULL with a reply. */
static json_t *
read_ids(Request *req)
{
	json_t *ids = json_loadb(req->body.data, req->body.len, JSON_ALLOW_NUL, NULL);
	size_t i;
	json_t *id;
	bool good = json_is_array(ids);

	json_array_foreach(ids, i, id) good = good && json_is_string(id);
	req->rows = (int64_t) json_array_size(ids);
	if (good && req->rows <= MAX_READ)
		return ids;
	json_decref(ids);
	if (good)
		reply_error(req, 400, "too.many.contacts.requested",
					"Too many contacts requested; the limit is %d.", MAX_READ);
	else
		reply_error(req, 400, "bad.request", "The body must be an array of contact ids.");
	return NULL;
}

/* False when there is no such contact. */
static bool
put_contact(Buf *out, List *list, Span id, char before)
{
	int64_t number = sw_is(SW_DISCARD, "on") ? generated_number(id) : -1;
	Contact *contact = number < 0 ? list_contact(list, id) : NULL;

	if (number < 0 && contact == NULL)
		return false;
	if (before)
		buf_putc(out, before);
	if (contact)
		contact_put_json(out, list, contact);
	else
		generated_put(out, list, number);
	return true;
}

void
contacts_read(Request *req)
{
	json_t *ids = read_ids(req);
	Buf *out = &req->reply.body;
	List *list;
	char before = '[';
	size_t i;
	json_t *id;

	if (ids == NULL)
		return;
	state_lock();
	if ((list = contacts_list(req)) != NULL)
	{
		json_array_foreach(ids, i, id)
		{
			Span span = {(char *) json_string_value(id), json_string_length(id)};

			if (put_contact(out, list, span, before))
				before = ',';
		}
		buf_puts(out, before == '[' ? "[]" : "]");
		reply_ok(req);
	}
	state_unlock();
	json_decref(ids);
}

static void
not_found(Request *req)
{
	reply_error(req, 404, "resource.not.found", "The contact was not found.");
	reply_error_detail(req, (Span){NULL, 0}, req->arg[1]);
}

void
contact_get(Request *req)
{
	List *list;

	req->rows = 1;
	state_lock();
	if ((list = contacts_list(req)) != NULL)
	{
		if (put_contact(&req->reply.body, list, req->arg[1], '\0'))
			reply_ok(req);
		else
			not_found(req);
	}
	state_unlock();
}

static void
put_stored(Request *req, Batch *batch)
{
	List *list = contacts_list(req);
	Contact *old = list ? list_contact(list, req->arg[1]) : NULL;
	Span id = batch->rows[0].id;

	if (list == NULL || list_refuses(req, list))
		return;
	if (id.p && (id.n != req->arg[1].n || memcmp(id.p, req->arg[1].p, id.n) != 0))
		reply_error(req, 400, "bad.request", "The id is not the one of the path.");
	else if (old == NULL && sw_is(SW_PUT_MISSING_STATUS, "404"))
		not_found(req);
	else if (old == NULL)
		reply_error(req, 400, "contact.does.not.exist", "The contact does not exist.");
	else if (contact_is_held(list, old) && !sw_is(SW_IN_USE_WRITES, "take"))
		reply_error(req, 409, "contact.in.use", "The contact is being dialed.");
	else
	{
		contact_put_json(&req->reply.body, list, contact_overwrite(list, old, batch));
		reply_ok(req);
	}
}

/* --discard: any change of a generated contact is taken, and none is kept. */
static bool
is_generated(const Request *req)
{
	return sw_is(SW_DISCARD, "on") && generated_number(req->arg[1]) >= 0;
}

void
contact_put(Request *req)
{
	Columns *columns = borrow_columns(req);
	Batch batch = {0};

	if (columns == NULL)
		return;
	if (is_generated(req))
		echo_body(req);
	else if (batch_read_one(&batch, req, req->arg[0].p, columns))
	{
		state_lock();
		put_stored(req, &batch);
		state_unlock();
	}
	batch_free(&batch);
	columns_release(columns);
}

static void
reply_deleted(Request *req, int status)
{
	reply_empty(req,
				sw_is(SW_DELETE_STATUS, "auto") ? status : (int) sw_number(SW_DELETE_STATUS));
}

void
contact_delete(Request *req)
{
	List *list;
	Contact *contact;

	req->rows = 1;
	state_lock();
	if ((list = contacts_list(req)) != NULL && !list_refuses(req, list))
	{
		contact = list_contact(list, req->arg[1]);
		if (is_generated(req))
			reply_deleted(req, 200);
		else if (contact == NULL)
			not_found(req);
		else if (contact_is_held(list, contact))
			reply_error(req, 400, "contact.in.use", "The contact is in use.");
		else
		{
			list_delete(list, contact);
			reply_deleted(req, 200);
		}
	}
	state_unlock();
}

/*
 * Several ids can stand in one value, as one of the platform's own libraries
 * has them; takes the first off.  Where ids may have commas there is but one.
 */
static Span
next_id(Span *value)
{
	char *comma =
		sw_is(SW_CONTACT_ID_CHARS, "strict") ? memchr(value->p, ',', value->n) : NULL;
	size_t len = comma ? (size_t) (comma - value->p) : value->n;
	Span id = {value->p, len};

	*value = comma ? (Span){comma + 1, value->n - len - 1} : (Span){NULL, 0};
	return id;
}

/* How many ids there are; those of contacts in the list, if any, that are free are deleted. */
static int64_t
walk_ids(const Request *req, List *list)
{
	int64_t n = 0;

	for (int i = 0; i < req->nparams; i++)
	{
		Span value = req->params[i].value;

		while (span_is(req->params[i].name, "contactIds") && value.p)
		{
			Span id = next_id(&value);
			Contact *contact = list ? list_contact(list, id) : NULL;

			n++;
			if (contact && !contact_is_held(list, contact))
				list_delete(list, contact);
		}
	}
	return n;
}

/* Unknown ids and contacts in use are passed over without a word. */
void
contacts_delete(Request *req)
{
	List *list;

	req->rows = walk_ids(req, NULL);
	if (req->rows == 0)
		reply_error(req, 400, "no.contacts.specified", "No contacts were specified.");
	else if (req->rows > sw_number(SW_DELETE_CONTACTS_MAX))
		reply_error(req, 400, "too.many.contacts.added",
					"Too many contacts; the limit is %lld.",
					(long long) sw_number(SW_DELETE_CONTACTS_MAX));
	else
	{
		state_lock();
		if ((list = contacts_list(req)) != NULL && !list_refuses(req, list))
		{
			walk_ids(req, list);
			reply_deleted(req, 204);
		}
		state_unlock();
	}
}
