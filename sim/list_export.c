/*
 * list_export.c
 *	  Exports of contact lists: which contacts, and their file.
 */
#include <stdlib.h>

#include "csv.h"
#include "errors.h"
#include "exports.h"
#include "generate.h"
#include "list_export.h"
#include "lists.h"
#include "locks.h"
#include "switches.h"

#define PIECE (1024 * 1024) /* is written to the file at once */

/* Makes of each contact a row, and of many rows a piece of the file. */
typedef struct Writer
{
	Csv *csv;
	Stream *stream;
	Buf piece;
	int64_t rows;
	bool failed;
} Writer;

static bool
write_contact(void *arg, const Contact *contact)
{
	Writer *writer = arg;

	csv_put_contact(writer->csv, &writer->piece, contact);
	writer->rows++;
	if (writer->piece.len >= PIECE && !stream_append(writer->stream, &writer->piece))
		writer->failed = true;
	return !writer->failed;
}

Stream *
list_export_file(const Choice *choice, int64_t *rows)
{
	Writer writer = {.csv = csv_create(choice->list), .stream = stream_create()};

	if (writer.stream)
	{
		csv_put_header(writer.csv, &writer.piece);
		choice_walk(choice, write_contact, &writer);
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
	Stream *stream = sw_is(SW_DISCARD, "on") ? make_rows(choice->list, &rows)
											 : list_export_file(choice, &rows);

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
	else if (choice_read(req, body, " contactListFilterId criteria contactIds ", &choice) &&
			 export_may_begin(req, "contactlists", choice.list->name))
		begin(req, &choice);
	choice_free(&choice);
	json_decref(body);
}

void
list_export_get(Request *req)
{
	if (list_find(req, "contact.list.not.found"))
		export_get(req, "contactlists");
}
