/*
 * rows.c
 *	  Contacts as callers send them: read from JSON and checked.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "errors.h"
#include "jread.h"
#include "rows.h"
#include "switches.h"

#define MAX_CELL_CHARS 512

/* How the values of an attribute must begin, and where it goes. */
typedef struct AttrDef
{
	const char *name;
	JKind kind;
	Attr attr; /* ATTR_COUNT = read-only, passed over */
} AttrDef;

static const AttrDef attr_defs[] = {
	{"phoneNumberStatus", J_OBJECT, ATTR_PHONE_NUMBER_STATUS},
	{"contactableStatus", J_OBJECT, ATTR_CONTACTABLE_STATUS},
	{"latestWhatsAppEvaluations", J_OBJECT, ATTR_LATEST_WHATSAPP_EVALUATIONS},
	{"retentionType", J_STRING, ATTR_RETENTION_TYPE},
	{"retentionDays", J_NUMBER, ATTR_RETENTION_DAYS},
	{"dateExpiration", J_STRING, ATTR_DATE_EXPIRATION},
	{"dateCreated", J_BAD, ATTR_COUNT},
	{"callRecords", J_BAD, ATTR_COUNT},
	{"latestSmsEvaluations", J_BAD, ATTR_COUNT},
	{"latestEmailEvaluations", J_BAD, ATTR_COUNT},
	{"contactColumnTimeZones", J_BAD, ATTR_COUNT},
	{"configurationOverrides", J_BAD, ATTR_COUNT},
	{"name", J_BAD, ATTR_COUNT},
	{"selfUri", J_BAD, ATTR_COUNT},
	{NULL, J_BAD, ATTR_COUNT},
};

