/*
 * fdw/staged_csv.c
 *	  Encoded contacts as rows of a CSV file that fills a list (SCENARIOS C2, C3).
 */
#include "postgres.h"

#include "base/json.h"
#include "base/option.h"
#include "fdw/staged_csv.h"

#include "utils/memutils.h"

/* What a file calls the contact's id where no column of the list has it, as exports do. */
#define ID_COLUMN "inin-outbound-id"

/* What stands before the cells of a contact without attributes. */
#define DATA_START "\"data\":{"

struct GcStagedCsv
{
	MemoryContext cxt;
	const GcList *list;
	int key;	   /* the list's column that has the ids; -1: none has */
	char **names;  /* as contacts had them last, by their place in a contact */
	int *places;   /* … and which column of the list that is */
	GcSpan *cells; /* of the contact at hand, by column */
	StringInfoData cell;
};

bool
gc_staged_is_plain_upsert(const GcRelation *rel)
{
	return !gc_option_bool(rel->options, NIL, "priority") &&
		   !gc_option_bool(rel->options, NIL, "clear_system_data") &&
		   !gc_option_bool(rel->options, NIL, "do_not_queue");
}

bool
gc_staged_is_plain(const GcRow *row)
{
	return row->cells - row->attributes == strlen(DATA_START);
}

GcStagedCsv *
gc_staged_csv_create(const GcRelation *rel, const GcList *list, bool bare)
{
	GcStagedCsv *csv = palloc0(sizeof(GcStagedCsv));

	csv->cxt = CurrentMemoryContext;
	csv->list = list;
	csv->key = !bare && rel->key && rel->columns[rel->key - 1].field
				   ? gc_list_column(list, rel->columns[rel->key - 1].field)
				   : -1;
	if (!gc_staged_is_plain_upsert(rel) ||
		list->column_count + (csv->key < 0) > GC_CSV_MAX_COLUMNS)
		return NULL;
	csv->names = palloc0(sizeof(char *) * list->column_count);
	csv->places = palloc0(sizeof(int) * list->column_count);
	csv->cells = palloc0(sizeof(GcSpan) * list->column_count);
	initStringInfo(&csv->cell);
	return csv;
}

/* ---- writing ---- */

static void
append_quoted(StringInfo line, const char *cell, int len)
{
	appendStringInfoChar(line, '"');
	for (int i = 0; i < len; i++)
	{
		if (cell[i] == '"')
			appendStringInfoChar(line, '"');
		appendStringInfoCharMacro(line, cell[i]);
	}
	appendStringInfoChar(line, '"');
}

static bool
needs_quotes(const char *cell, int len)
{
	for (int i = 0; i < len; i++)
		if (cell[i] == '"' || cell[i] == ',' || cell[i] == '\n' || cell[i] == '\r')
			return true;
	return len > 0 && (cell[0] == ' ' || cell[len - 1] == ' ');
}

static void
append_cell(StringInfo line, const char *cell, int len)
{
	if (needs_quotes(cell, len))
		append_quoted(line, cell, len);
	else
		appendBinaryStringInfo(line, cell, len);
}

void
gc_staged_csv_header(const GcStagedCsv *csv, StringInfo line)
{
	const char *id = csv->key >= 0 ? csv->list->columns[csv->key] : ID_COLUMN;

	append_quoted(line, id, strlen(id));
	for (int i = 0; i < csv->list->column_count; i++)
		if (i != csv->key)
		{
			appendStringInfoChar(line, ',');
			append_quoted(line, csv->list->columns[i], strlen(csv->list->columns[i]));
		}
	appendStringInfoString(line, "\r\n");
}

/* Which column that name is; contacts of a statement have them in the same order. */
static int
column_of(GcStagedCsv *csv, int place, const GcSpan *key)
{
	char *name;

	if (place >= csv->list->column_count)
		return -1;
	name = csv->names[place];
	if (name == NULL || strlen(name) != key->len || memcmp(name, key->p, key->len) != 0)
	{
		char *decoded = palloc(key->len + 1);

		decoded[Max(gc_json_unescape(key, decoded), 0)] = '\0';
		if (name)
			pfree(name);
		csv->names[place] = MemoryContextStrdup(csv->cxt, pnstrdup(key->p, key->len));
		csv->places[place] = gc_list_column(csv->list, decoded);
	}
	return csv->places[place];
}

