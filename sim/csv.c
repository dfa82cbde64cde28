/*
 * csv.c
 *	  Contacts as the rows of an export.
 *
 * The system columns are of two generations.  Most contacts have nothing in
 * them but that they are callable, so what a row of those ends with is kept.
 */
#include <stdlib.h>
#include <strings.h>

#include "csv.h"
#include "switches.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

typedef enum Source
{
	FROM_NOWHERE, /* always empty */
	FROM_CALLABLE,
	FROM_ZIP,	 /* the time zone of the column that is a postal code */
	FROM_COLUMN, /* a member of the attribute's entry for the column */
	FROM_MEDIUM	 /* what the attribute says of a medium, or of the column by it */
} Source;

/* A system column; flags are 1 and 0, and 1 when nothing is said. */
typedef struct System
{
	const char *name;
	Source source;
	Attr attr;
	const char *medium;
	const char *member;
	bool flag;
	bool recent; /* the older generation has it not */
} System;

static const System of_contact[] = {
	{"ContactCallable", FROM_CALLABLE, ATTR_COUNT, NULL, NULL, true, false},
	{"ContactableByVoice", FROM_MEDIUM, ATTR_CONTACTABLE_STATUS, "Voice", "contactable", true,
	 true},
	{"ContactableBySms", FROM_MEDIUM, ATTR_CONTACTABLE_STATUS, "Sms", "contactable", true,
	 true},
	{"ContactableByEmail", FROM_MEDIUM, ATTR_CONTACTABLE_STATUS, "Email", "contactable", true,
	 true},
	{"ZipCodeAutomaticTimeZone", FROM_ZIP, ATTR_CONTACT_COLUMN_TIME_ZONES, NULL, "timeZone",
	 false, false},
};

static const System of_phone[] = {
	{"CallRecordLastAttempt", FROM_COLUMN, ATTR_CALL_RECORDS, NULL, "lastAttempt", false,
	 false},
	{"CallRecordLastResult", FROM_COLUMN, ATTR_CALL_RECORDS, NULL, "lastResult", false, false},
	{"CallRecordLastAgentWrapup", FROM_NOWHERE, ATTR_COUNT, NULL, NULL, false, false},
	{"SmsLastAttempt", FROM_COLUMN, ATTR_LATEST_SMS_EVALUATIONS, NULL, "timestamp", false,
	 false},
	{"SmsLastResult", FROM_COLUMN, ATTR_LATEST_SMS_EVALUATIONS, NULL, "wrapupCodeId", false,
	 false},
	{"Callable", FROM_COLUMN, ATTR_PHONE_NUMBER_STATUS, NULL, "callable", true, false},
	{"ContactableByVoice", FROM_MEDIUM, ATTR_CONTACTABLE_STATUS, "Voice", "contactable", true,
	 true},
	{"ContactableBySms", FROM_MEDIUM, ATTR_CONTACTABLE_STATUS, "Sms", "contactable", true,
	 true},
	{"AutomaticTimeZone", FROM_COLUMN, ATTR_CONTACT_COLUMN_TIME_ZONES, NULL, "timeZone", false,
	 false},
};

#define COUNT(table) ((int) (sizeof(table) / sizeof((table)[0])))

struct Csv
{
	const List *list;
	bool recent;
	bool quote_all;
	const char *end;
	Buf plain[2]; /* the system columns of a contact without attributes, by callable */
};

static bool
needs_quotes(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] == ',' || p[i] == '"' || p[i] == '\r' || p[i] == '\n')
			return true;
	return false;
}

static void
put_quoted(Buf *out, const char *p, size_t n)
{
	const char *end = p + n;
	const char *quote;

	buf_putc(out, '"');
	while (p < end && (quote = memchr(p, '"', (size_t) (end - p))) != NULL)
	{
		buf_put(out, p, (size_t) (quote - p) + 1);
		buf_putc(out, '"');
		p = quote + 1;
	}
	buf_put(out, p, (size_t) (end - p));
	buf_putc(out, '"');
}

static void
put_cell(Buf *out, Span cell, bool quote_all)
{
	if (quote_all || needs_quotes(cell.p, cell.n))
		put_quoted(out, cell.p, cell.n);
	else
		buf_put(out, cell.p, cell.n);
}

void
csv_put_cell(Buf *out, Span cell)
{
	put_cell(out, cell, sw_is(SW_EXPORT_QUOTE, "all"));
}

void
csv_put_text(Buf *out, const char *cell)
{
	csv_put_cell(out, (Span){(char *) cell, strlen(cell)});
}

void
csv_put_end(Buf *out)
{
	buf_puts(out, sw_is(SW_EXPORT_LINES, "lf") ? "\n" : "\r\n");
}

/* The first header comes in quotes that are doubled, as if they were quoted themselves. */
void
csv_put_start(Buf *out, const char *first_header)
{
	if (!sw_is(SW_EXPORT_HEADER, "bare"))
		buf_puts(out, BYTE_ORDER_MARK);
	if (sw_is(SW_EXPORT_HEADER, "quoted"))
		buf_printf(out, "\"\"%s\"\"", first_header);
	else
		csv_put_text(out, first_header);
}

static bool
is_shown(const Csv *csv, const System *system)
{
	return csv->recent || !system->recent;
}

