/*
 * changes.c
 *	  What becomes of a contact: by a POST, a PUT, a bulk edit, a test.
 */
#include <stdlib.h>

#include "changes.h"
#include "contact_json.h"
#include "criteria.h"
#include "journal.h"
#include "switches.h"

/* Attributes that clearSystemData leaves alone, beside data. */
static bool
is_kept_by_clear(Attr attr)
{
	return attr == ATTR_RETENTION_TYPE || attr == ATTR_RETENTION_DAYS ||
		   attr == ATTR_DATE_EXPIRATION || attr == ATTR_CONTACT_COLUMN_TIME_ZONES;
}

/* The contact with other cells, in its place. */
static Contact *
new_version(List *list, Contact *old, const Span *cells)
{
	Contact *contact = contact_build(contact_id(old), cells, list->columns->n);

	contact_inherit(contact, old);
	list_replace(list, old, contact);
	return contact;
}

/* {"<phone column>": {"callable": true}, …}: so it is until something else is said. */
static json_t *
all_callable(const Columns *columns)
{
	json_t *status = json_object();

	for (int i = 0; i < columns->n; i++)
		if (columns->phone[i])
			json_object_setn_new(status, columns->name[i].p, columns->name[i].n,
								 json_pack("{s:b}", "callable", 1));
	return status;
}

/* The parts that are sent go over those there were, or, by a switch, in place of them all. */
static void
set_status(const List *list, Contact *contact, Attr attr, Span sent)
{
	Span old = contact->attrs ? contact->attrs->value[attr] : (Span){NULL, 0};
	json_t *parts = json_loadb(sent.p, sent.n, JSON_ALLOW_NUL, NULL);
	json_t *status = NULL;
	char *dumped;

	if (old.p && sw_is(SW_STATUS_PARTS, "merge"))
		status = json_loadb(old.p, old.n, JSON_ALLOW_NUL, NULL);
	else if (attr == ATTR_PHONE_NUMBER_STATUS)
		status = all_callable(list->columns);
	if (!json_is_object(status))
	{
		json_decref(status);
		status = json_object();
	}
	json_object_update_recursive(status, parts);
	dumped = json_dumps(status, JSON_COMPACT);
	contact_set_attr(contact, attr, (Span){dumped, strlen(dumped)});
	free(dumped);
	json_decref(status);
	json_decref(parts);
}

static void
set_attributes(const List *list, Contact *contact, const Row *row)
{
	if (row->callable >= 0)
		contact->callable = row->callable;
	for (int i = 0; i < ATTR_WRITABLE; i++)
		if (row->attr[i].p == NULL)
			;
		else if (i == ATTR_PHONE_NUMBER_STATUS || i == ATTR_CONTACTABLE_STATUS)
			set_status(list, contact, i, row->attr[i]);
		else
			contact_set_attr(contact, i, row->attr[i]);
}

static void
clear_system_data(Contact *contact)
{
	contact->callable = true;
	for (int i = 0; i < ATTR_COUNT; i++)
		if (!is_kept_by_clear(i))
			contact_set_attr(contact, i, (Span){NULL, 0});
}

/* Cells that are sent, and for the others those there were, or none. */
static void
fill_cells(const Batch *batch, int row, const Contact *old, bool blank, Span *cells)
{
	int ncells = batch->columns->n;
	const Span *sent = batch->cells + (size_t) row * (size_t) ncells;
	Span before[MAX_COLUMNS] = {{NULL, 0}};

	if (old)
		contact_cells(old, before);
	for (int i = 0; i < ncells; i++)
		if (sent[i].p)
			cells[i] = sent[i];
		else
			cells[i] = blank ? (Span){"", 0} : before[i];
}

Contact *
contact_upsert(List *list, const Batch *batch, int i, const PostFlags *flags)
{
	const Row *row = &batch->rows[i];
	Contact *old = row->id.p ? list_contact(list, row->id) : NULL;
	Contact *contact;
	Span cells[MAX_COLUMNS] = {{NULL, 0}}; /* the list may have got columns meanwhile */
	char uuid[UUID_SIZE];

	fill_cells(batch, i, old, flags->blank, cells);
	if (old)
		contact = new_version(list, old, cells);
	else
	{
		sim_uuid(uuid);
		contact = contact_build(row->id.p ? row->id : (Span){uuid, UUID_SIZE - 1}, cells,
								list->columns->n);
		list_insert(list, contact);
	}
	if (flags->clear_system_data)
		clear_system_data(contact);
	set_attributes(list, contact, row);
	if (flags->priority >= 0)
		contact->priority = flags->priority;
	contact->do_not_queue = flags->do_not_queue;
	contact->queue_moves += flags->do_not_queue != 1;
	journal_contact(list, contact);
	return contact;
}