static void complain(Batch *batch, const Row *row, const char *code, Span field,
					 const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Only the first problem counts; reading goes on, to see whether the text is JSON. */
static void
complain(Batch *batch, const Row *row, const char *code, Span field, const char *fmt, ...)
{
	Problem *problem = &batch->problem;
	va_list args;

	if (problem->code)
		return;
	problem->code = code;
	problem->field = field;
	problem->contact_id = row->id;
	va_start(args, fmt);
	if (vasprintf(&problem->message, fmt, args) < 0)
		problem->message = NULL;
	va_end(args);
}

static Span *
row_cells(const Batch *batch, const Row *row)
{
	return batch->cells + (row - batch->rows) * batch->columns->n;
}

size_t
cell_within_limit(Span text)
{
	int chars = 0;

	if (text.n <= MAX_CELL_CHARS)
		return text.n;
	for (size_t i = 0; i < text.n; i++)
		if (((unsigned char) text.p[i] & 0xc0) != 0x80 && ++chars > MAX_CELL_CHARS)
			return i;
	return text.n;
}

bool
zip_is_good(Span zip)
{
	size_t digits = 0;

	for (size_t i = 0; i < zip.n; i++)
		if (zip.p[i] >= '0' && zip.p[i] <= '9')
			digits++;
		else if (zip.p[i] != '-' || i != 5)
			digits = 100;
	return zip.n == 0 || digits == 5 || digits == 9;
}

static void
check_zip(Batch *batch, const Row *row, Span zip)
{
	if (!zip_is_good(zip))
		complain(batch, row, "invalid.zip.code.contact.value",
				 batch->columns->name[batch->columns->zip],
				 "The zip code must have five or nine digits.");
}

/* A cell's value as text; false when it cannot be one. */
static bool
read_cell(JRead *in, Span *value)
{
	JKind kind = jread_peek(in);

	if (kind == J_STRING)
		return jread_string(in, value);
	if (!jread_skip(in, value))
		return false;
	if (kind == J_NULL)
		*value = (Span){"", 0};
	return sw_is(SW_NON_STRING_DATA, "coerce") && kind != J_OBJECT && kind != J_ARRAY;
}

static void
read_data(Batch *batch, Row *row, JRead *in)
{
	Span *cells = row_cells(batch, row);
	int hint = 0;

	if (jread_peek(in) != J_OBJECT)
	{
		jread_skip(in, NULL);
		complain(batch, row, "bad.request", (Span){"data", 4}, "data must be an object.");
		return;
	}
	for (bool more = jread_open(in, '{'); more; more = jread_more(in, '}'))
	{
		Span name;
		Span value = {NULL, 0};
		int column;
		bool is_text;

		if (!jread_key(in, &name))
			return;
		is_text = read_cell(in, &value);
		if (in->bad)
			return;
		column = columns_find(batch->columns, name, hint);
		if (column < 0)
		{
			if (sw_is(SW_UNKNOWN_FIELDS, "refuse"))
				complain(batch, row, "invalid.contact.columns", name,
						 "The contact columns are invalid: %.*s", (int) name.n, name.p);
			continue;
		}
		hint = column + 1;
		if (!is_text)
			complain(batch, row, "bad.request", name, "The values of data must be strings.");
		else if (cell_within_limit(value) < value.n && sw_is(SW_OVERLONG_CELLS, "reject"))
			complain(batch, row, "contact.datum.length.limit.exceeded", name,
					 "A contact's value has over %d characters.", MAX_CELL_CHARS);
		else
			cells[column] = (Span){value.p, cell_within_limit(value)};
	}
}

/* {"<column>": {"callable": true}, …} */
static bool
is_phone_status(Span raw)
{
	json_t *status = json_loadb(raw.p, raw.n, JSON_ALLOW_NUL, NULL);
	const char *column;
	json_t *item;
	bool good = json_is_object(status);

	json_object_foreach(status, column, item)
	{
		if (!json_is_object(item) || json_object_size(item) != 1 ||
			!json_is_boolean(json_object_get(item, "callable")))
			good = false;
	}
	json_decref(status);
	return good;
}

/* {"<medium>": {"contactable": true, "columnStatus": {"<column>": {"contactable": true}}}, …} */
static bool
is_contactable_status(const json_t *status, bool columns)
{
	const char *name;
	json_t *item;
	bool good = json_is_object(status);

	json_object_foreach((json_t *) status, name, item)
	{
		json_t *contactable = json_object_get(item, "contactable");
		json_t *inner = columns ? NULL : json_object_get(item, "columnStatus");

		size_t known = (size_t) (contactable != NULL) + (size_t) (inner != NULL);

		if (known == 0 || json_object_size(item) != known ||
			(contactable && !json_is_boolean(contactable)) ||
			(inner && !is_contactable_status(inner, true)))
			good = false;
	}
	return good;
}

static bool
is_status(Attr attr, Span raw)
{
	json_t *status;
	bool good;

	if (attr == ATTR_PHONE_NUMBER_STATUS)
		return is_phone_status(raw);
	if (attr != ATTR_CONTACTABLE_STATUS)
		return true;
	status = json_loadb(raw.p, raw.n, JSON_ALLOW_NUL, NULL);
	good = is_contactable_status(status, false);
	json_decref(status);
	return good;
}

static void
read_attr(Batch *batch, Row *row, Span name, JRead *in)
{
	const AttrDef *def = attr_defs;
	JKind kind = jread_peek(in);
	Span raw;

	if (!jread_skip(in, &raw))
		return;
	while (def->name && !span_is(name, def->name))
		def++;
	if (def->name == NULL)
		complain(batch, row, "invalid.property", name, "A contact has no property %.*s.",
				 (int) name.n, name.p);
	else if (def->attr != ATTR_COUNT && kind != J_NULL)
	{
		if (kind != def->kind || !is_status(def->attr, raw))
			complain(batch, row, "invalid.value", name, "%s has a value of the wrong kind.",
					 def->name);
		row->attr[def->attr] = raw;
	}
}

static void
read_callable(Batch *batch, Row *row, JRead *in)
{
	JKind kind = jread_peek(in);

	if (!jread_skip(in, NULL) || kind == J_NULL)
		return;
	if (kind != J_TRUE && kind != J_FALSE)
		complain(batch, row, "invalid.value", (Span){"callable", 8},
				 "callable must be a boolean.");
	row->callable = kind == J_TRUE;
}

/* A string, or null for none. */
static void
read_text(Batch *batch, Row *row, Span name, JRead *in, Span *value)
{
	JKind kind = jread_peek(in);

	if (kind == J_STRING)
		jread_string(in, value);
	else if (jread_skip(in, NULL) && kind != J_NULL)
		complain(batch, row, "invalid.value", name, "%.*s must be a string.", (int) name.n,
				 name.p);
}

bool
contact_id_is_good(Span id)
{
	if (id.n == 0 || id.n >= NO_CELL)
		return false;
	if (sw_is(SW_CONTACT_ID_CHARS, "strict"))
	{
		for (size_t i = 0; i < id.n; i++)
		{
			char c = id.p[i];

			if (!(c >= '0' && c <= '9') && !((c | 32) >= 'a' && (c | 32) <= 'z') &&
				(c == '\0' || !strchr("._:@-", c)))
				return false;
		}
		return id.n <= (size_t) sw_number(SW_CONTACT_ID_MAX);
	}
	return id.n <= 4 * (size_t) sw_number(SW_CONTACT_ID_MAX);
}

static void
check_row(Batch *batch, const Row *row, Span list_id, bool has_data)
{
	int zip = batch->columns->zip;

	if (list_id.p == NULL)
		complain(batch, row, "constraint.validation", (Span){"contactListId", 13},
				 "contactListId is required.");
	else if (!span_is(list_id, batch->list_id))
		complain(batch, row, "bad.request", (Span){"contactListId", 13},
				 "contactListId is not the list of the path.");
	if (!has_data)
		complain(batch, row, "constraint.validation", (Span){"data", 4}, "data is required.");
	if (row->id.p && !contact_id_is_good(row->id))
		complain(batch, row, "invalid.contact.id", (Span){"id", 2},
				 "The contact id is too long or has special characters.");
	if (zip >= 0 && row_cells(batch, row)[zip].p)
		check_zip(batch, row, row_cells(batch, row)[zip]);
}

static void
read_row(Batch *batch, Row *row, JRead *in)
{
	Span list_id = {NULL, 0};
	bool has_data = false;

	for (bool more = jread_open(in, '{'); more; more = jread_more(in, '}'))
	{
		Span name;

		if (!jread_key(in, &name))
			return;
		if (span_is(name, "data"))
		{
			has_data = true;
			read_data(batch, row, in);
		}
		else if (span_is(name, "id"))
			read_text(batch, row, name, in, &row->id);
		else if (span_is(name, "contactListId"))
			read_text(batch, row, name, in, &list_id);
		else if (span_is(name, "callable"))
			read_callable(batch, row, in);
		else
			read_attr(batch, row, name, in);
	}
	if (!in->bad)
		check_row(batch, row, list_id, has_data);
}

static Row *
add_row(Batch *batch)
{
	size_t ncells = (size_t) batch->columns->n;
	Row *row;

	if (batch->n == batch->room)
	{
		batch->room = batch->room ? batch->room * 4 : 16;
		batch->rows = sim_realloc(batch->rows, sizeof(Row) * (size_t) batch->room);
		batch->cells = sim_realloc(batch->cells, sizeof(Span) * ncells * (size_t) batch->room);
	}
	row = &batch->rows[batch->n++];
	memset(row, 0, sizeof(*row));
	row->callable = -1;
	memset(row_cells(batch, row), 0, sizeof(Span) * ncells);
	return row;
}

/* A row that is bad, where that is no reason to refuse the others. */
static void
skip_row(Batch *batch)
{
	free(batch->problem.message);
	batch->problem = (Problem){0};
	batch->n--;
}

static void
read_rows(Batch *batch, JRead *in)
{
	for (bool more = jread_open(in, '['); more; more = jread_more(in, ']'))
	{
		batch->seen++;
		if (batch->seen > MAX_BATCH)
			jread_skip(in, NULL);
		else if (jread_peek(in) == J_OBJECT)
		{
			read_row(batch, add_row(batch), in);
			if (batch->problem.code && sw_is(SW_BAD_ROWS, "skip"))
				skip_row(batch);
		}
		else
		{
			in->bad = true;
			return;
		}
	}
}

static bool
report(Batch *batch, Request *req, JRead *in)
{
	Problem *problem = &batch->problem;

	if (!jread_finish(in))
		reply_error(req, 400, "bad.request",
					"The request could not be understood by the server.");
	else if (batch->seen > MAX_BATCH)
		reply_error(req, 400, "too.many.contacts.added",
					"Too many contacts added; the limit is %d.", MAX_BATCH);
	else if (problem->code)
	{
		reply_error(req, 400, problem->code, "%s", problem->message);
		reply_error_detail(req, problem->field, problem->contact_id);
	}
	else
		return true;
	return false;
}

static void
batch_start(Batch *batch, Request *req, const char *list_id, const Columns *columns, JRead *in)
{
	memset(batch, 0, sizeof(*batch));
	batch->list_id = list_id;
	batch->columns = columns;
	jread_start(in, req->body.data, req->body.len);
}

bool
batch_read(Batch *batch, Request *req, const char *list_id, const Columns *columns)
{
	JRead in;

	batch_start(batch, req, list_id, columns, &in);
	read_rows(batch, &in);
	req->rows = batch->seen;
	return report(batch, req, &in);
}

bool
batch_read_one(Batch *batch, Request *req, const char *list_id, const Columns *columns)
{
	JRead in;

	batch_start(batch, req, list_id, columns, &in);
	read_row(batch, add_row(batch), &in);
	req->rows = 1;
	return report(batch, req, &in);
}

void
batch_free(Batch *batch)
{
	free(batch->problem.message);
	free(batch->rows);
	free(batch->cells);
}
