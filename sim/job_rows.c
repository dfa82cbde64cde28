/*
 * job_rows.c
 *	  Contacts as dialect "jobs" has them in JSON, made into rows of an import.
 */
#include <stdlib.h>

#include "errors.h"
#include "job_rows.h"
#include "switches.h"

/* One row at a time, from its members. */
typedef struct Reading
{
	Request *req;
	const Columns *columns;
	size_t number; /* of the row, from 1 */
	bool bad;	   /* then there is a reply */
} Reading;

static void
refuse(Reading *in, const char *code, const char *field, const char *message)
{
	if (in->bad)
		return;
	in->bad = true;
	reply_error(in->req, 400, code, "Contact %zu: %s", in->number, message);
	reply_error_detail(in->req, (Span){(char *) field, field ? strlen(field) : 0},
					   (Span){NULL, 0});
}

/* Scalars become text; null is an empty one. */
static json_t *
cell_text(Reading *in, const char *field, json_t *value)
{
	char *dumped;
	json_t *text;

	if (json_is_string(value))
		return json_incref(value);
	if (json_is_null(value))
		return json_string("");
	if (json_is_object(value) || json_is_array(value))
	{
		refuse(in, "invalid.value", field, "a value is no scalar.");
		return json_string("");
	}
	dumped = json_dumps(value, JSON_ENCODE_ANY);
	text = json_string(dumped);
	free(dumped);
	return text;
}

static void
set_cell(Reading *in, json_t *cells, const char *field, json_t *value)
{
	if (columns_find(in->columns, (Span){(char *) field, strlen(field)}, 0) >= 0)
		json_object_set_new(cells, field, cell_text(in, field, value));
	else if (sw_is(SW_UNKNOWN_FIELDS, "refuse"))
		refuse(in, "invalid.contact.columns", field, "there is no such field.");
}

static void
set_id(Reading *in, json_t *row, json_t *id)
{
	if (json_is_string(id))
		json_object_set(row, "id", id);
	else
		refuse(in, "invalid.value", "contactId", "the id must be a string.");
}

static bool
is_object(Reading *in, const json_t *contact)
{
	if (!json_is_object(contact))
		refuse(in, "bad.request", NULL, "it is no object.");
	return json_is_object(contact);
}

/* {"contactId", "<field>": value, …} */
static json_t *
flat_row(Reading *in, const json_t *contact)
{
	json_t *cells = json_object();
	json_t *row = json_pack("{s:o}", "cells", cells);
	const char *name;
	json_t *value;

	json_object_foreach((json_t *) contact, name, value)
	{
		if (strcmp(name, "contactId") == 0)
			set_id(in, row, value);
		else
			set_cell(in, cells, name, value);
	}
	if (json_object_get(row, "id") == NULL)
		refuse(in, "constraint.validation", "contactId", "contactId is required.");
	return row;
}

/* {"id", "data": {"<field>": value}, "callable"} */
static json_t *
data_row(Reading *in, const json_t *contact)
{
	json_t *cells = json_object();
	json_t *row = json_pack("{s:o}", "cells", cells);
	json_t *data = json_object_get(contact, "data");
	json_t *callable = json_object_get(contact, "callable");
	const char *name;
	json_t *value;

	json_object_foreach((json_t *) contact, name, value)
	{
		if (strcmp(name, "id") == 0)
			set_id(in, row, value);
		else if (strcmp(name, "data") != 0 && strcmp(name, "callable") != 0)
			refuse(in, "invalid.property", name, "a contact has no such property.");
	}
	if (!json_is_object(data))
		refuse(in, "constraint.validation", "data", "data is required.");
	json_object_foreach(data, name, value) set_cell(in, cells, name, value);
	if (callable && !json_is_null(callable) && !json_is_boolean(callable))
		refuse(in, "invalid.value", "callable", "callable must be a boolean.");
	if (json_is_boolean(callable))
		json_object_set(row, "callable", callable);
	return row;
}

