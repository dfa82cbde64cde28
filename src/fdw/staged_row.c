/*
 * fdw/staged_row.c
 *	  An encoded contact as a line of an import's part, and back.
 */
#include "postgres.h"

#include "base/json.h"
#include "fdw/staged_row.h"

#include "utils/builtins.h"

/* What stands behind the JSON. */
enum
{
	FIELD_JSON,
	FIELD_ATTRIBUTES,
	FIELD_CELLS,
	FIELD_CALLABLE,
	FIELD_PHONE_STATUS,
	FIELD_CONTACTABLE_STATUS,
	FIELD_COUNT
};

/* A format would take longer than the rest of the row. */
static void
put_number(StringInfo line, int number)
{
	char digits[MAXINT8LEN + 1];

	appendStringInfoChar(line, '\t');
	appendBinaryStringInfo(line, digits, pg_ltoa(number, digits));
}

void
gc_staged_row_put(StringInfo line, const GcRow *row)
{
	appendBinaryStringInfo(line, row->json, row->len);
	put_number(line, row->attributes);
	put_number(line, row->cells);
	appendStringInfoChar(line, '\t');
	if (row->callable)
		appendStringInfoChar(line, row->callable);
	appendStringInfoChar(line, '\t');
	if (row->phone_number_status)
		appendStringInfoString(line, row->phone_number_status);
	appendStringInfoChar(line, '\t');
	if (row->contactable_status)
		appendStringInfoString(line, row->contactable_status);
	appendStringInfoChar(line, '\n');
}

/* The contact's id, from its JSON. */
static char *
id_of(const char *json, int len)
{
	GcJson cursor;
	GcSpan key;
	GcSpan value;

	gc_json_init(&cursor, json, len);
	(void) gc_json_enter(&cursor, '{');
	while (gc_json_key(&cursor, &key) && gc_json_value(&cursor, &value))
		if (gc_json_span_is(&key, "id"))
		{
			char *id = palloc(value.len + 1);

			id[Max(gc_json_unescape(&value, id), 0)] = '\0';
			return id;
		}
	return NULL;
}

static const char *
or_null(const char *field)
{
	return field[0] == '\0' ? NULL : field;
}

bool
gc_staged_row_get(char **at, const char *end, GcRow *row)
{
	char *fields[FIELD_COUNT];
	char *line_end = memchr(*at, '\n', end - *at);

	if (*at == end)
		return false;
	memset(row, 0, sizeof(*row));
	fields[0] = *at;
	for (int i = 1; line_end && i < FIELD_COUNT; i++)
	{
		char *tab = memchr(fields[i - 1], '\t', line_end - fields[i - 1]);

		if (tab == NULL)
			line_end = NULL;
		else
		{
			*tab = '\0';
			fields[i] = tab + 1;
		}
	}
	if (line_end)
	{
		*line_end = '\0';
		row->json = fields[FIELD_JSON];
		row->len = fields[FIELD_ATTRIBUTES] - 1 - fields[FIELD_JSON];
		row->id = id_of(row->json, row->len);
	}
	if (row->id)
	{
		row->attributes = atoi(fields[FIELD_ATTRIBUTES]);
		row->cells = atoi(fields[FIELD_CELLS]);
	}
	if (row->id == NULL || row->attributes < 0 || row->attributes > row->len ||
		row->cells < 0 || row->cells > row->len - 2)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("a staged row is damaged")));
	row->callable = fields[FIELD_CALLABLE][0];
	row->phone_number_status = or_null(fields[FIELD_PHONE_STATUS]);
	row->contactable_status = or_null(fields[FIELD_CONTACTABLE_STATUS]);
	*at = line_end + 1;
	return true;
}