Contact *
contact_overwrite(List *list, Contact *old, const Batch *batch)
{
	Span cells[MAX_COLUMNS] = {{NULL, 0}};
	Contact *contact;

	memcpy(cells, batch->cells, sizeof(Span) * (size_t) batch->columns->n);
	contact = new_version(list, old, cells);
	if (sw_is(SW_PUT_ABSENT, "reset"))
	{
		contact->callable = true;
		for (int i = 0; i < ATTR_WRITABLE; i++)
			contact_set_attr(contact, i, (Span){NULL, 0});
	}
	set_attributes(list, contact, &batch->rows[0]);
	journal_contact(list, contact);
	return contact;
}

Contact *
contact_edit(List *list, Contact *old, const Batch *batch)
{
	Span cells[MAX_COLUMNS] = {{NULL, 0}};
	Contact *contact;

	fill_cells(batch, 0, sw_is(SW_BULK_EDIT_DATA, "patch") ? old : NULL, false, cells);
	contact = new_version(list, old, cells);
	set_attributes(list, contact, &batch->rows[0]);
	journal_contact(list, contact);
	return contact;
}

static Span
span_of(const json_t *text)
{
	return (Span){(char *) json_string_value(text), json_string_length(text)};
}

/* {"<column>": "text", "<column>": null}: null makes a cell absent. */
static bool
set_cells(List *list, Contact **contact, const json_t *data)
{
	Span cells[MAX_COLUMNS];
	const char *name;
	json_t *value;

	contact_cells(*contact, cells);
	json_object_foreach((json_t *) data, name, value)
	{
		int column = columns_find(list->columns, (Span){(char *) name, strlen(name)}, 0);

		if (column < 0 || (!json_is_string(value) && !json_is_null(value)))
			return false;
		cells[column] = span_of(value);
	}
	*contact = new_version(list, *contact, cells);
	return json_is_object(data);
}

/* How old it is; null: of the time when the platform kept no dates. */
static bool
set_created(Contact *contact, const json_t *value)
{
	long double seconds = 0;

	if (!json_is_null(value) && !text_time(span_of(value), &seconds))
		return false;
	contact->created_us = contact->arrived_us = (int64_t) (seconds * 1000000);
	return true;
}

static bool
set_attribute(Contact *contact, const char *name, const json_t *value)
{
	int attr = 0;
	char *dumped;

	while (attr < ATTR_COUNT && strcmp(attr_names[attr], name) != 0)
		attr++;
	if (attr == ATTR_COUNT)
		return false;
	dumped = json_is_null(value) ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	contact_set_attr(contact, (Attr) attr, (Span){dumped, dumped ? strlen(dumped) : 0});
	free(dumped);
	return true;
}

static bool
set_member(List *list, Contact **contact, const char *name, const json_t *value)
{
	if (strcmp(name, "callable") == 0)
		(*contact)->callable = json_is_true(value);
	else if (strcmp(name, "inUse") == 0)
		(*contact)->in_use = json_is_true(value);
	else if (strcmp(name, "data") == 0)
		return set_cells(list, contact, value);
	else if (strcmp(name, "dateCreated") == 0)
		return set_created(*contact, value);
	else
		return set_attribute(*contact, name, value);
	return true;
}

bool
contact_set_members(List *list, Contact **contact, const json_t *members)
{
	Span cells[MAX_COLUMNS];
	const char *name;
	json_t *value;
	bool good = true;

	contact_cells(*contact, cells);
	*contact = new_version(list, *contact, cells);
	json_object_foreach((json_t *) members, name, value)
	{
		if (strcmp(name, "listId") != 0 && strcmp(name, "id") != 0 &&
			!set_member(list, contact, name, value))
			good = false;
	}
	journal_contact(list, *contact);
	return good;
}
