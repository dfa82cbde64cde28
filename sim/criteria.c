/*
 * criteria.c
 *	  The conditions of a search: checked once, then put to each contact.
 */
#include <stdlib.h>

#include "criteria.h"
#include "errors.h"
#include "switches.h"

typedef enum Operator
{
	OP_EQUALS,
	OP_LESS_THAN,
	OP_LESS_THAN_EQUALS,
	OP_GREATER_THAN,
	OP_GREATER_THAN_EQUALS,
	OP_CONTAINS,
	OP_BEGINS_WITH,
	OP_ENDS_WITH,
	OP_BEFORE,
	OP_AFTER,
	OP_BETWEEN,
	OP_IN,
	OP_COUNT
} Operator;

static const char *const operator_names[OP_COUNT] = {
	"EQUALS",	"LESS_THAN",   "LESS_THAN_EQUALS", "GREATER_THAN", "GREATER_THAN_EQUALS",
	"CONTAINS", "BEGINS_WITH", "ENDS_WITH",		   "BEFORE",	   "AFTER",
	"BETWEEN",	"IN"};

typedef enum ValueKind
{
	VALUE_TEXT,
	VALUE_NUMBER,
	VALUE_TIME
} ValueKind;

typedef struct Value
{
	Span text;			/* folded; owned */
	long double number; /* or seconds since 1970 */
} Value;

typedef struct Predicate
{
	int column;
	Operator op;
	ValueKind kind;
	bool inverted;
	bool relative; /* to the time of day */
	bool min_inclusive;
	bool max_inclusive;
	Value *values; /* one; minimum and maximum; or a set */
	size_t nvalues;
} Predicate;

typedef struct Clause
{
	bool any; /* OR */
	Predicate *predicates;
	size_t n;
} Clause;

struct Criteria
{
	bool any;
	bool ignore_case;
	Clause *clauses;
	size_t n;
	Buf scratch; /* for the cell at hand */
};

static bool
convert(ValueKind kind, Span text, long double *number)
{
	return kind == VALUE_TEXT ||
		   (kind == VALUE_NUMBER ? text_number(text, number) : text_time(text, number));
}

static bool
refuse(Request *req, const char *code, const char *what)
{
	reply_error(req, 400, code, "The filter is not valid: %s", what);
	return false;
}

static bool
add_value(Request *req, const Criteria *criteria, Predicate *predicate, const json_t *json)
{
	Span text = {(char *) json_string_value(json), json_string_length(json)};
	Value *value = &predicate->values[predicate->nvalues];
	Buf scratch = {0};
	Span folded;

	if (predicate->kind == VALUE_TIME && text_relative_time(text, &value->number))
		predicate->relative = true;
	else if (!convert(predicate->kind, text, &value->number))
		return predicate->kind == VALUE_TIME
				   ? refuse(req, "invalid.date.value", "the value is not a date")
				   : refuse(req, "value.did.not.match.column.type",
							"the value is not a number");
	folded = text_fold(text, criteria->ignore_case, &scratch);
	value->text = (Span){sim_strndup(folded.p ? folded.p : "", folded.n), folded.n};
	predicate->nvalues++;
	buf_free(&scratch);
	return true;
}

static int
compare(const Predicate *predicate, const Value *a, const Value *b)
{
	if (predicate->kind == VALUE_TEXT)
		return text_compare(a->text, b->text);
	return (a->number > b->number) - (a->number < b->number);
}

static bool
read_bounds(Request *req, const Criteria *criteria, Predicate *predicate, const json_t *range)
{
	json_t *min = json_object_get(range, "min");
	json_t *max = json_object_get(range, "max");
	json_t *min_in = json_object_get(range, "minInclusive");
	json_t *max_in = json_object_get(range, "maxInclusive");
	bool otherwise = sw_is(SW_BETWEEN_BOUNDS, "inclusive");

	if (!json_is_string(min))
		return refuse(req, "range.min.required", "BETWEEN wants range.min");
	if (!json_is_string(max))
		return refuse(req, "range.max.required", "BETWEEN wants range.max");
	predicate->min_inclusive = json_is_boolean(min_in) ? json_is_true(min_in) : otherwise;
	predicate->max_inclusive = json_is_boolean(max_in) ? json_is_true(max_in) : otherwise;
	predicate->values = sim_alloc(2 * sizeof(Value));
	if (!add_value(req, criteria, predicate, min) || !add_value(req, criteria, predicate, max))
		return false;
	return compare(predicate, &predicate->values[0], &predicate->values[1]) <= 0 ||
		   refuse(req, "max.less.than.min", "range.max is less than range.min");
}

