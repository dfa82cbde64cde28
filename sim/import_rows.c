/*
 * import_rows.c
 *	  The rows of an import: read one by one, checked, stored.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "changes.h"
#include "csvread.h"
#include "import_check.h"
#include "import_rows.h"
#include "state.h"
#include "switches.h"

#define NOT_KEPT (-1) /* a column of the file that the list does not have */
#define IS_ID	 (-2)

struct Rows
{
	RowsOptions options;
	char *id_name;
	CsvRead *csv;	/* NULL = no file */
	json_t *json;	/* NULL = no JSON */
	bool stored;	/* with neither: counted as the list's */
	bool trims;		/* cells */
	size_t at;		/* in json */
	int ncolumns;	/* of the file */
	int *columns;	/* what its columns are */
	Checks *checks; /* what the list says of its cells */
};

/* One row, as it was read. */
typedef struct Taken
{
	Row row;
	Span cells[MAX_COLUMNS];
} Taken;

static Rows *
make_rows(const RowsOptions *options)
{
	Rows *rows = sim_alloc(sizeof(Rows));

	if (options)
		rows->options = *options;
	if (rows->options.id_name)
		rows->id_name = sim_strdup(rows->options.id_name);
	return rows;
}

Rows *
rows_of_file(Stream *file, const RowsOptions *options)
{
	Rows *rows = make_rows(options);

	rows->csv = csvread_create(file);
	return rows;
}

Rows *
rows_of_json(json_t *contacts, const RowsOptions *options)
{
	Rows *rows = make_rows(options);

	rows->json = contacts;
	return rows;
}

Rows *
rows_of_nothing(bool stored)
{
	Rows *rows = make_rows(NULL);

	rows->stored = stored;
	return rows;
}

void
rows_free(Rows *rows)
{
	if (rows == NULL)
		return;
	csvread_free(rows->csv);
	json_decref(rows->json);
	checks_free(rows->checks);
	free(rows->columns);
	free(rows->id_name);
	free(rows);
}

void
row_error_free(RowError *error)
{
	free(error->message);
	free(error->field);
	free(error->id);
	*error = (RowError){0};
}

void
row_refuse(RowError *error, const char *code, Span field, const char *fmt, ...)
{
	va_list args;

	if (error->code)
		return;
	error->code = code;
	error->field = field.p ? sim_strndup(field.p, field.n) : NULL;
	va_start(args, fmt);
	if (vasprintf(&error->message, fmt, args) < 0)
		error->message = NULL;
	va_end(args);
}

static const Span no_field = {NULL, 0};

/* What the file's column is; columns that the list lacks are refused, or dropped. */
static int
column_named(const Rows *rows, const List *list, Span name, RowError *error)
{
	int column = columns_find(list->columns, name, 0);

	if (rows->id_name && span_is(name, rows->id_name) && column < 0)
		return IS_ID;
	if (column < 0 && sw_is(SW_UNKNOWN_FIELDS, "refuse"))
		row_refuse(error, "IMPORT_COLUMNS_DO_NOT_EXIST_ON_LIST", name,
				   "The contact list has no column %.*s.", (int) name.n, name.p);
	return column < 0 ? NOT_KEPT : column;
}

static Span
trimmed(Span text)
{
	static const char blanks[] = " \t\r\n\f\v";

	while (text.n > 0 && text.p[0] && strchr(blanks, text.p[0]))
		text = (Span){text.p + 1, text.n - 1};
	while (text.n > 0 && text.p[text.n - 1] && strchr(blanks, text.p[text.n - 1]))
		text.n--;
	return text;
}

static bool
has_column(const Rows *rows, int column)
{
	for (int i = 0; i < rows->ncolumns; i++)
		if (rows->columns[i] == column)
			return true;
	return false;
}

