/*
 * contacts.c
 *	  The calls under /contactlists/{id}/contacts, search apart.
 */
#include <stdlib.h>

#include "contact_json.h"
#include "contacts.h"
#include "errors.h"
#include "generate.h"
#include "rows.h"
#include "state.h"
#include "switches.h"

#define MAX_READ 50

/* The query parameters of a POST; -1 = not given. */
typedef struct PostFlags
{
	int8_t priority;
	int8_t do_not_queue;
	bool clear_system_data;
	bool blank; /* the switch absent_cells */
} PostFlags;

List *
contacts_list(Request *req)
{
	List *list = store_find(req->arg[0]);

	if (list == NULL || (list->ready_us > sim_now_us() && sw_is(SW_PROVISION_STATUS, "404")))
	{
		reply_error(req, 404, "contact.list.not.found", "The contact list was not found.");
		return NULL;
	}
	if (list->ready_us > sim_now_us())
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

/* Moves to a contact what stays when a newer version takes its place. */
static void
inherit(Contact *contact, Contact *old)
{
	contact->created_us = old->created_us;
	contact->callable = old->callable;
	contact->in_use = old->in_use;
	contact->priority = old->priority;
	contact->do_not_queue = old->do_not_queue;
	contact->queue_moves = old->queue_moves;
	contact->attrs = old->attrs;
	old->attrs = NULL;
}

static void
clear_system_data(Contact *contact)
{
	contact->callable = true;
	for (int i = 0; i < ATTR_COUNT; i++)
		if (i != ATTR_RETENTION_TYPE && i != ATTR_RETENTION_DAYS &&
			i != ATTR_DATE_EXPIRATION && i != ATTR_CONTACT_COLUMN_TIME_ZONES)
			contact_set_attr(contact, i, (Span){NULL, 0});
}

static void
set_attributes(Contact *contact, const Row *row)
{
	if (row->callable >= 0)
		contact->callable = row->callable;
	for (int i = 0; i < ATTR_WRITABLE; i++)
		if (row->attr[i].p)
			contact_set_attr(contact, i, row->attr[i]);
}

/* Stores a row of a batch: a new contact, or a new version of the one with its id. */
static Contact *
upsert(List *list, const Batch *batch, int i, const PostFlags *flags)
{
	const Row *row = &batch->rows[i];
	int ncells = list->columns->n;
	Span *cells = batch->cells + (size_t) i * (size_t) ncells;
	char uuid[UUID_SIZE];
	Span id = row->id;
	Contact *old = NULL;
	Contact *contact;
	Span old_cells[MAX_COLUMNS] = {{NULL, 0}};

	if (id.p == NULL)
	{
		sim_uuid(uuid);
		id = (Span){uuid, UUID_SIZE - 1};
	}
	else if ((old = list_contact(list, id)) != NULL)
		contact_cells(old, old_cells);
	for (int c = 0; c < ncells; c++)
		if (cells[c].p == NULL)
			cells[c] = flags->blank ? (Span){"", 0} : old_cells[c];
	contact = contact_build(id, cells, ncells);
	contact->created_us = sim_now_us();
	if (old)
	{
		inherit(contact, old);
		list_replace(list, old, contact);
	}
	else
		list_insert(list, contact);
	if (flags->clear_system_data)
		clear_system_data(contact);
	set_attributes(contact, row);
	if (flags->priority >= 0)
		contact->priority = flags->priority;
	contact->do_not_queue = flags->do_not_queue;
	contact->queue_moves += flags->do_not_queue != 1;
	return contact;
}

static bool
dialler_holds_one(List *list, const Batch *batch, Request *req)
{
	for (int i = 0; i < batch->n; i++)
	{
		Contact *contact = batch->rows[i].id.p ? list_contact(list, batch->rows[i].id) : NULL;

		if (contact && contact->in_use)
		{
			reply_error(req, 409, "contact.in.use", "A contact is being dialed.");
			return true;
		}
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

/* All rows are good, so all are stored; each is shown as it is after its turn. */
static void
store_batch(List *list, const Batch *batch, const PostFlags *flags, Request *req)
{
	Buf *out = &req->reply.body;
	bool reversed = sw_is(SW_ECHO_ORDER, "reversed");
	size_t ends[MAX_BATCH];
	Buf echo = {0};

	buf_reserve(out, req->body.len * 3 / 2 + 64);
	buf_putc(out, '[');
	for (int i = 0; i < batch->n; i++)
	{
		Contact *contact = upsert(list, batch, i, flags);

		if (i > 0 && !reversed)
			buf_putc(out, ',');
		contact_put_json(reversed ? &echo : out, list, contact);
		ends[i] = echo.len;
	}
	put_reversed(out, &echo, ends, reversed ? batch->n : 0);
	buf_free(&echo);
	buf_putc(out, ']');
	counters.contacts_accepted += batch->n;
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
	if (list == NULL)
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
		if ((list = contacts_list(req)) && !dialler_holds_one(list, &batch, req))
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

/* data is replaced; other attributes that are not sent stay, or by a switch do not. */
static void
replace_contact(List *list, Contact *old, Batch *batch, Request *req)
{
	Contact *contact = contact_build(contact_id(old), batch->cells, list->columns->n);

	inherit(contact, old);
	list_replace(list, old, contact);
	if (sw_is(SW_PUT_ABSENT, "reset"))
	{
		contact->callable = true;
		for (int i = 0; i < ATTR_WRITABLE; i++)
			contact_set_attr(contact, i, (Span){NULL, 0});
	}
	set_attributes(contact, &batch->rows[0]);
	contact_put_json(&req->reply.body, list, contact);
	reply_ok(req);
}

static void
put_stored(Request *req, Batch *batch)
{
	List *list = contacts_list(req);
	Contact *old = list ? list_contact(list, req->arg[1]) : NULL;
	Span id = batch->rows[0].id;

	if (list == NULL)
		return;
	if (id.p && (id.n != req->arg[1].n || memcmp(id.p, req->arg[1].p, id.n) != 0))
		reply_error(req, 400, "bad.request", "The id is not the one of the path.");
	else if (old == NULL && sw_is(SW_PUT_MISSING_STATUS, "404"))
		not_found(req);
	else if (old == NULL)
		reply_error(req, 400, "contact.does.not.exist", "The contact does not exist.");
	else if (old->in_use)
		reply_error(req, 409, "contact.in.use", "The contact is being dialed.");
	else
		replace_contact(list, old, batch, req);
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
	if ((list = contacts_list(req)) != NULL)
	{
		contact = list_contact(list, req->arg[1]);
		if (is_generated(req))
			reply_deleted(req, 200);
		else if (contact == NULL)
			not_found(req);
		else if (contact->in_use)
			reply_error(req, 400, "contact.in.use", "The contact is in use.");
		else
		{
			list_delete(list, contact);
			reply_deleted(req, 200);
		}
	}
	state_unlock();
}

/* Unknown ids and contacts in use are passed over without a word. */
static void
delete_named(Request *req, List *list)
{
	for (int i = 0; i < req->nparams; i++)
	{
		Contact *contact = NULL;

		if (span_is(req->params[i].name, "contactIds"))
			contact = list_contact(list, req->params[i].value);
		if (contact && !contact->in_use)
			list_delete(list, contact);
	}
	reply_deleted(req, 204);
}

void
contacts_delete(Request *req)
{
	List *list;

	req->rows = 0;
	for (int i = 0; i < req->nparams; i++)
		req->rows += span_is(req->params[i].name, "contactIds");
	if (req->rows == 0)
		reply_error(req, 400, "no.contacts.specified", "No contacts were specified.");
	else if (req->rows > sw_number(SW_DELETE_CONTACTS_MAX))
		reply_error(req, 400, "too.many.contacts.added",
					"Too many contacts; the limit is %lld.",
					(long long) sw_number(SW_DELETE_CONTACTS_MAX));
	else
	{
		state_lock();
		if ((list = contacts_list(req)) != NULL)
			delete_named(req, list);
		state_unlock();
	}
}