static bool
read_set(Request *req, const Criteria *criteria, Predicate *predicate, const json_t *range)
{
	json_t *set = json_object_get(range, "inSet");
	size_t i;
	json_t *item;

	if (!json_is_array(set) || json_array_size(set) == 0)
		return refuse(req, "range.set.required", "IN wants range.inSet");
	predicate->values = sim_alloc(json_array_size(set) * sizeof(Value));
	json_array_foreach(set, i, item)
	{
		if (!json_is_string(item))
			return refuse(req, "range.set.required", "range.inSet holds strings");
		if (!add_value(req, criteria, predicate, item))
			return false;
	}
	return true;
}

static bool
read_values(Request *req, const Criteria *criteria, Predicate *predicate, const json_t *json)
{
	json_t *value = json_object_get(json, "value");
	json_t *range = json_object_get(json, "range");

	if (predicate->op == OP_BETWEEN || predicate->op == OP_IN)
	{
		if (!json_is_object(range))
			return refuse(req, "range.required", "BETWEEN and IN want a range");
		return predicate->op == OP_IN ? read_set(req, criteria, predicate, range)
									  : read_bounds(req, criteria, predicate, range);
	}
	if (!json_is_string(value))
		return refuse(req, "value.required", "the operator wants a value");
	predicate->values = sim_alloc(sizeof(Value));
	return add_value(req, criteria, predicate, value);
}

static bool
read_operator(Request *req, Predicate *predicate, const char *name)
{
	int op = 0;

	if (name == NULL)
		return refuse(req, "operator.required", "a predicate wants an operator");
	while (op < OP_COUNT && strcmp(operator_names[op], name) != 0)
		op++;
	predicate->op = (Operator) op;
	return op < OP_COUNT || refuse(req, "bad.request", "there is no such operator");
}

static bool
read_kind(Request *req, Predicate *predicate, const json_t *type)
{
	const char *text = json_string_value(type);

	if (type && !json_is_null(type) &&
		(!text || (strcmp(text, "numeric") != 0 && strcmp(text, "alphabetic") != 0)))
		return refuse(req, "bad.request", "columnType is numeric or alphabetic");
	if (predicate->op == OP_BEFORE || predicate->op == OP_AFTER)
		predicate->kind = VALUE_TIME;
	else if (predicate->op >= OP_CONTAINS && predicate->op <= OP_ENDS_WITH)
		predicate->kind = VALUE_TEXT;
	else
		predicate->kind = text && strcmp(text, "numeric") == 0 ? VALUE_NUMBER : VALUE_TEXT;
	return true;
}

static bool
read_predicate(Request *req, const Criteria *criteria, Predicate *predicate,
			   const json_t *json, const Columns *columns)
{
	json_t *name = json_object_get(json, "column");
	Span column = {(char *) json_string_value(name), json_string_length(name)};

	if (column.p == NULL)
		return refuse(req, "column.required", "a predicate wants a column");
	predicate->column = columns_find(columns, column, 0);
	if (predicate->column < 0)
		return refuse(req, "column.does.not.match.contact.list",
					  "the list has no such column");
	predicate->inverted = json_is_true(json_object_get(json, "inverted"));
	return read_operator(req, predicate,
						 json_string_value(json_object_get(json, "operator"))) &&
		   read_kind(req, predicate, json_object_get(json, "columnType")) &&
		   read_values(req, criteria, predicate, json);
}

/* AND or OR of n things; needed only when n is more than one. */
static bool
read_filter_type(Request *req, const json_t *json, size_t n, const char *code, bool *any)
{
	json_t *type = json_object_get(json, "filterType");
	const char *text = json_string_value(type);

	if (type == NULL || json_is_null(type))
		return n < 2 || refuse(req, code, "filterType is wanted");
	*any = text && strcmp(text, "OR") == 0;
	return *any || (text && strcmp(text, "AND") == 0) ||
		   refuse(req, "bad.request", "filterType is AND or OR");
}

static bool
read_clause(Request *req, const Criteria *criteria, Clause *clause, const json_t *json,
			const Columns *columns)
{
	json_t *list = json_object_get(json, "predicates");
	size_t i;
	json_t *item;

	if (!json_is_array(list) || json_array_size(list) == 0)
		return refuse(req, "at.least.one.predicate.required", "a clause wants predicates");
	if (!read_filter_type(req, json, json_array_size(list),
						  "filter.type.required.for.multiple.predicates", &clause->any))
		return false;
	clause->predicates = sim_alloc(json_array_size(list) * sizeof(Predicate));
	json_array_foreach(list, i, item)
	{
		clause->n++;
		if (!read_predicate(req, criteria, &clause->predicates[i], item, columns))
			return false;
	}
	return true;
}

