/*
 * import_check.c
 *	  What a list says of the cells of an import.
 */
#include <stdlib.h>

#include "criteria.h"
#include "import_check.h"
#include "rows.h"
#include "switches.h"

typedef enum CellType
{
	CELL_TEXT,
	CELL_NUMERIC,
	CELL_TIMESTAMP
} CellType;

typedef struct CellRule
{
	CellType type;
	bool email;
	bool bounded;
	json_int_t max_length; /* 0 = none */
	double min;
	double max;
} CellRule;

struct Checks
{
	bool verifies;
	CellRule rules[MAX_COLUMNS];
};

static CellRule *
rule_of(Checks *checks, const List *list, const json_t *column)
{
	const json_t *name = json_object_get(column, "columnName");
	Span span = {(char *) json_string_value(name), json_string_length(name)};
	int i = span.p ? columns_find(list->columns, span, 0) : -1;

	return i < 0 ? NULL : &checks->rules[i];
}

static void
read_rule(CellRule *rule, const json_t *spec)
{
	const char *type = json_string_value(json_object_get(spec, "columnDataType"));
	const json_t *min = json_object_get(spec, "min");
	const json_t *max = json_object_get(spec, "max");

	rule->type = !type || strcmp(type, "TEXT") == 0 ? CELL_TEXT
				 : strcmp(type, "NUMERIC") == 0		? CELL_NUMERIC
													: CELL_TIMESTAMP;
	rule->bounded = json_is_number(min) || json_is_number(max);
	rule->min = json_is_number(min) ? json_number_value(min) : -1e300;
	rule->max = json_is_number(max) ? json_number_value(max) : 1e300;
	rule->max_length = json_integer_value(json_object_get(spec, "maxLength"));
}

Checks *
checks_create(const List *list, bool verifies)
{
	Checks *checks = sim_alloc(sizeof(Checks));
	size_t i;
	json_t *item;
	CellRule *rule;

	checks->verifies = verifies;
	json_array_foreach(json_object_get(list->body, "columnDataTypeSpecifications"), i, item)
	{
		if ((rule = rule_of(checks, list, item)) != NULL)
			read_rule(rule, item);
	}
	json_array_foreach(json_object_get(list->body, "emailColumns"), i, item)
	{
		if ((rule = rule_of(checks, list, item)) != NULL)
			rule->email = true;
	}
	return checks;
}

void
checks_free(Checks *checks)
{
	free(checks);
}

/* A plus sign, then seven to fifteen digits, the first of them no zero. */
static bool
is_phone_number(Span text)
{
	if (text.n < 8 || text.n > 16 || text.p[0] != '+' || text.p[1] == '0')
		return false;
	for (size_t i = 1; i < text.n; i++)
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
	return true;
}

static bool
is_email_address(Span text)
{
	const char *at = memchr(text.p, '@', text.n);
	size_t domain = at ? (size_t) (text.p + text.n - at) - 1 : 0;

	return at && at > text.p && domain > 2 && !memchr(at + 1, '@', domain) &&
		   memchr(at + 1, '.', domain) && at[1] != '.' && !memchr(text.p, ' ', text.n);
}

static json_int_t
count_characters(Span text)
{
	json_int_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += ((unsigned char) text.p[i] & 0xc0) != 0x80;
	return n;
}

static void
check_type(const CellRule *rule, Span name, Span cell, RowError *error)
{
	long double number = 0;
	bool good =
		rule->type == CELL_TEXT ||
		(rule->type == CELL_NUMERIC ? text_number(cell, &number) : text_time(cell, &number));

	if (!good)
		row_refuse(error, "IMPORT_FAILED_CONTACT_DATA_INVALID_DATATYPE", name,
				   "The value is not of the column's data type.");
	else if (rule->type == CELL_NUMERIC && rule->bounded &&
			 (number < rule->min || number > rule->max))
		row_refuse(error, "IMPORT_FAILED_CONTACT_DATA_NOT_WITHIN_MIN_MAX_RANGE", name,
				   "The value is out of the column's range.");
	else if (rule->max_length > 0 && count_characters(cell) > rule->max_length)
		row_refuse(error, "IMPORT_FAILED_CONTACT_DATA_GREATER_THAN_MAX_LENGTH", name,
				   "The value is longer than the column's maximum.");
}

static void
check_cell(const Checks *checks, const Columns *columns, int column, Span *cell,
		   RowError *error)
{
	const CellRule *rule = &checks->rules[column];
	Span name = columns->name[column];
	size_t most = cell_within_limit(*cell);

	if (most < cell->n && sw_is(SW_OVERLONG_CELLS, "reject"))
		row_refuse(error, "IMPORT_DATUM_EXCEEDS_LENGTH_LIMIT", name,
				   "The value has over 512 characters.");
	cell->n = most;
	if (cell->n == 0)
		return;
	check_type(rule, name, *cell, error);
	if (checks->verifies && columns->phone[column] && !is_phone_number(*cell))
		row_refuse(error, "IMPORT_INVALID_PHONE_NUMBERS", name,
				   "The value is no phone number.");
	if (checks->verifies && rule->email && !is_email_address(*cell))
		row_refuse(error, "IMPORT_INVALID_EMAIL_ADDRESSES", name,
				   "The value is no email address.");
	if (column == columns->zip && !zip_is_good(*cell))
		row_refuse(error, "IMPORT_FAILED_CONTACT_ZIP_CODE_COLUMN_VALUE_INVALID", name,
				   "The zip code must have five or nine digits.");
}

void
checks_run(const Checks *checks, const Columns *columns, Span id, Span *cells, RowError *error)
{
	if (id.p && !contact_id_is_good(id))
		row_refuse(error, "IMPORT_INVALID_CUSTOM_ID", (Span){"id", 2},
				   "The contact id is too long or has special characters.");
	for (int i = 0; i < columns->n; i++)
		if (cells[i].p)
			check_cell(checks, columns, i, &cells[i], error);
}