/* Finds the contact's cells: is there one for each column of the list? */
static bool
find_cells(GcStagedCsv *csv, const GcRow *row)
{
	GcJson json;
	GcSpan key;
	GcSpan value;
	int found = 0;

	memset(csv->cells, 0, sizeof(GcSpan) * csv->list->column_count);
	gc_json_init(&json, row->json + row->cells - 1, row->len - row->cells);
	(void) gc_json_enter(&json, '{');
	while (gc_json_key(&json, &key) && gc_json_value(&json, &value))
	{
		int column = column_of(csv, found++, &key);

		if (column < 0)
			return false;
		csv->cells[column] = value;
	}
	for (int i = 0; i < csv->list->column_count; i++)
		if (csv->cells[i].p == NULL)
			return false;
	return true;
}

/* Blanks and control characters at either end, as every trim() has it. */
static bool
is_trimmed(const char *cell, int len)
{
	return len == 0 || ((unsigned char) cell[0] > ' ' && (unsigned char) cell[len - 1] > ' ');
}

/* False: the list would trim it. */
static bool
add_cell(GcStagedCsv *csv, int column, StringInfo line)
{
	const GcSpan *span = &csv->cells[column];
	const char *cell = span->p;
	int len = span->len;

	if (span->escaped)
	{
		resetStringInfo(&csv->cell);
		enlargeStringInfo(&csv->cell, span->len);
		len = gc_json_unescape(span, csv->cell.data);
		cell = csv->cell.data;
	}
	if (csv->list->trims && !is_trimmed(cell, len))
		return false;
	append_cell(line, cell, len);
	return true;
}

GcCsvFit
gc_staged_csv_row(GcStagedCsv *csv, const GcRow *row, StringInfo line, const char **column)
{
	int start = line->len;

	if (!gc_staged_is_plain(row) || !find_cells(csv, row))
		return GC_CSV_SAYS_MORE;
	append_cell(line, row->id, strlen(row->id));
	for (int i = 0; i < csv->list->column_count; i++)
	{
		if (i == csv->key)
			continue;
		appendStringInfoChar(line, ',');
		if (!add_cell(csv, i, line))
		{
			*column = csv->list->columns[i];
			line->len = start;
			return GC_CSV_TRIMMED;
		}
	}
	appendStringInfoString(line, "\r\n");
	return GC_CSV_FITS;
}

/* ---- reading ---- */

/* One cell, decoded in place; *at is set to what ends it, which is overwritten: the return. */
static char
take_cell(char **at, char *end, char **cell)
{
	char *from = *at;
	char *to = *at;
	bool quoted = from < end && *from == '"';
	char ended;

	*cell = to;
	from += quoted;
	while (from < end)
	{
		if (quoted && *from == '"')
		{
			if (from + 1 < end && from[1] == '"')
				from++;
			else
				quoted = false;
			if (!quoted)
			{
				from++;
				continue;
			}
		}
		else if (!quoted && (*from == ',' || *from == '\r'))
			break;
		*to++ = *from++;
	}
	if (from >= end)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("a staged row is damaged")));
	ended = *from;
	*to = '\0';
	*at = from + 1;
	return ended;
}

bool
gc_staged_csv_get(char **at, char *end, char **cells, int max, int *count)
{
	char ended = ',';

	if (*at >= end)
		return false;
	for (*count = 0; ended == ',' && *count < max; (*count)++)
		ended = take_cell(at, end, &cells[*count]);
	if (ended != '\r' || *at >= end || **at != '\n')
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("a staged row is damaged")));
	(*at)++;
	return true;
}

bool
gc_staged_csv_pass(const char **at, const char *end)
{
	const char *p = *at;
	bool quoted = false;

	if (p >= end)
		return false;
	/* Quotes within quotes are doubled, so that each of them turns it over. */
	for (; p < end && (quoted || *p != '\n'); p++)
		if (*p == '"')
			quoted = !quoted;
	if (p >= end)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("a staged row is damaged")));
	*at = p + 1;
	return true;
}

static void
append_string(StringInfo json, const char *utf8)
{
	appendStringInfoChar(json, '"');
	gc_json_escape(json, utf8, strlen(utf8));
	appendStringInfoChar(json, '"');
}

void
gc_staged_csv_contact(StringInfo json, char **columns, char **cells, int count)
{
	appendStringInfoString(json, "{\"id\":");
	append_string(json, cells[0]);
	appendStringInfoString(json, ",\"data\":{");
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoChar(json, ',');
		append_string(json, columns[i]);
		appendStringInfoChar(json, ':');
		append_string(json, cells[i]);
	}
	appendStringInfoString(json, "}}");
}