static bool
read_clauses(Request *req, Criteria *criteria, const json_t *json, const Columns *columns)
{
	json_t *list = json_object_get(json, "clauses");
	size_t i;
	json_t *item;

	if (!json_is_array(list) || json_array_size(list) == 0)
		return refuse(req, "clauses.required", "criteria want clauses");
	if (!read_filter_type(req, json, json_array_size(list),
						  "filter.type.required.for.multiple.clauses", &criteria->any))
		return false;
	criteria->clauses = sim_alloc(json_array_size(list) * sizeof(Clause));
	json_array_foreach(list, i, item)
	{
		criteria->n++;
		if (!read_clause(req, criteria, &criteria->clauses[i], item, columns))
			return false;
	}
	return true;
}

Criteria *
criteria_read(Request *req, const json_t *json, const Columns *columns)
{
	Criteria *criteria = sim_alloc(sizeof(Criteria));

	criteria->ignore_case = sw_is(SW_TEXT_COMPARE, "ignorecase");
	if (read_clauses(req, criteria, json, columns))
		return criteria;
	criteria_free(criteria);
	return NULL;
}

bool
criteria_is_relative(const Criteria *criteria)
{
	for (size_t i = 0; i < criteria->n; i++)
		for (size_t p = 0; p < criteria->clauses[i].n; p++)
			if (criteria->clauses[i].predicates[p].relative)
				return true;
	return false;
}

static bool
in_bounds(const Predicate *predicate, const Value *cell)
{
	int low = compare(predicate, cell, &predicate->values[0]);
	int high = compare(predicate, cell, &predicate->values[1]);

	return (low > 0 || (low == 0 && predicate->min_inclusive)) &&
		   (high < 0 || (high == 0 && predicate->max_inclusive));
}

static bool
in_set(const Predicate *predicate, const Value *cell)
{
	for (size_t i = 0; i < predicate->nvalues; i++)
		if (compare(predicate, cell, &predicate->values[i]) == 0)
			return true;
	return false;
}

static bool
holds(const Predicate *predicate, const Value *cell)
{
	const Span *value = &predicate->values[0].text;
	Span text = cell->text;

	switch (predicate->op)
	{
		case OP_EQUALS:
			return compare(predicate, cell, predicate->values) == 0;
		case OP_LESS_THAN:
		case OP_BEFORE:
			return compare(predicate, cell, predicate->values) < 0;
		case OP_LESS_THAN_EQUALS:
			return compare(predicate, cell, predicate->values) <= 0;
		case OP_GREATER_THAN:
		case OP_AFTER:
			return compare(predicate, cell, predicate->values) > 0;
		case OP_GREATER_THAN_EQUALS:
			return compare(predicate, cell, predicate->values) >= 0;
		case OP_CONTAINS:
			return value->n == 0 || (text.n > 0 && memmem(text.p, text.n, value->p, value->n));
		case OP_BEGINS_WITH:
			return value->n == 0 ||
				   (text.n >= value->n && memcmp(text.p, value->p, value->n) == 0);
		case OP_ENDS_WITH:
			return value->n == 0 || (text.n >= value->n && memcmp(text.p + text.n - value->n,
																  value->p, value->n) == 0);
		case OP_BETWEEN:
			return in_bounds(predicate, cell);
		default:
			return in_set(predicate, cell);
	}
}

/* A cell that is not of the kind compared satisfies nothing, so only its inverse. */
static bool
predicate_match(Criteria *criteria, const Predicate *predicate, const Span *cells)
{
	Value cell = {cells[predicate->column], 0};
	bool good = convert(predicate->kind, cell.text, &cell.number);

	if (good)
	{
		if (predicate->kind == VALUE_TEXT)
			cell.text = text_fold(cell.text, criteria->ignore_case, &criteria->scratch);
		good = holds(predicate, &cell);
	}
	return good != predicate->inverted;
}

static bool
clause_match(Criteria *criteria, const Clause *clause, const Span *cells)
{
	for (size_t i = 0; i < clause->n; i++)
		if (predicate_match(criteria, &clause->predicates[i], cells) == clause->any)
			return clause->any;
	return !clause->any;
}

bool
criteria_match(Criteria *criteria, const Span *cells)
{
	for (size_t i = 0; i < criteria->n; i++)
		if (clause_match(criteria, &criteria->clauses[i], cells) == criteria->any)
			return criteria->any;
	return !criteria->any;
}

void
criteria_free(Criteria *criteria)
{
	for (size_t i = 0; i < criteria->n; i++)
	{
		Clause *clause = &criteria->clauses[i];

		for (size_t p = 0; p < clause->n; p++)
		{
			Predicate *predicate = &clause->predicates[p];

			for (size_t v = 0; v < predicate->nvalues; v++)
				free(predicate->values[v].text.p);
			free(predicate->values);
		}
		free(clause->predicates);
	}
	free(criteria->clauses);
	buf_free(&criteria->scratch);
	free(criteria);
}
