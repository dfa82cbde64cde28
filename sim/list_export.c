/*
 * list_export.c
 *	  Exports of contact lists: which contacts, and their file.
 */
#include <stdlib.h>

#include "csv.h"
#include "errors.h"
#include "exports.h"
#include "filters.h"
#include "generate.h"
#include "lag.h"
#include "list_export.h"
#include "lists.h"
#include "locks.h"
#include "switches.h"

#define PIECE (1024 * 1024) /* is written to the file at once */

/* What an export holds: all, those that match, or those that are named. */
typedef struct Choice
{
	List *list;
	Criteria *criteria; /* NULL = all */
	const json_t *ids;	/* NULL = all */
} Choice;

static bool
check_ids(Request *req, const json_t *ids)
{
	size_t i;
	json_t *id;
	bool good = json_is_array(ids) && json_array_size(ids) > 0;

	json_array_foreach(ids, i, id) good = good && json_is_string(id);
	if (!good)
		reply_error(req, 400, "bad.request", "contactIds is an array of contact ids.");
	return good;
}

static bool
check_members(Request *req, const json_t *body)
{
	static const char known[] = " contactListFilterId criteria contactIds ";
	const char *name;
	json_t *value;
	int given = 0;

	json_object_foreach((json_t *) body, name, value)
	{
		if (!strstr(known, name) || strchr(name, ' '))
		{
			reply_error(req, 400, "invalid.property", "An export has no property %s.", name);
			return false;
		}
		given += !json_is_null(value);
	}
	if (given > 1)
		reply_error(req, 400, "bad.request", "An export takes a filter, criteria or ids.");
	return given < 2;
}

static bool
read_choice(Request *req, const json_t *body, Choice *choice)
{
	const json_t *ids = json_object_get(body, "contactIds");
	const json_t *conditions;

	if (!check_members(req, body) || !filter_conditions(req, body, choice->list, &conditions))
		return false;
	if (ids && !json_is_null(ids))
	{
		choice->ids = ids;
		return check_ids(req, ids);
	}
	if (conditions)
		choice->criteria = criteria_read(req, conditions, choice->list->columns);
	return !conditions || choice->criteria;
}

/* Makes of each contact a row, and of many rows a piece of the file. */
typedef struct Writer
{
	Csv *csv;
	Stream *stream;
	Buf piece;
	int64_t rows;
	bool failed;
} Writer;

static void
write_contact(Writer *writer, const Contact *contact)
{
	csv_put_contact(writer->csv, &writer->piece, contact);
	writer->rows++;
	if (writer->piece.len >= PIECE && !stream_append(writer->stream, &writer->piece))
		writer->failed = true;
}

static void
write_named(Writer *writer, const Choice *choice)
{
	size_t i;
	json_t *id;

	json_array_foreach(choice->ids, i, id)
	{
		Contact *contact = list_contact(
			choice->list, (Span){(char *) json_string_value(id), json_string_length(id)});

		if (contact)
			write_contact(writer, contact);
	}
}

static void
write_matching(Writer *writer, const Choice *choice)
{
	Contact **shown;
	int64_t n = lag_shown(choice->list, &shown);

	for (int64_t i = 0; i < n && !writer->failed; i++)
	{
		const Contact *contact = shown[i];
		Span cells[MAX_COLUMNS];

		if (choice->criteria)
			contact_cells(contact, cells);
		if (!choice->criteria || criteria_match(choice->criteria, cells))
			write_contact(writer, contact);
	}
}

/* NULL when there is no room for the file. */
static Stream *
make_file(const Choice *choice, int64_t *rows)
{
	Writer writer = {.csv = csv_create(choice->list), .stream = stream_create()};

	if (writer.stream)
	{
		csv_put_header(writer.csv, &writer.piece);
		if (choice->ids)
			write_named(&writer, choice);
		else
			write_matching(&writer, choice);
		if (writer.failed || !stream_append(writer.stream, &writer.piece))
		{
			stream_release(writer.stream);
			writer.stream = NULL;
		}
	}
	buf_free(&writer.piece);
	csv_free(writer.csv);
	*rows = writer.rows;
	return writer.stream;
}

/* --discard: as in a search, the contacts are made up, and all are there. */
static Stream *
make_rows(List *list, int64_t *rows)
{
	Csv *csv = csv_create(list);
	Contact *sample = generated_sample(list);
	Buf head = {0};
	Buf row = {0};
	size_t *places;
	int nplaces;

	*rows = sw_number(SW_GENERATED_CONTACTS);
	csv_put_header(csv, &head);
	csv_put_contact(csv, &row, sample);
	nplaces = generated_places(&row, &places);
	contact_free(sample);
	csv_free(csv);
	return stream_of_rows(head, row, places, nplaces, *rows);
}

static void
begin(Request *req, const Choice *choice)
{
	int64_t rows;
	Stream *stream =
		sw_is(SW_DISCARD, "on") ? make_rows(choice->list, &rows) : make_file(choice, &rows);

	if (stream)
		export_begin(req, "contactlists", choice->list->name, stream, rows);
	else
		reply_error(req, 500, "internal.server.error", "There is no room for the export.");
}

void
list_export_post(Request *req)
{
	json_t *body = json_loadb(req->body.data, req->body.len, JSON_ALLOW_NUL, NULL);
	Choice choice = {.list = list_find(req, "contact.list.not.found")};

	if (choice.list == NULL || list_is_clearing(req, choice.list))
		;
	else if (req->body.len > 0 && !json_is_object(body))
		reply_error(req, 400, "bad.request",
					"The request could not be understood by the server.");
	else if (read_choice(req, body, &choice) &&
			 export_may_begin(req, "contactlists", choice.list->name))
		begin(req, &choice);
	if (choice.criteria)
		criteria_free(choice.criteria);
	json_decref(body);
}

void
list_export_get(Request *req)
{
	if (list_find(req, "contact.list.not.found"))
		export_get(req, "contactlists");
}