static void
put_system_headers(const Csv *csv, Buf *out)
{
	const Columns *columns = csv->list->columns;

	for (int i = 0; i < COUNT(of_contact); i++)
		if (is_shown(csv, &of_contact[i]))
		{
			buf_putc(out, ',');
			csv_put_text(out, of_contact[i].name);
		}
	for (int c = 0; c < columns->n; c++)
		for (int i = 0; columns->phone[c] && i < COUNT(of_phone); i++)
			if (is_shown(csv, &of_phone[i]))
			{
				char *name = sim_printf("%s-%s", of_phone[i].name, columns->name[c].p);

				buf_putc(out, ',');
				csv_put_text(out, name);
				free(name);
			}
}

void
csv_put_header(const Csv *csv, Buf *out)
{
	const Columns *columns = csv->list->columns;

	csv_put_start(out, "inin-outbound-id");
	for (int i = 0; i < columns->n; i++)
	{
		buf_putc(out, ',');
		csv_put_cell(out, columns->name[i]);
	}
	put_system_headers(csv, out);
	csv_put_end(out);
}

/* What stands under a name in whatever case: media are written in several. */
static const json_t *
member_of(const json_t *object, const char *name)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *) object, key, value)
	{
		if (strcasecmp(key, name) == 0)
			return value;
	}
	return NULL;
}

static const json_t *
zip_entry(const json_t *zones)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *) zones, key, value)
	{
		const char *type = json_string_value(json_object_get(value, "columnType"));

		if (type && strcmp(type, "ZIP") == 0)
			return value;
	}
	return NULL;
}

/* The object that holds the column's value; NULL = none. */
static const json_t *
system_entry(const System *system, const json_t *attr, const char *column)
{
	const json_t *entry;

	switch (system->source)
	{
		case FROM_ZIP:
			return zip_entry(attr);
		case FROM_COLUMN:
			return json_object_get(attr, column);
		case FROM_MEDIUM:
			entry = member_of(attr, system->medium);
			return column ? json_object_get(json_object_get(entry, "columnStatus"), column)
						  : entry;
		default:
			return NULL;
	}
}

static void
put_system(const Csv *csv, Buf *out, const System *system, json_t *const *attrs, bool callable,
		   const char *column)
{
	const json_t *attr = system->attr < ATTR_COUNT ? attrs[system->attr] : NULL;
	const json_t *entry = system_entry(system, attr, column);
	const json_t *value = entry ? json_object_get(entry, system->member) : NULL;
	const char *cell = json_string_value(value);

	if (!is_shown(csv, system))
		return;
	if (system->source == FROM_CALLABLE)
		cell = callable ? "1" : "0";
	else if (system->flag)
		cell = json_is_false(value) ? "0" : "1";
	buf_putc(out, ',');
	if (cell == NULL)
		cell = "";
	put_cell(out, (Span){(char *) cell, strlen(cell)}, csv->quote_all);
}

static void
put_systems(const Csv *csv, Buf *out, json_t *const *attrs, bool callable)
{
	const Columns *columns = csv->list->columns;

	for (int i = 0; i < COUNT(of_contact); i++)
		put_system(csv, out, &of_contact[i], attrs, callable, NULL);
	for (int c = 0; c < columns->n; c++)
		for (int i = 0; columns->phone[c] && i < COUNT(of_phone); i++)
			put_system(csv, out, &of_phone[i], attrs, callable, columns->name[c].p);
}

Csv *
csv_create(const List *list)
{
	json_t *const none[ATTR_COUNT] = {NULL};
	Csv *csv = sim_alloc(sizeof(Csv));

	csv->list = list;
	csv->recent = sw_is(SW_EXPORT_COLUMNS, "new");
	csv->quote_all = sw_is(SW_EXPORT_QUOTE, "all");
	csv->end = sw_is(SW_EXPORT_LINES, "lf") ? "\n" : "\r\n";
	for (int callable = 0; callable < 2; callable++)
		put_systems(csv, &csv->plain[callable], none, callable);
	return csv;
}

void
csv_free(Csv *csv)
{
	buf_free(&csv->plain[0]);
	buf_free(&csv->plain[1]);
	free(csv);
}

static void
put_attributes(const Csv *csv, Buf *out, const Contact *contact)
{
	json_t *attrs[ATTR_COUNT];

	for (int i = 0; i < ATTR_COUNT; i++)
	{
		const Span *value = &contact->attrs->value[i];

		attrs[i] = value->p ? json_loadb(value->p, value->n, JSON_ALLOW_NUL, NULL) : NULL;
	}
	put_systems(csv, out, attrs, contact->callable);
	for (int i = 0; i < ATTR_COUNT; i++)
		json_decref(attrs[i]);
}

void
csv_put_contact(const Csv *csv, Buf *out, const Contact *contact)
{
	const Buf *plain = &csv->plain[contact->callable];
	Span cells[MAX_COLUMNS];

	contact_cells(contact, cells);
	put_cell(out, contact_id(contact), csv->quote_all);
	for (int i = 0; i < contact->ncells; i++)
	{
		buf_putc(out, ',');
		put_cell(out, cells[i], csv->quote_all);
	}
	if (contact->attrs)
		put_attributes(csv, out, contact);
	else
		buf_put(out, plain->data, plain->len);
	buf_puts(out, csv->end);
}