/* Columns of the list that the file lacks, where those are wanted; ids, if they are in it. */
static void
check_header(Rows *rows, const List *list, const Span *names, RowError *error)
{
	bool has_id = rows->id_name == NULL;
	bool has_any = false;

	for (int i = 0; i < rows->ncolumns; i++)
		has_any = has_any || rows->columns[i] >= 0;
	if (!has_any)
		row_refuse(error, "IMPORT_FAILED_TO_READ_HEADERS", no_field,
				   "The file has no column of the list.");
	for (int i = 0; i < rows->ncolumns && rows->id_name; i++)
		has_id = has_id || span_is(trimmed(names[i]), rows->id_name);
	if (!has_id)
		row_refuse(error, "IMPORT_MISSING_CUSTOM_ID", no_field,
				   "The file has no column %s for the contact ids.", rows->id_name);
	for (int i = 0; i < list->columns->n && sw_is(SW_IMPORT_ABSENT_COLUMNS, "refuse"); i++)
		if (!has_column(rows, i))
			row_refuse(error, "IMPORT_CONTACT_DOES_NOT_MATCH_LIST_FORMAT",
					   list->columns->name[i], "The file lacks a column of the list.");
}

static void
read_header(Rows *rows, const List *list, RowError *error)
{
	Span names[MAX_CSV_CELLS];
	int n;

	if (csvread_next(rows->csv, names, &n) != CSV_ROW)
	{
		row_refuse(error, "IMPORT_FAILED_TO_READ_HEADERS", no_field,
				   "The file has no header.");
		return;
	}
	if (n > MAX_COLUMNS + (rows->id_name != NULL))
	{
		row_refuse(error, "CONTACT_COLUMNS_LIMIT_EXCEEDED", no_field,
				   "The file has over %d columns.", MAX_COLUMNS);
		return;
	}
	rows->columns = sim_alloc(sizeof(int) * (size_t) n);
	for (int i = 0; i < n; i++)
	{
		int column = column_named(rows, list, trimmed(names[i]), error);

		if (column >= 0 && has_column(rows, column))
			row_refuse(error, "IMPORT_FAILED_TO_READ_HEADERS", names[i],
					   "The file has a column twice.");
		rows->columns[rows->ncolumns++] = column;
	}
	check_header(rows, list, names, error);
}

/* Without a header: the contact id, then the list's columns as they stand. */
static void
assume_header(Rows *rows, const List *list)
{
	rows->columns = sim_alloc(sizeof(int) * (size_t) (list->columns->n + 1));
	rows->columns[rows->ncolumns++] = IS_ID;
	for (int i = 0; i < list->columns->n; i++)
		rows->columns[rows->ncolumns++] = i;
}

void
rows_begin(Rows *rows, const List *list, RowError *error)
{
	rows->checks = checks_create(list, rows->options.verifies);
	rows->trims = !json_is_false(json_object_get(list->body, "trimWhitespace"));
	if (rows->options.broken)
		row_refuse(error, rows->options.broken, no_field, "The file is not UTF-8.");
	else if (rows->csv && rows->options.header)
		read_header(rows, list, error);
	else if (rows->csv)
		assume_header(rows, list);
	error->fatal = error->code != NULL;
}

/* A column of the list may be that of the ids, too. */
static bool
holds_id(const Rows *rows, const List *list, int column)
{
	return column == IS_ID || (column >= 0 && rows->id_name &&
							   span_is(list->columns->name[column], rows->id_name));
}

static void
read_line(Rows *rows, const List *list, Taken *taken, RowError *error)
{
	Span cells[MAX_CSV_CELLS];
	int n;
	CsvRow kind = csvread_next(rows->csv, cells, &n);

	if (kind != CSV_ROW)
	{
		row_refuse(error, "IMPORT_COULD_NOT_PARSE_AN_ENTRY", no_field,
				   "The row cannot be parsed.");
		return;
	}
	for (int i = 0; i < n && i < rows->ncolumns; i++)
	{
		int column = rows->columns[i];
		Span cell = rows->trims ? trimmed(cells[i]) : cells[i];

		if (column >= 0)
			taken->cells[column] = cell;
		if (holds_id(rows, list, column))
			taken->row.id = cell;
	}
	if (n != rows->ncolumns)
		row_refuse(error, "IMPORT_ENTRY_DOES_NOT_ALIGN_WITH_HEADERS", no_field,
				   "The row has %d cells and the header %d.", n, rows->ncolumns);
	else if ((rows->id_name || !rows->options.header) && taken->row.id.n == 0)
		row_refuse(error, "IMPORT_MISSING_CUSTOM_ID", no_field, "The row has no contact id.");
}