static json_t *
make_rows(Reading *in, json_t *contacts, json_t *(*make)(Reading *in, const json_t *contact))
{
	json_t *rows = json_array();
	json_t *contact;
	size_t i;

	in->bad = !json_is_array(contacts);
	if (in->bad)
		reply_error(in->req, 400, "bad.request", "The contacts must be an array.");
	json_array_foreach(contacts, i, contact)
	{
		in->number = i + 1;
		if (is_object(in, contact))
			json_array_append_new(rows, make(in, contact));
		if (in->bad)
			break;
	}
	json_decref(contacts);
	if (!in->bad)
		return rows;
	json_decref(rows);
	return NULL;
}

json_t *
job_rows_flat(Request *req, const Columns *columns, json_t *contacts)
{
	Reading in = {req, columns, 0, false};

	return make_rows(&in, contacts, flat_row);
}

json_t *
job_rows_data(Request *req, const Columns *columns, json_t *contacts)
{
	Reading in = {req, columns, 0, false};

	return make_rows(&in, contacts, data_row);
}

/* The column of that number among the list's phone columns; NULL = there is none. */
static const char *
phone_column(const Columns *columns, size_t number)
{
	for (int i = 0; i < columns->n; i++)
		if (columns->phone[i] && number-- == 0)
			return columns->name[i].p;
	return NULL;
}

/* One value of a contact: the nth of its kind is that of the nth column of its kind. */
static void
add_value(Reading *in, const json_t *contact, const json_t *emails, size_t *phone,
		  size_t *email, json_t *cells)
{
	const char *type = json_string_value(json_object_get(contact, "type"));
	json_t *value = json_object_get(contact, "value");
	const char *column = NULL;

	if (json_object_size(contact) != 3 || !type || !json_is_string(value))
		refuse(in, "constraint.validation", "type", "id, type and value are required.");
	else if (strcmp(type, "phone") == 0)
		column = phone_column(in->columns, (*phone)++);
	else if (strcmp(type, "email") == 0)
		column = json_string_value(
			json_object_get(json_array_get(emails, (*email)++), "columnName"));
	if (column)
		json_object_set(cells, column, value);
	else
		refuse(in, "invalid.value", "type", "the list has no column for it.");
}

json_t *
job_rows_typed(Request *req, const Columns *columns, const json_t *emails, json_t *contacts)
{
	Reading in = {req, columns, 0, !json_is_array(contacts)};
	json_t *rows = json_array();
	json_t *last = NULL; /* the row at work */
	size_t phone = 0;
	size_t email = 0;
	json_t *contact;
	size_t i;

	if (in.bad)
		reply_error(req, 400, "bad.request", "The contacts must be an array.");
	json_array_foreach(contacts, i, contact)
	{
		json_t *id = json_object_get(contact, "id");

		in.number = i + 1;
		if (!is_object(&in, contact))
			break;
		if (last == NULL || !json_equal(id, json_object_get(last, "id")))
		{
			last = json_pack("{s:{}}", "cells");
			json_array_append_new(rows, last);
			set_id(&in, last, id);
			phone = email = 0;
		}
		add_value(&in, contact, emails, &phone, &email, json_object_get(last, "cells"));
	}
	json_decref(contacts);
	if (!in.bad)
		return rows;
	json_decref(rows);
	return NULL;
}

static int
compare_texts(const void *left, const void *right)
{
	return strcmp(*(const char *const *) left, *(const char *const *) right);
}

bool
job_rows_have_twice(Request *req, const json_t *rows)
{
	size_t most = json_array_size(rows);
	const char **ids = sim_alloc(sizeof(char *) * (most + 1));
	const char *twice = NULL;
	size_t n = 0;

	for (size_t i = 0; i < most && sw_is(SW_DUPLICATE_IDS, "409"); i++)
		if ((ids[n] = json_string_value(json_object_get(json_array_get(rows, i), "id"))))
			n++;
	qsort(ids, n, sizeof(ids[0]), compare_texts);
	for (size_t i = 1; i < n && !twice; i++)
		if (strcmp(ids[i - 1], ids[i]) == 0)
			twice = ids[i];
	if (twice)
	{
		reply_error(req, 409, "duplicate.contact.id",
					"The request has a duplicate contact: %s.", twice);
		reply_error_detail(req, (Span){"contactId", 9}, (Span){(char *) twice, strlen(twice)});
	}
	free(ids);
	return twice != NULL;
}