static Span
text_of(const json_t *text)
{
	return (Span){(char *) json_string_value(text), json_string_length(text)};
}

static void
read_object(Rows *rows, const List *list, Taken *taken)
{
	json_t *contact = json_array_get(rows->json, rows->at++);
	json_t *callable = json_object_get(contact, "callable");
	const char *name;
	json_t *value;

	taken->row.id = text_of(json_object_get(contact, "id"));
	if (callable)
		taken->row.callable = json_is_true(callable);
	json_object_foreach(json_object_get(contact, "cells"), name, value)
	{
		int column = columns_find(list->columns, (Span){(char *) name, strlen(name)}, 0);

		if (column >= 0)
			taken->cells[column] = text_of(value);
	}
}

/* Ids may be the organization's. */
static bool
is_elsewhere(const List *list, Span id)
{
	List *other = sw_is(SW_EXTERNAL_ID_UNIQUE, "on") && id.p ? store_lists() : NULL;

	while (other && (other == list || !list_contact(other, id)))
		other = other->next;
	return other != NULL;
}

static void
store(const Rows *rows, List *list, Taken *taken, RowError *error)
{
	PostFlags flags = {-1, -1, rows->options.clear_system_data,
					   sw_is(SW_ABSENT_CELLS, "blank")};
	Batch batch = {.list_id = list->id, .columns = list->columns, .rows = &taken->row, .n = 1};
	bool exists = taken->row.id.p && list_contact(list, taken->row.id);
	int64_t most = sw_number(SW_CONTACTS_MAX);

	batch.cells = taken->cells;
	if (exists && rows->options.on_duplicate == DUPLICATE_ERROR)
		row_refuse(error, "duplicate.contact.id", (Span){"contactId", 9},
				   "duplicate contact: there is one with this id.");
	else if (is_elsewhere(list, taken->row.id))
		row_refuse(error, "IMPORT_INVALID_CUSTOM_ID", (Span){"contactId", 9},
				   "A contact with the external id %.*s already exists in the organization.",
				   (int) taken->row.id.n, taken->row.id.p);
	else if (!exists && most > 0 && list->ncontacts >= most)
	{
		row_refuse(error, "EXCEEDED_CONTACT_LIMIT", no_field,
				   "The contact list has the maximum of %lld contacts.", (long long) most);
		error->fatal = true;
	}
	else if (!exists || rows->options.on_duplicate == DUPLICATE_UPDATE)
	{
		contact_upsert(list, &batch, 0, &flags);
		counters.contacts_accepted++;
	}
}

void
rows_take(Rows *rows, List *list, RowError *error)
{
	Taken taken;

	memset(&taken, 0, sizeof(taken));
	taken.row.callable = -1;
	if (rows->csv)
		read_line(rows, list, &taken, error);
	else
		read_object(rows, list, &taken);
	if (error->code == NULL)
		checks_run(rows->checks, list->columns, taken.row.id, taken.cells, error);
	if (error->code == NULL)
		store(rows, list, &taken, error);
	if (error->code && taken.row.id.n > 0)
		error->id = sim_strndup(taken.row.id.p, taken.row.id.n);
}

int64_t
rows_take_many(Rows *rows, List *list, int64_t n)
{
	if (rows->csv || rows->json)
		return 0;
	if (rows->stored)
	{
		list->accepted += n;
		counters.contacts_accepted += n;
	}
	return n;
}
